"""The workbook: which sheets it has, which columns, and what each cell may say.

A column that is absent leaves what the farm knows; a cell that is empty clears it. Sheets and columns
whose name begins with ``_`` are the studio's own and are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from django.db.models import Model

from apps.characters.models import MOST_WEIGHT, Character, CharacterLora, Costume, Expert
from apps.presets.models import Look
from apps.productions import states
from apps.productions.importing import cells
from apps.productions.models import (
    MAX_FRAMES,
    Episode,
    Keeps,
    Location,
    Sequence,
    Setting,
    Shot,
    ShotCharacter,
    TimeOfDay,
    Weather,
)
from apps.projects.models import FIRST_FRAME, MOST_HANDLES, Project

_LARGEST_SEED: Final = 2**53
"""Beyond it a spreadsheet's numbers lose digits."""
_NONSENSE: Final = "¿?"

_WEATHER: Final[Mapping[str, str]] = {
    "맑음": Weather.SUNNY,
    "구름": Weather.CLOUDY,
    "구름_많음": Weather.CLOUDY,
    "흐림": Weather.OVERCAST,
    "비": Weather.RAIN,
    "폭풍": Weather.STORM,
    "폭풍우": Weather.STORM,
    "눈": Weather.SNOW,
    "안개": Weather.FOG,
    "연무": Weather.HAZE,
    "실안개": Weather.HAZE,
}
_TIMES: Final[Mapping[str, str]] = {
    "낮": TimeOfDay.DAY,
    "주간": TimeOfDay.DAY,
    "밤": TimeOfDay.NIGHT,
    "야간": TimeOfDay.NIGHT,
    "골든_아워": TimeOfDay.GOLDEN_HOUR,
    "골든아워": TimeOfDay.GOLDEN_HOUR,
    "블루_아워": TimeOfDay.BLUE_HOUR,
    "블루아워": TimeOfDay.BLUE_HOUR,
    "새벽": TimeOfDay.DAWN,
    "황혼": TimeOfDay.DUSK,
    "해질녘": TimeOfDay.DUSK,
    "해_질_녘": TimeOfDay.DUSK,
    "자정": TimeOfDay.MIDNIGHT,
    "한밤": TimeOfDay.MIDNIGHT,
    "한밤중": TimeOfDay.MIDNIGHT,
}
_SETTINGS: Final[Mapping[str, str]] = {
    "실내": Setting.INTERIOR,
    "int": Setting.INTERIOR,
    "int.": Setting.INTERIOR,
    "실외": Setting.EXTERIOR,
    "야외": Setting.EXTERIOR,
    "ext": Setting.EXTERIOR,
    "ext.": Setting.EXTERIOR,
}
"""What people write in cells beside our words; the pages' own Korean is among them (a test holds that)."""


@dataclass(frozen=True)
class Column:
    """A heading and how to read below it. ``key`` columns name the row; they and ``required`` ones
    must be there and filled; one with ``or_else`` need not be where that other column is. ``empty`` is
    what an empty cell means, ``choices`` the words a cell may hold. ``told_only``: exports tell it,
    imports never write it.
    """

    name: str
    read: cells.Reader
    required: bool = False
    key: bool = False
    empty: Any = ""
    choices: tuple[str, ...] = ()
    told_only: bool = False
    or_else: str = ""

    @property
    def rule(self) -> str:
        """The sentence a cell at fault is told; "" where any text will do."""
        try:
            self.read(_NONSENSE)
        except cells.Unreadable as exc:
            return str(exc)
        return ""

    @property
    def must_be_filled(self) -> bool:
        """Whether an empty cell is a mistake."""
        return self.key or (self.required and not self.or_else)


def _choice(
    name: str, words: tuple[str, ...], korean: Mapping[str, str] = MappingProxyType({}), *, empty: Any = ""
) -> Column:
    return Column(name, cells.one_of(words, korean), empty=empty, choices=words)


def _yes_or_no(name: str) -> Column:
    return Column(name, cells.yes_or_no, empty=False, choices=("yes", "no"))


def _texts(model: type[Model], *names: str) -> tuple[Column, ...]:
    return tuple(Column(name, cells.text(model, name)) for name in names)


_HANDLES: Final = Column("handles", cells.whole(0, MOST_HANDLES), empty=0)
_YEAR: Final = Column("period_year", cells.whole(0, 9999), empty=None)
_ORDER: Final = Column("order", cells.whole(0, 1_000_000), empty=None)


