"""What each piece of an order says of a shot: segments that are written, and segments that are left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from apps.prompts import words
from apps.prompts.facts import CastMember, CostumeFacts, LocationFacts, PresetFacts, ShotFacts
from apps.prompts.order import Order, Piece
from apps.prompts.segments import NEGATIVE, Segment, Source, left
from apps.prompts.text import Phrase, clean, pick, plain, split_phrases


@dataclass
class Said:
    """What is written, each segment behind what parts it from the one before (order.JOINS); what is not.

    A piece that begins a sentence and says nothing leaves that to the next one that does.
    ``triggers_at``: how many segments stand before the trigger words, ``triggers_join``: what parts them.
    """

    written: list[tuple[str, Segment]] = field(default_factory=list)
    left_out: list[Segment] = field(default_factory=list)
    triggers_at: int = 0
    triggers_join: str = "comma"
    _begins: str = ""

    def add(self, piece: Piece, segments: Iterable[Segment], *, join: str = "") -> bool:
        """Write what a piece says: its first segment behind ``join`` (else its own), others by commas.

        Returns whether anything was written: a piece that is switched off is left out.
        """
        spoken = [segment for segment in segments if segment.text]
        begins = self._parted_by(join or piece.join)
        if piece.on and spoken:
            self.written += [("comma" if after else begins, one) for after, one in enumerate(spoken)]
            self._begins = ""
            return True
        self.left_out += [left(segment, "switched_off") for segment in spoken]
        return False

    def leave_room(self, piece: Piece) -> None:
        """Trigger words stand here; which ones is known when all else is written."""
        self.triggers_at, self.triggers_join = len(self.written), self._parted_by(piece.join)

    def _parted_by(self, join: str) -> str:
        """The break before the next segment: its own, or a stronger one that nothing has followed yet."""
        if join in _BREAKS:
            self._begins = join
        return self._begins or join


_BREAKS: Final = ("sentence", "line")


def say_positive(facts: ShotFacts, order: Order, *, channel: str, language: str) -> Said:
    """Say everything but the trigger words, in the project's order."""
    said = Said()
    heard, unheard = _by_channel(facts.presets, channel)
    for preset in unheard:
        segments = [_fragment(preset, language)]
        said.left_out += [left(one, f"{preset.channel}_only") for one in segments if one.text]
    for piece in order.positive:
        if piece.segment == "cast":
            _say_cast(said, facts.cast, piece, order, language)
        elif piece.segment == "lora":
            said.leave_room(piece)
        else:
            said.add(piece, _of_shot(piece.segment, facts, heard, order, language))
    return said


def say_negative(facts: ShotFacts, order: Order, *, channel: str, language: str) -> Said:
    """Say the negative words in the project's order, each phrase once."""
    said, seen = Said(), set[str]()
    heard, unheard = _by_channel(facts.presets, channel)
    for preset in unheard:
        said.left_out += [
            left(one, f"{preset.channel}_only") for one in _negatives("preset", facts, [preset], language)
        ]
    for piece in order.negative:
        for segment in _negatives(piece.segment, facts, heard, language):
            if piece.on:
                _say_once(said, piece, segment, seen)
            else:
                said.add(piece, [segment])
    return said


def _say_once(said: Said, piece: Piece, segment: Segment, seen: set[str]) -> None:
    fresh: list[str] = []
    again: list[str] = []
    for phrase in split_phrases(segment.text):
        (again if phrase.casefold() in seen else fresh).append(phrase)
        seen.add(phrase.casefold())
    said.add(piece, [replace(segment, text=", ".join(fresh))])
    if again:
        said.left_out.append(left(replace(segment, text=", ".join(again)), "said_already"))


def _by_channel(presets: Iterable[PresetFacts], channel: str) -> tuple[list[PresetFacts], list[PresetFacts]]:
    """Those that speak to this channel, and those that do not, in the order of the library."""
    ordered = sorted(presets, key=lambda one: (one.category_order, one.order, one.slug))
    heard = [preset for preset in ordered if preset.channel in {"both", channel}]
    return heard, [preset for preset in ordered if preset not in heard]


