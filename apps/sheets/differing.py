"""What a plan says, row by row and cell by cell, as people read it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

from apps.common.errors import Problem
from apps.productions.importing.changes import Change, Plan
from apps.productions.importing.known import Known
from apps.productions.importing.reader import Fault
from apps.productions.importing.records import CellProblem, Record
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.sheets.columnwords import TECHNICAL
from apps.sheets.models import Outcome
from apps.sheets.reading import Told

LONGEST: Final = 400
"""Characters of a cell that a page shows."""

NEW, CHANGED, SAME, ERROR, KEPT = "new", "changed", "same", "error", "kept"
"""States of a cell. Kept: it is empty, and what is there stays."""

Cell = list[str]
"""Column, state, before, after, what is wrong."""


@dataclass
class RowPlan:
    """What would become of one row of the file."""

    sheet: str
    row: int
    what: str = ""
    outcome: Outcome = Outcome.SAME
    cells: list[Cell] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    kept: int = 0
    cleared: int = 0
    places: dict[str, int] = field(default_factory=dict)

    def take(self, cell: Cell) -> None:
        """Put a cell in; a fault of the same column stands in its place."""
        index = self.places.setdefault(cell[0], len(self.cells))
        if index == len(self.cells):
            self.cells.append(cell)
        else:
            self.cells[index] = [cell[0], cell[1], self.cells[index][2], cell[3], cell[4]]


@dataclass(frozen=True)
class Differences:
    """A plan as rows, in the file's order, and the problems that belong to no row of it."""

    rows: list[RowPlan]
    problems: list[Problem]
    counts: dict[str, int]


def differences(plan: Plan, told: Told, known: Known, left_out: Iterable[Change[Any]]) -> Differences:
    """Say what would become of every row. ``left_out``: what is new and is not to be made."""
    labels: Mapping[UUID, str] = known.labels()
    rows: dict[tuple[str, int], RowPlan] = {}
    for records in told.records.values():
        for record in filter(_stands_in_file, records):
            row = rows.setdefault((record.sheet, record.row), RowPlan(record.sheet, record.row))
            row.what = row.what or " ".join(record.key)[:200]
    for change in plan.all_changes:
        if _stands_in_file(change.record):
            _add_change(rows[change.record.sheet, change.record.row], change, labels)
    _add_technical(rows, [*plan.changes, *left_out], told, known, labels)
    for change in (one for one in left_out if _stands_in_file(one.record)):
        row = rows[change.record.sheet, change.record.row]
        _add_change(row, change, labels)
        row.outcome = Outcome.LEFT_OUT
    for sheet, raw in told.left_out:
        shown = [str(cell) for cell in raw.cells if cell is not None and not isinstance(cell, Fault)]
        rows[sheet, raw.number] = RowPlan(sheet, raw.number, " ".join(shown[:2])[:200], Outcome.LEFT_OUT)
    others = list(_add_problems(rows, [*told.problems, *plan.problems]))
    order = {name: place for place, name in enumerate(told.tables)}
    listed = sorted(rows.values(), key=lambda row: (order.get(row.sheet, len(order)), row.row))
    listed = [*_implied(plan.changes, Outcome.NEW), *_implied(left_out, Outcome.LEFT_OUT), *listed]
    listed += _removed(plan, known)
    return Differences(listed, others, _counts(listed, others))


def _stands_in_file(record: Record) -> bool:
    """Whether a record has a row: the project may have none, and a sequence that only shots name."""
    return record.row > 0


def _implied(changes: Iterable[Change[Any]], outcome: Outcome) -> Iterator[RowPlan]:
    """What would be made because rows name it."""
    for change in changes:
        if not _stands_in_file(change.record):
            row = RowPlan(change.record.sheet, change.record.row, " ".join(change.record.key))
            for column, value in change.record.values.items():
                row.take([column, NEW, "", str(value), ""])
            row.outcome = outcome
            yield row


