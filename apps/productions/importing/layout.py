"""The workbook: which sheets it has, which columns, and what each cell may say.

A column that is absent leaves what the farm knows; a cell that is empty clears it. Sheets and columns
whose name begins with ``_`` are the studio's own and are not read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from apps.characters.models import MOST_WEIGHT, Character, CharacterLora, Costume, Expert
from apps.productions.importing import cells
from apps.productions.models import (
    MAX_FRAMES,
    Location,
    Sequence,
    Shot,
    ShotCharacter,
    TimeOfDay,
    Weather,
)
from apps.projects.models import Project

_LARGEST_SEED: Final = 2**53
"""Beyond it a spreadsheet's numbers lose digits."""


@dataclass(frozen=True)
class Column:
    """A heading and how to read below it. ``key`` columns name the row; they and ``required`` ones
    must be there and filled. ``empty`` is what an empty cell means.
    """

    name: str
    read: cells.Reader
    required: bool = False
    key: bool = False
    empty: Any = ""

    @property
    def must_be_filled(self) -> bool:
        """Whether an empty cell is a mistake."""
        return self.key or self.required


@dataclass(frozen=True)
class Layout:
    """One sheet of the workbook."""

    sheet: str
    columns: tuple[Column, ...]
    required: bool = False

    @property
    def by_name(self) -> Mapping[str, Column]:
        """The columns by their heading."""
        return {column.name: column for column in self.columns}


PROJECT: Final = Layout(
    "Project",
    (
        Column("code", cells.project_code, key=True),
        Column("name", cells.text(Project, "name"), required=True),
        Column("name_ko", cells.text(Project, "name_ko")),
        Column("description", cells.text(Project, "description")),
        Column("fps", cells.decimal(1, 240), empty=24.0),
        Column("width", cells.whole(16, 16_384), empty=1024),
        Column("height", cells.whole(16, 16_384), empty=576),
        Column("prompt_language", cells.one_of(("en", "ko")), empty="en"),
    ),
    required=True,
)
SEQUENCES: Final = Layout(
    "Sequences",
    (
        Column("code", cells.code, key=True),
        Column("name", cells.text(Sequence, "name"), required=True),
        Column("name_ko", cells.text(Sequence, "name_ko")),
        Column("order", cells.whole(0, 1_000_000), empty=None),
    ),
    required=True,
)
CHARACTERS: Final = Layout(
    "Characters",
    (
        Column("code", cells.code, key=True),
        Column("name", cells.text(Character, "name"), required=True),
        Column("name_ko", cells.text(Character, "name_ko")),
        Column("description", cells.text(Character, "description")),
        Column("description_ko", cells.text(Character, "description_ko")),
        Column("negative", cells.text(Character, "negative")),
        Column("age", cells.text(Character, "age")),
        Column("gender", cells.text(Character, "gender")),
        Column("use_lora", cells.yes_or_no, empty=False),
        Column("default_costume", cells.text(Costume, "name"), empty=None),
    ),
)
COSTUMES: Final = Layout(
    "Costumes",
    (
        Column("character", cells.code, key=True),
        Column("name", cells.text(Costume, "name"), key=True),
        Column("prompt", cells.text(Costume, "prompt"), required=True),
        Column("prompt_ko", cells.text(Costume, "prompt_ko")),
    ),
)
LORAS: Final = Layout(
    "Loras",
    (
        Column("character", cells.code, key=True),
        Column("base_model", cells.text(CharacterLora, "base_model"), key=True),
        Column("file", cells.model_file, key=True),
        Column("expert", cells.one_of(filter(None, Expert.values))),
        Column("weight", cells.decimal(0, MOST_WEIGHT), empty=0.8),
        Column("trigger_words", cells.words, empty=()),
    ),
)
LOCATIONS: Final = Layout(
    "Locations",
    (
        Column("code", cells.code, key=True),
        Column("name", cells.text(Location, "name"), required=True),
        Column("name_ko", cells.text(Location, "name_ko")),
        Column("prompt", cells.text(Location, "prompt")),
        Column("prompt_ko", cells.text(Location, "prompt_ko")),
    ),
)
SHOTS: Final = Layout(
    "Shots",
    (
        Column("sequence", cells.code, key=True),
        Column("code", cells.code, key=True),
        Column("description", cells.text(Shot, "description"), required=True),
        Column("description_ko", cells.text(Shot, "description_ko")),
        Column("dialogue", cells.text(Shot, "dialogue")),
        Column("frames", cells.whole(1, MAX_FRAMES), required=True),
        Column("handles", cells.whole(0, 1000), empty=0),
        Column("location", cells.code, empty=None),
        Column("weather", cells.one_of(Weather.values)),
        Column("time_of_day", cells.one_of(TimeOfDay.values)),
        Column("presets", cells.words, empty=()),
        Column("negative", cells.text(Shot, "negative")),
        Column("seed", cells.whole(0, _LARGEST_SEED), empty=None),
        Column("notes", cells.text(Shot, "notes")),
        Column("order", cells.whole(0, 1_000_000), empty=None),
    ),
    required=True,
)
CASTING: Final = Layout(
    "Casting",
    (
        Column("shot", cells.shot_code, key=True),
        Column("character", cells.code, key=True),
        Column("action", cells.text(ShotCharacter, "action")),
        Column("action_ko", cells.text(ShotCharacter, "action_ko")),
        Column("costume", cells.text(Costume, "name"), empty=None),
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

PLANNING: Final = (PROJECT, SEQUENCES, CHARACTERS, COSTUMES, LORAS, LOCATIONS, SHOTS, CASTING)