def _say_cast(said: Said, cast: Iterable[CastMember], piece: Piece, order: Order, language: str) -> None:
    between = piece.join
    for member in cast:
        begun = False
        for part in order.person:
            begun |= said.add(part, _of_person(part.segment, member, language), join="" if begun else between)
        if begun:
            between = order.people
        said.left_out += [left(_worn(member, one, language), "another_worn") for one in member.unworn]


def _of_shot(
    piece: str, facts: ShotFacts, presets: Iterable[PresetFacts], order: Order, language: str
) -> Iterator[Segment]:
    """What a piece says that is about the shot as a whole."""

    def source(field: str) -> Source:
        return Source(piece, "shot", facts.shot_id, field, facts.code)

    if piece == "scene":
        yield source("description").says(pick(facts.description, language))
    elif piece == "location":
        if facts.location is not None:
            yield _place(facts.location, language)
    elif piece == "weather":
        if facts.weather:
            yield source("weather").says(words.weather(facts.weather, language))
    elif piece == "time":
        if facts.time_of_day:
            yield source("time_of_day").says(words.time(facts.time_of_day, language))
    elif piece == "dialogue":
        if spoken := clean(facts.dialogue):
            yield source("dialogue").says(words.saying(plain(spoken), language))
    else:  # a family of presets, or all that have no place of their own
        yield from (_fragment(one, language) for one in presets if order.family_of(one.category) == piece)


def _of_person(piece: str, member: CastMember, language: str) -> Iterator[Segment]:
    """What a piece says of one person."""
    name = pick(member.name, language)
    said = Source("character", "character", member.character_id, piece, name.text)
    if piece == "name":
        yield said.says(name)
    elif piece == "description":
        yield said.says(pick(member.description, language))
    elif piece == "age":
        yield said.says(words.age(clean(member.age), language))
    elif piece == "gender":
        yield said.says(words.gender(clean(member.gender), language))
    elif piece == "action":
        own = Source("action", "casting", member.casting_id, "action", name.text)
        yield own.says(pick(member.action, language))
    elif member.costume is not None:
        yield _worn(member, member.costume, language)


def _worn(member: CastMember, costume: CostumeFacts, language: str) -> Segment:
    name = clean(costume.name) or pick(member.name, language).text
    source = Source("costume", "costume", costume.costume_id, "prompt", name)
    if costume.why == "override":
        source = Source("costume", "casting", member.casting_id, "costume_override", name)
    return source.says(words.wearing(pick(costume.prompt, language)), why=f"costume_{costume.why}")


def _place(place: LocationFacts, language: str) -> Segment:
    name, said = pick(place.name, language), pick(place.prompt, language)
    source = Source("location", "location", place.location_id, "prompt", name.text)
    if said.text:
        return source.says(said)
    return replace(source, field="name").says(name, why="only_name")


def _fragment(preset: PresetFacts, language: str) -> Segment:
    name = pick(preset.name, language).text
    source = Source("preset", "preset", preset.preset_id, "prompt_fragment", name)
    return source.says(pick(preset.fragment, language), why="of_project" if preset.ours else "")


def _negatives(
    piece: str, facts: ShotFacts, presets: Iterable[PresetFacts], language: str
) -> Iterator[Segment]:
    """What a piece says in the negative text, as it is typed."""
    said: list[tuple[Source, Phrase]] = []
    if piece == "shot":
        own = Source(piece, "shot", facts.shot_id, "negative", facts.code)
        said = [(own, plain(clean(facts.negative)))]
    elif piece == "house":
        said = [(Source(piece, "house", "", "", "Shotfarm"), words.house_negative(language))]
    for member in facts.cast if piece == "character" else ():
        name = pick(member.name, language).text
        own = Source(piece, "character", member.character_id, "negative", name)
        said.append((own, plain(clean(member.negative))))
    for preset in presets if piece == "preset" else ():
        name = pick(preset.name, language).text
        own = Source(piece, "preset", preset.preset_id, "negative_fragment", name)
        said.append((own, pick(preset.negative, language)))
    yield from (own.says(phrase, role=NEGATIVE) for own, phrase in said if phrase.text)