def _add_change(row: RowPlan, change: Change[Any], labels: Mapping[UUID, str]) -> None:
    if not change.new:
        row.versions[str(change.row.pk)] = change.row.row_version
    for column, value in change.record.values.items():
        cell = _cell(change, column, value, labels)
        row.take(cell)
        row.cleared += cell[1] == CHANGED and bool(cell[2]) and not cell[3]
    for column in change.record.kept:
        before = _now(change.row, column, labels)
        row.kept += bool(before) and not change.new
        row.take([column, KEPT, before, "", ""])
    if change.new:
        row.outcome = Outcome.NEW
    elif change.changed and row.outcome != Outcome.NEW:
        row.outcome = Outcome.CHANGED


def _add_technical(
    rows: dict[tuple[str, int], RowPlan],
    changes: Iterable[Change[Any]],
    told: Told,
    known: Known,
    labels: Mapping[UUID, str],
) -> None:
    """Columns of preset categories in a row that says more of its shot: the change is that of the shot."""
    by_shot = {change.row.pk: change for change in changes if isinstance(change.row, Shot)}
    for record in told.records.get(TECHNICAL, ()):
        shot = known.shots.get(record.values["shot"])
        change = by_shot.get(shot.pk) if shot else None
        if change is None or change.record is record:
            continue
        row = rows[record.sheet, record.row]
        for column, value in record.values.items():
            if column != "shot":
                row.take(_cell(change, column, value, labels))
        if change.said.keys() & record.values.keys() and row.outcome == Outcome.SAME:
            row.outcome = Outcome.CHANGED


def _cell(change: Change[Any], column: str, value: Any, labels: Mapping[UUID, str]) -> Cell:
    after = shown(value, labels)
    if change.new:
        return [column, NEW, "", after, ""]
    if column in change.said:
        before, after = change.said[column]
        return [column, CHANGED, before[:LONGEST], after[:LONGEST], ""]
    if column == "fps" and change.before.keys() & {"fps_num", "fps_den"}:
        known = [change.before.get(name, getattr(change.row, name)) for name in ("fps_num", "fps_den")]
        return [column, CHANGED, shown(Fraction(*known), labels), after, ""]
    for attribute in (column, f"{column}_id"):
        if attribute in change.before:
            now = shown(getattr(change.row, attribute), labels)
            return [column, CHANGED, shown(change.before[attribute], labels), now, ""]
    return [column, SAME, "", after, ""]


def _now(row: Any, column: str, labels: Mapping[UUID, str]) -> str:
    """What the database says, for a cell that leaves it."""
    for attribute in (f"{column}_id", column):
        value = getattr(row, attribute, None)
        if value is not None and isinstance(value, str | int | float | bool | UUID | list):
            return shown(value, labels)
    return ""


def shown(value: Any, labels: Mapping[UUID, str]) -> str:
    """Write a value as a cell shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))[:LONGEST]
    if isinstance(value, UUID):
        return labels.get(value, "")
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)[:LONGEST]


def _add_problems(rows: dict[tuple[str, int], RowPlan], problems: Iterable[Problem]) -> Iterator[Problem]:
    for problem in problems:
        if not isinstance(problem, CellProblem):
            yield problem
            continue
        row = rows.setdefault((problem.sheet, problem.row), RowPlan(problem.sheet, problem.row))
        if row.outcome == Outcome.LEFT_OUT:
            continue
        row.outcome = Outcome.ERROR
        row.take([problem.column, ERROR, "", problem.value, f"{problem.field}: {problem.message}"])


def _removed(plan: Plan, known: Known) -> list[RowPlan]:
    shots = {shot.pk: code for code, shot in known.shots.items()}
    characters = {row.pk: code for code, row in known.characters.items()}
    return [
        RowPlan(
            "Casting",
            0,
            f"{shots[casting.shot_id]} {characters[casting.character_id]}",
            Outcome.REMOVED,
            versions={str(casting.pk): casting.row_version},
        )
        for casting in plan.castings_gone
    ]


def _counts(rows: list[RowPlan], others: list[Problem]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        counts[row.outcome.value] += 1
        counts["kept_cells"] += row.kept
        counts["cleared_cells"] += row.cleared
    counts["rows"] = len(rows)
    counts["problems"] = len(others) + sum(cell[1] == ERROR for row in rows for cell in row.cells)
    return dict(counts)


def nothing_said(project: Project) -> Change[Project]:
    """A project that the file says nothing of."""
    return Change(Record("Project", 0, (project.code,), {}, {}), project, new=False)