@dataclass(frozen=True)
class Layout:
    """One sheet of the workbook."""

    sheet: str
    columns: tuple[Column, ...]
    required: bool = False

    @cached_property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by their heading."""
        return {column.name: column for column in self.columns}


PROJECT: Final = Layout(
    "Project",
    (
        Column("code", cells.project_code, key=True),
        Column("name", cells.text(Project, "name"), required=True),
        *_texts(Project, "name_ko", "description"),
        Column("fps", cells.rate, empty=Fraction(24)),
        Column("width", cells.whole(16, 16_384), empty=1024),
        Column("height", cells.whole(16, 16_384), empty=576),
        Column("frame_start", cells.whole(0, 10_000_000), empty=FIRST_FRAME),
        _HANDLES,
        Column("start_timecode", cells.timecode, empty="01:00:00:00"),
        _choice("prompt_language", ("en", "ko"), empty="en"),
        _YEAR,
    ),
    required=True,
)
EPISODES: Final = Layout(
    "Episodes",
    (
        Column("code", cells.code, key=True),
        Column("name", cells.text(Episode, "name"), required=True),
        *_texts(Episode, "name_ko"),
        _ORDER,
    ),
)
SEQUENCES: Final = Layout(
    "Sequences",
    (
        Column("code", cells.code, key=True),
        Column("name", cells.text(Sequence, "name"), required=True),
        *_texts(Sequence, "name_ko"),
        Column("episode", cells.code, empty=None),
        _YEAR,
        _ORDER,
    ),
    required=True,
)
CHARACTERS: Final = Layout(
    "Characters",
    (
        Column("code", cells.code, key=True),
        Column("name", cells.text(Character, "name"), required=True),
        *_texts(Character, "name_ko", "description", "description_ko", "negative", "age", "gender"),
        _yes_or_no("use_lora"),
        Column("default_costume", cells.text(Costume, "name"), empty=None),
        _yes_or_no("archived"),
    ),
)
COSTUMES: Final = Layout(
    "Costumes",
    (
        Column("character", cells.code, key=True),
        Column("name", cells.text(Costume, "name"), key=True),
        Column("prompt", cells.text(Costume, "prompt"), required=True),
        *_texts(Costume, "prompt_ko"),
    ),
)
LORAS: Final = Layout(
    "Loras",
    (
        Column("character", cells.code, key=True),
        Column("base_model", cells.text(CharacterLora, "base_model"), key=True),
        Column("file", cells.model_file, key=True),
        _choice("expert", tuple(filter(None, Expert.values))),
        Column("weight", cells.decimal(0, MOST_WEIGHT), empty=0.8),
        Column("trigger_words", cells.words, empty=()),
        Column("sha256", cells.checksum),
    ),
)
LOCATIONS: Final = Layout(
    "Locations",
    (
        Column("code", cells.code, key=True),
        Column("name", cells.text(Location, "name"), required=True),
        *_texts(Location, "name_ko", "prompt", "prompt_ko"),
        _choice("setting", tuple(Setting.values), _SETTINGS),
    ),
)
LOOKS: Final = Layout(
    "Looks",
    (
        Column("slug", cells.slug, key=True),
        Column("name", cells.text(Look, "name"), required=True),
        *_texts(Look, "name_ko", "description", "description_ko"),
        Column("presets", cells.words, required=True),
        Column("order", cells.whole(0, 32_767), empty=0),
        _yes_or_no("archived"),
    ),
)
SHOTS: Final = Layout(
    "Shots",
    (
        Column("sequence", cells.code, key=True),
        Column("code", cells.code, key=True),
        Column(
            "description", cells.text(Shot, "description"), required=True, or_else="description_ko"
        ),  # a studio that plans in Korean writes no other
        *_texts(Shot, "description_ko", "dialogue"),
        Column("status", cells.text_of(60), empty=None, choices=states.SHOT.states),
        Column("frames", cells.whole(1, MAX_FRAMES), required=True),
        _HANDLES,
        Column("cut_in", cells.whole(0, 20_000_000), empty=None),
        Column("location", cells.text(Location, "name"), empty=None),
        _choice("weather", tuple(Weather.values), _WEATHER),
        _choice("time_of_day", tuple(TimeOfDay.values), _TIMES),
        Column("presets", cells.words, empty=()),
        *_texts(Shot, "preset_override", "negative"),
        Column("seed", cells.whole(0, _LARGEST_SEED), empty=None),
        Column("continuity_from", cells.shot_code, empty=None),
        _choice("continuity_keep", tuple(Keeps.values), empty=Keeps.FRAMES.value),
        Column("continuity_frames", cells.whole(1, 1000), empty=1),
        Column("assignees", cells.words, empty=()),
        *_texts(Shot, "notes"),
        _ORDER,
        Column("locked", cells.anything, told_only=True),
        Column("retakes", cells.anything, told_only=True),
    ),
    required=True,
)
CASTING: Final = Layout(
    "Casting",
    (
        Column("shot", cells.shot_code, key=True),
        Column("character", cells.code, key=True),
        *_texts(ShotCharacter, "action", "action_ko"),
        Column("costume", cells.text(Costume, "name"), empty=None),
        *_texts(ShotCharacter, "costume_override", "costume_override_ko"),
        Column("lora_weight", cells.decimal(0, MOST_WEIGHT), empty=None),
    ),
)
RENDERS: Final = Layout(
    "Renders",
    (
        Column("shot", cells.shot_code, key=True),
        Column("template", cells.text_of(80), key=True),
        Column("takes", cells.whole(1, 100), empty=1),
        Column("width", cells.whole(16, 16_384), required=True),
        Column("height", cells.whole(16, 16_384), required=True),
        Column("frames", cells.whole(1, MAX_FRAMES), empty=1),
    ),
)
"""What the demo renders. Not planning data: the import leaves it alone."""

PLANNING: Final = (
    PROJECT,
    EPISODES,
    SEQUENCES,
    CHARACTERS,
    COSTUMES,
    LORAS,
    LOCATIONS,
    LOOKS,
    SHOTS,
    CASTING,
)
