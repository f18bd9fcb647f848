"""The composer: what a shot says, turned into prompt text whose every word has a known origin.

Pure: plain facts in, plain text out, the same bytes for the same facts. The positive text reads as
short sentences, one group each:

    scene. | each character: name, description, costume, action. | location, weather, time. |
    presets in category order. | LoRA trigger words

The scene is always a segment, with or without a cast. Presets speak only where their channel fits, so
a camera movement is in the video prompt alone. The negative text gathers shot, characters, presets and
the house's own words, each phrase once. Dialogue, age and gender are not written: a picture model
paints what it reads, and what it should see belongs into the description.

A trigger word stands in the positive text exactly once: with the LoRAs, or where somebody typed it already.
A LoRA of weight 0 is off in this shot, and its trigger words with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

from apps.prompts import words
from apps.prompts.facts import CastMember, Lora, PresetFacts, ShotFacts
from apps.prompts.text import Phrase, clean, join_sentences, pick, split_phrases

COMPOSER: Final = 2
"""Raise it whenever the same facts would give other text."""


@dataclass(frozen=True)
class Segment:
    """A stretch of prompt text and where it came from.

    ``role``: positive | negative. ``source``: scene | character | costume | action | location | weather |
    time | preset | lora | shot | house. ``label`` names the row for people, and says "(English)" where a
    Korean prompt had to fall back on the English field.
    """

    role: str
    text: str
    source: str
    source_id: str
    label: str


@dataclass(frozen=True)
class LoraUse:
    """A LoRA the graph has to load: file as ComfyUI lists it, weight, trigger words, whose it is.

    ``expert``: the one model of several it is for (WAN 2.2: high, low); "" for all.
    """

    file: str
    weight: float
    triggers: tuple[str, ...]
    character: str
    expert: str = ""


@dataclass(frozen=True)
class Composed:
    """A composed prompt. The texts are the segments, joined; nothing else is in them."""

    positive: str
    negative: str
    segments: tuple[Segment, ...]
    loras: tuple[LoraUse, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the four columns of a PromptBuild that hold it."""
        return {
            "positive": self.positive,
            "negative": self.negative,
            "segments": [asdict(segment) for segment in self.segments],
            "loras": [{**asdict(lora), "triggers": list(lora.triggers)} for lora in self.loras],
        }


def compose(
    facts: ShotFacts, *, channel: str, language: str, base_model: str, experts: Collection[str] | None = None
) -> Composed:
    """Compose the prompt of one shot for one channel (image | video), language (en | ko) and base model.

    ``experts``: those the model has; a LoRA for another one is not loaded and triggers nothing. None: any.
    """
    presets = _speaking(facts.presets, channel)
    loras = [
        (member, lora)
        for member, lora in _loaded(facts, base_model)
        if experts is None or not lora.expert or lora.expert in experts
    ]
    groups = [
        _scene(facts, language),
        *(_character(member, language) for member in facts.cast),
        _surroundings(facts, language),
        _looks(presets, language),
    ]
    groups.append(_triggers(loras, language, said=[segment.text for group in groups for segment in group]))
    negatives = _negatives(facts, presets, language)
    return Composed(
        positive=join_sentences([[segment.text for segment in group] for group in groups]),
        negative=", ".join(segment.text for segment in negatives),
        segments=(*(segment for group in groups for segment in group), *negatives),
        loras=tuple(_use(member, lora) for member, lora in loras),
    )


def loras_of(facts: ShotFacts, base_model: str) -> tuple[LoraUse, ...]:
    """The LoRAs compose() names for this base model, in order of cast and file; a file once per expert."""
    return tuple(_use(member, lora) for member, lora in _loaded(facts, base_model))


def _scene(facts: ShotFacts, language: str) -> list[Segment]:
    return _positive("scene", facts.shot_id, facts.code, pick(facts.description, language))


def _character(member: CastMember, language: str) -> list[Segment]:
    name = pick(member.name, language)
    identity = member.character_id
    segments = [
        *_positive("character", identity, name.text, name),
        *_positive("character", identity, name.text, pick(member.description, language)),
    ]
    if member.costume is not None:
        worn = words.wearing(pick(member.costume.prompt, language))
        segments += _positive("costume", member.costume.costume_id, clean(member.costume.name), worn)
    return segments + _positive("action", identity, name.text, pick(member.action, language))


def _surroundings(facts: ShotFacts, language: str) -> list[Segment]:
    segments: list[Segment] = []
    if facts.location is not None:
        place, name = facts.location, pick(facts.location.name, language)
        said = pick(place.prompt, language)
        segments += _positive("location", place.location_id, name.text, said if said.text else name)
    if facts.weather:
        segments += _positive("weather", facts.shot_id, facts.code, words.weather(facts.weather, language))
    if facts.time_of_day:
        segments += _positive("time", facts.shot_id, facts.code, words.time(facts.time_of_day, language))
    return segments


def _looks(presets: Iterable[PresetFacts], language: str) -> list[Segment]:
    return [
        segment
        for preset in presets
        for segment in _positive(
            "preset", preset.preset_id, pick(preset.name, language).text, pick(preset.fragment, language)
        )
    ]


def _triggers(
    loras: Iterable[tuple[CastMember, Lora]], language: str, *, said: Iterable[str]
) -> list[Segment]:
    """Trigger words in order of cast, LoRA and list, each once, letter for letter as trained."""
    told = " . ".join(said)
    seen: set[str] = set()
    segments: list[Segment] = []
    for member, lora in loras:
        fresh = [word for word in _trigger_words(lora) if word not in seen and not _stands_in(word, told)]
        seen.update(fresh)
        label = pick(member.name, language).text
        segments += _positive("lora", lora.lora_id, label, Phrase(", ".join(fresh)))
    return segments


def _negatives(facts: ShotFacts, presets: Iterable[PresetFacts], language: str) -> list[Segment]:
    said: list[tuple[str, str, str, Phrase]] = [
        ("shot", facts.shot_id, facts.code, Phrase(clean(facts.negative))),
        *(
            (
                "character",
                member.character_id,
                pick(member.name, language).text,
                Phrase(clean(member.negative)),
            )
            for member in facts.cast
        ),
        *(
            ("preset", preset.preset_id, pick(preset.name, language).text, pick(preset.negative, language))
            for preset in presets
        ),
        ("house", "", "Shotfarm", words.house_negative(language)),
    ]
    seen: set[str] = set()
    segments: list[Segment] = []
    for source, source_id, label, phrase in said:
        fresh: list[str] = []
        for part in split_phrases(phrase.text):
            if part.casefold() not in seen:
                seen.add(part.casefold())
                fresh.append(part)
        if fresh:
            segments.append(Segment("negative", ", ".join(fresh), source, source_id, phrase.labelled(label)))
    return segments


def _positive(source: str, source_id: str, label: str, phrase: Phrase) -> list[Segment]:
    if not phrase.text:
        return []
    return [Segment("positive", phrase.text, source, source_id, phrase.labelled(label))]


def _speaking(presets: Iterable[PresetFacts], channel: str) -> list[PresetFacts]:
    heard = [preset for preset in presets if preset.channel in {"both", channel}]
    return sorted(heard, key=lambda preset: (preset.category_order, preset.order, preset.slug))


def _stands_in(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _loaded(facts: ShotFacts, base_model: str) -> list[tuple[CastMember, Lora]]:
    """Each file once: loaded twice, it would count twice. The first of the cast decides its weight."""
    wanted: dict[tuple[str, str], tuple[CastMember, Lora]] = {}
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
