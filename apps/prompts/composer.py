"""The composer: what a shot says, turned into prompt text whose every word has a known origin.

Pure: plain facts in, plain text out, the same bytes for the same facts. In which order is the project's
setting (order.py); ours reads as short sentences, one group each:

    scene. | each character: name, age, gender, description, costume, action. | location, weather, time. |
    presets in category order. | LoRA trigger words

The scene is always a segment, with or without a cast. A costume typed for the shot comes before the one
chosen, and that before the character's own. Presets speak only where their channel fits, so a camera
movement is in the video prompt alone. The negative text gathers shot, characters, presets and the house's own
words, each phrase once. Whatever is not written is named as left out, with its reason.

A trigger word stands in the positive text exactly once: with the LoRAs, or where somebody typed it already.
A LoRA of weight 0 is off in this shot, and its trigger words with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from apps.prompts.facts import CastMember, Lora, ShotFacts
from apps.prompts.order import JOINS, SHOTFARM, Order
from apps.prompts.pieces import say_negative, say_positive
from apps.prompts.reader import Reader
from apps.prompts.segments import Composed, LoraUse, Segment, Source, left
from apps.prompts.text import pick, plain, woven

__all__ = ["COMPOSER", "Composed", "LoraUse", "Segment", "compose", "loras_of"]

COMPOSER: Final = 4
"""Raise it whenever the same facts would give other text, or other segments."""

Loaded = tuple[CastMember, Lora]


def compose(facts: ShotFacts, reader: Reader, *, language: str, order: Order = SHOTFARM) -> Composed:
    """Compose the prompt of one shot for one reader, in this language (en | ko) and order."""
    said = say_positive(facts, order, channel=reader.channel, language=language)
    denied = say_negative(facts, order, channel=reader.channel, language=language)
    loras = [(member, lora) for member, lora in _loaded(facts, reader.base_model) if _has(reader, lora)]
    triggers, again = _triggers(loras, language, said=[segment.text for _join, segment in said.written])
    place, join = said.triggers_at, said.triggers_join
    said.written[place:place] = [("comma" if after else join, one) for after, one in enumerate(triggers)]
    positive = [segment for _join, segment in said.written]
    negative = [segment for _join, segment in denied.written]
    return Composed(
        positive=woven((JOINS[between][language == "ko"], one.text) for between, one in said.written),
        negative=", ".join(segment.text for segment in negative),
        segments=(*positive, *negative),
        loras=tuple(_use(member, lora) for member, lora in loras),
        left_out=(*said.left_out, *again, *_unloaded(facts, reader, language), *denied.left_out),
    )


def loras_of(facts: ShotFacts, base_model: str) -> tuple[LoraUse, ...]:
    """The LoRAs compose() names for this base model, in order of cast and file; a file once per expert."""
    return tuple(_use(member, lora) for member, lora in _loaded(facts, base_model))


def missing_triggers(text: str, loras: Iterable[LoraUse]) -> list[str]:
    """Name the trigger words of loaded LoRAs that do not stand in a text somebody wrote by hand."""
    words = dict.fromkeys(word for lora in loras for word in lora.triggers)
    return [word for word in words if not _stands_in(word, text)]


def _triggers(
    loras: Iterable[Loaded], language: str, *, said: Iterable[str]
) -> tuple[list[Segment], list[Segment]]:
    """Trigger words in order of cast, LoRA and list, each once, letter for letter as trained.

    Second, those that somebody has typed already.
    """
    told = " . ".join(said)
    seen: set[str] = set()
    fresh: list[Segment] = []
    again: list[Segment] = []
    for member, lora in loras:
        words = [word for word in _trigger_words(lora) if word not in seen]
        typed = [word for word in words if _stands_in(word, told)]
        seen.update(words)
        for some, where in (([word for word in words if word not in typed], fresh), (typed, again)):
            if some:
                where.append(_trigger(member, lora, some, language))
    return fresh, [left(one, "typed_already") for one in again]


def _trigger(member: CastMember, lora: Lora, words: Iterable[str], language: str) -> Segment:
    source = Source("lora", "lora", lora.lora_id, "trigger_words", pick(member.name, language).text)
    weighed = "cast_weight" if member.lora_weight is not None else ""
    return source.says(plain(", ".join(words)), why=weighed)


def _unloaded(facts: ShotFacts, reader: Reader, language: str) -> Iterator[Segment]:
    """Trigger words of LoRAs that are not loaded, and why not."""
    for member in facts.cast:
        for lora in member.loras:
            why = _why_unloaded(member, lora, reader)
            if why and lora.triggers:
                yield left(_trigger(member, lora, _trigger_words(lora), language), why)


def _why_unloaded(member: CastMember, lora: Lora, reader: Reader) -> str:
    if not member.use_lora:
        return "lora_off"
    if lora.base_model.casefold() != reader.base_model.casefold():
        return "other_base" if reader.base_model else "no_loras"
    if _weight(member, lora) == 0:
        return "weight_zero"
    return "" if _has(reader, lora) else "no_expert"


def _has(reader: Reader, lora: Lora) -> bool:
    return reader.experts is None or not lora.expert or lora.expert in reader.experts


def _stands_in(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _loaded(facts: ShotFacts, base_model: str) -> list[Loaded]:
    """Each file once: loaded twice, it would count twice. The first of the cast decides its weight."""
    wanted: dict[tuple[str, str], Loaded] = {}
    for member in facts.cast:
        for lora in _fitting(member, base_model) if member.use_lora else ():
            if _weight(member, lora) != 0:
                wanted.setdefault((_file(lora), lora.expert), (member, lora))
    return list(wanted.values())


def _fitting(member: CastMember, base_model: str) -> list[Lora]:
    return [lora for lora in member.loras if lora.base_model.casefold() == base_model.casefold()]


def _use(member: CastMember, lora: Lora) -> LoraUse:
    return LoraUse(
        file=_file(lora),
        weight=_weight(member, lora),
        triggers=_trigger_words(lora),
        character=member.code,
        expert=lora.expert,
    )


def _weight(member: CastMember, lora: Lora) -> float:
    return lora.weight if member.lora_weight is None else member.lora_weight


def _file(lora: Lora) -> str:
    return lora.file.replace("\\", "/")


def _trigger_words(lora: Lora) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word.strip() for word in lora.triggers if word.strip()))
