"""A project's plan as sheets of cells: which sheets, which columns, which rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.common.models import BaseModel
from apps.productions.importing import known as knowledge
from apps.productions.importing.cells import as_cell
from apps.productions.importing.layout import (
    CASTING,
    CHARACTERS,
    COSTUMES,
    EPISODES,
    LOCATIONS,
    LORAS,
    PLANNING,
    SEQUENCES,
    SHOTS,
    Layout,
)
from apps.productions.importing.written import Cell, Words, cell_of, rows_of
from apps.productions.models import Shot, ShotCharacter
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.sheets.columnwords import TECHNICAL
from apps.sheets.headings import targets, technical
from apps.sheets.models import Format
from apps.sheets.writing import WRITERS, Written


class Discipline(models.TextChoices):
    """Who the sheets are for."""

    WHOLE = "", _("the whole project")
    SHOTS = "shots", _("shots and casting")
    CHARACTERS = "characters", _("characters, costumes, LoRAs")
    LOCATIONS = "locations", _("locations")
    TECHNICAL = "technical", _("technical: a column for each category of presets")


_SHEETS: Final = {
    Discipline.WHOLE: PLANNING,
    Discipline.SHOTS: (EPISODES, SEQUENCES, SHOTS, CASTING),
    Discipline.CHARACTERS: (CHARACTERS, COSTUMES, LORAS),
    Discipline.LOCATIONS: (LOCATIONS,),
    Discipline.TECHNICAL: (),
}


@dataclass(frozen=True)
class Table:
    """One sheet to be written: its layout, and its rows as they are asked for."""

    layout: Layout
    rows: Callable[[], Iterator[list[Cell]]]


def export(
    project: Project,
    *,
    user: User,
    format: str = Format.XLSX,  # noqa: A002 - what callers and addresses call it
    discipline: str = Discipline.WHOLE,
    shots: Collection[UUID] | None = None,
) -> Written:
    """Write a project's plan as a file that an import reads back without changing anything.

    ``shots``: only these, with their casting. Raises NotAllowed; Refused where a text is longer than a
    spreadsheet's cell.
    """
    require(user, Act.VIEW, project)
    tables = tables_of(project, Discipline(discipline), shots)
    stem = "_".join(filter(None, (project.code, discipline or ("shots" if shots is not None else ""))))
    return WRITERS[Format(format)](stem, tables)


def tables_of(project: Project, discipline: Discipline, shots: Collection[UUID] | None) -> list[Table]:
    """The sheets of a discipline. A dozen queries, whatever the project's size."""
    words = Words(knowledge.load(project.pk), project)
    if discipline is Discipline.TECHNICAL:
        return [_technical_table(words, shots)]
    layouts = _SHEETS[discipline]
    if shots is not None:
        layouts = tuple(one for one in layouts if one in (SHOTS, CASTING)) or (SHOTS, CASTING)
    return [Table(layout, _rows(layout, words, shots)) for layout in layouts]


def _rows(layout: Layout, words: Words, shots: Collection[UUID] | None) -> Callable[[], Iterator[list[Cell]]]:
    columns = [column.name for column in layout.columns]

    def rows() -> Iterator[list[Cell]]:
        for row in rows_of(layout, words):
            if shots is None or _is_of(row, shots):
                yield [_plain(cell_of(layout, column, row, words)) for column in columns]

    return rows


def _is_of(row: BaseModel, shots: Collection[UUID]) -> bool:
    return (row.shot_id if isinstance(row, ShotCharacter) else row.pk) in shots


def _technical_table(words: Words, shots: Collection[UUID] | None) -> Table:
    categories = targets(words.project.pk).categories
    layout = technical(categories)

    def rows() -> Iterator[list[Cell]]:
        for row in rows_of(SHOTS, words):
            if isinstance(row, Shot) and (shots is None or row.pk in shots):
                yield [words.shots[row.pk], *(words.of_category(row, one) for one in categories)]

    return Table(layout, rows)


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return as_cell(cell) if isinstance(cell, str) else cell


__all__ = ["TECHNICAL", "Discipline", "Table", "export", "tables_of"]
