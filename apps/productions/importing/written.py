"""The way back: what a cell says of a row. Reading it again changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from apps.characters.models import Character, CharacterLora, Costume
from apps.common.models import BaseModel
from apps.presets.models import Look
from apps.productions.importing.known import Known
from apps.productions.importing.layout import (
    CASTING,
    CHARACTERS,
    COSTUMES,
    EPISODES,
    LOCATIONS,
    LOOKS,
    LORAS,
    PROJECT,
    SEQUENCES,
    SHOTS,
    Layout,
)
from apps.productions.models import Shot, ShotCharacter
from apps.projects.models import Project

Cell = str | int | float | bool | None
_Say = Callable[[Any, "Words"], Cell]


class Words:
    """Codes and names for what rows point at, each looked up once."""

    def __init__(self, known: Known, project: Project) -> None:
        self.known = known
        self.project = project
        self.labels = known.labels()
        self.characters = {row.pk: code for code, row in known.characters.items()}
        self.shots = {row.pk: code for code, row in known.shots.items()}

    def label(self, key: Any) -> str | None:
        """The code or name of the row with this key; None for none."""
        return None if key is None else self.labels[key]

    def presets(self, shot: Shot) -> str:
        """The shot's presets in its order."""
        return self._named(self.known.shot_presets.get(shot.pk, []))

    def presets_of_look(self, look: Look) -> str:
        """A look's presets in its order."""
        return self._named(self.known.look_presets.get(look.pk, []))

    def _named(self, keys: Iterable[UUID]) -> str:
        names = self.known.preset_names
        return ", ".join(names[key] for key in keys)

    def of_category(self, shot: Shot, category: str) -> str:
        """The shot's presets of one category."""
        rows = self.known.preset_rows
        used = (rows[key] for key in self.known.shot_presets.get(shot.pk, []))
        return ", ".join(preset.slug for preset in used if preset.category.slug == category)


def _fps(project: Project, _words: Words) -> Cell:
    rate = Fraction(project.fps_num, project.fps_den)
    return int(rate) if rate.denominator == 1 else f"{rate.numerator}/{rate.denominator}"


def _listed(values: list[str]) -> str:
    return ", ".join(values)


_SAID: Final[Mapping[tuple[str, str], _Say]] = {
    ("Project", "fps"): _fps,
    ("Sequences", "episode"): lambda row, words: words.label(row.episode_id),
    ("Characters", "default_costume"): lambda row, words: words.label(row.default_costume_id),
    ("Costumes", "character"): lambda row, words: words.characters[row.character_id],
    ("Loras", "character"): lambda row, words: words.characters[row.character_id],
    ("Loras", "trigger_words"): lambda row, words: _listed(row.trigger_words),
    ("Looks", "presets"): lambda row, words: words.presets_of_look(row),
    ("Shots", "sequence"): lambda row, words: row.sequence.code,
    ("Shots", "location"): lambda row, words: words.label(row.location_id),
    ("Shots", "status"): lambda row, words: row.studio_status_id or row.status_id,
    ("Shots", "presets"): lambda row, words: words.presets(row),
    ("Shots", "continuity_from"): lambda row, words: words.label(row.continuity_from_id),
    ("Shots", "assignees"): lambda row, words: _listed(words.known.assignees.get(row.pk, [])),
    ("Shots", "locked"): lambda row, words: row.locked_by,
    ("Shots", "retakes"): lambda row, words: row.retake_count,
    ("Casting", "shot"): lambda row, words: words.shots[row.shot_id],
    ("Casting", "character"): lambda row, words: words.characters[row.character_id],
    ("Casting", "costume"): lambda row, words: words.label(row.costume_id),
}


def cell_of(layout: Layout, column: str, row: BaseModel, words: Words) -> Cell:
    """What the cell of this column says of this row; None and "" are both an empty cell."""
    said = _SAID.get((layout.sheet, column))
    value: Cell = said(row, words) if said else getattr(row, column)
    return value


def rows_of(layout: Layout, words: Words) -> Iterator[BaseModel]:
    """A sheet's rows in the order people expect them."""
    return iter(_ROWS[layout.sheet](words))


def _shots(words: Words) -> list[Shot]:
    return sorted(
        words.known.shots.values(),
        key=lambda row: (row.sequence.order, row.sequence.code, row.order, row.code),
    )


def _by_character(words: Words, row: Costume | CharacterLora) -> tuple[str, str]:
    return words.characters[row.character_id], str(row)


def _casting(words: Words) -> list[ShotCharacter]:
    return [casting for shot in _shots(words) for casting in words.known.castings.get(shot.pk, {}).values()]


def _costumes(words: Words) -> list[Costume]:
    worn = (row for clothes in words.known.costumes.values() for row in clothes.values())
    return sorted(worn, key=lambda row: _by_character(words, row))


def _characters(words: Words) -> list[Character]:
    return [row for _code, row in sorted(words.known.characters.items())]


_ROWS: Final[Mapping[str, Callable[[Words], Any]]] = {
    PROJECT.sheet: lambda words: [words.project],
    EPISODES.sheet: lambda words: sorted(
        words.known.episodes.values(), key=lambda row: (row.order, row.code)
    ),
    SEQUENCES.sheet: lambda words: sorted(
        words.known.sequences.values(), key=lambda row: (row.order, row.code)
    ),
    CHARACTERS.sheet: _characters,
    COSTUMES.sheet: _costumes,
    LORAS.sheet: lambda words: sorted(words.known.loras.values(), key=lambda row: _by_character(words, row)),
    LOCATIONS.sheet: lambda words: [row for _code, row in sorted(words.known.locations.items())],
    LOOKS.sheet: lambda words: sorted(words.known.looks.values(), key=lambda row: (row.order, row.slug)),
    SHOTS.sheet: _shots,
    CASTING.sheet: _casting,
}
