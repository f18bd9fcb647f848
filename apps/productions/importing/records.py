"""From sheets to records: headings checked, every cell read, every fault noted with its address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from apps.common.errors import Problem
from apps.productions.importing.cells import Unreadable
from apps.productions.importing.layout import Column, Layout
from apps.productions.importing.reader import Fault, Row, Sheet

Key = tuple[str, ...]
LONGEST_VALUE: Final = 80


@dataclass(frozen=True)
class CellProblem(Problem):
    """What is wrong with one cell: in which sheet, row and column (by our name) it stands."""

    sheet: str = ""
    row: int = 0
    column: str = ""


@dataclass(frozen=True)
class Record:
    """One row, read: ``values`` by column name, without columns the sheet lacks and cells at fault.

    A row with a fault still makes a record, so that rows which point at it are not called wrong as well.
    ``required``: what a new row must say; ``faults``: columns that could not be read; ``kept``: columns whose
    cell is empty and leaves what is there.
    """

    sheet: str
    row: int
    key: Key
    values: Mapping[str, Any]
    letters: Mapping[str, str]
    required: tuple[str, ...] = ()
    faults: frozenset[str] = frozenset()
    kept: tuple[str, ...] = ()

    def at_fault(self, column: str) -> bool:
        """Whether this column's cell could not be read, which is told already."""
        return column in self.faults

    @property
    def where(self) -> str:
        """The row's address: Shots!12."""
        return f"{self.sheet}!{self.row}"

    def problem(self, column: str, value: object, message: str, *, code: str = "invalid") -> Problem:
        """Say what is wrong in one column of this row."""
        return CellProblem(
            _address(self.sheet, self.letters.get(column, ""), self.row, column),
            str(value)[:LONGEST_VALUE],
            message,
            code,
            sheet=self.sheet,
            row=self.row,
            column=column,
        )


def check_sheets(names: Iterable[str], layouts: Iterable[Layout], *, ignored: Iterable[str]) -> list[Problem]:
    """Name the sheets that are missing and those nobody would read."""
    found = tuple(names)
    known = [layout.sheet for layout in layouts]
    problems = [
        Problem(layout.sheet, "", _("The workbook has no such sheet. Add it."), "missing_sheet")
        for layout in layouts
        if layout.required and layout.sheet not in found
    ]
    for name in found:
        if name not in known and name not in ignored and not name.startswith("_"):
            told = _("Unknown sheet. Known are: %(known)s. Begin its name with _ to have it ignored.")
            problems.append(Problem(name, "", told % {"known": ", ".join(known)}, "unknown_sheet"))
    return problems


def read_records(sheet: Sheet, layout: Layout, problems: list[Problem]) -> list[Record]:
    """Read a sheet's rows; add what is wrong to ``problems``. Rows without a readable key are left out."""
    columns = _columns(sheet, layout, problems)
    missing = [c for c in layout.columns if c.must_be_filled and c.name not in columns]
    problems.extend(
        Problem(
            f"{layout.sheet} ({column.name})",
            "",
            _("The column is missing. Add the heading “%s” to the first row.") % column.name,
            "missing_column",
        )
        for column in missing
    )
    if any(column.key for column in missing):
        return []
    letters = {name: get_column_letter(index + 1) for name, index in columns.items()}
    return records_of(sheet, layout, columns, letters, problems)


def records_of(
    sheet: Sheet,
    layout: Layout,
    columns: Mapping[str, int],
    letters: Mapping[str, str],
    problems: list[Problem],
    *,
    keep_empty: bool = False,
) -> list[Record]:
    """Read the rows below known columns; see read_records.

    ``letters``: the columns' letters in the file. ``keep_empty``: an empty cell says nothing, instead of
    clearing what is there.
    """
    records: dict[Key, Record] = {}
    reading = _Reading(sheet.name, layout, columns, letters, problems, keep_empty)
    for row in sheet.rows:
        record = reading.record(row)
        if record is None:
            continue
        first = records.setdefault(record.key, record)
        if first is not record:
            told = _("The same is already in row %(row)d. Remove one of the two.") % {"row": first.row}
            last_key = [column.name for column in layout.columns if column.key][-1]
            problems.append(record.problem(last_key, " ".join(record.key), told, code="duplicate"))
    return list(records.values())


def _columns(sheet: Sheet, layout: Layout, problems: list[Problem]) -> dict[str, int]:
    """Find the layout's columns: name → index. Unknown and doubled headings are problems."""
    places: dict[str, int] = {}
    for index, heading in enumerate(sheet.headings):
        if not heading or heading.startswith("_"):
            continue
        field = _address(layout.sheet, get_column_letter(index + 1), 1, heading)
        if heading not in layout.by_name:
            problems.append(Problem(field, "", _unknown(heading, list(layout.by_name)), "unknown_column"))
        elif heading in places:
            told = _("The column is there twice. Remove one of the two.")
            problems.append(Problem(field, "", told, "duplicate_column"))
        else:
            places[heading] = index
    _refuse_unheaded(sheet, layout, problems)
    return places


def _refuse_unheaded(sheet: Sheet, layout: Layout, problems: list[Problem]) -> None:
    width = len(sheet.headings)
    for row in sheet.rows:
        for index, cell in enumerate(row.cells):
            if cell is not None and (index >= width or not sheet.headings[index]):
                field = f"{layout.sheet}!{get_column_letter(index + 1)}{row.number}"
                told = _("There is a value below an empty heading. Name the column or clear the cell.")
                problems.append(Problem(field, str(cell), told, "unknown_column"))
                return


@dataclass(frozen=True)
class _Reading:
    """One sheet being read."""

    sheet: str
    layout: Layout
    columns: Mapping[str, int]
    letters: Mapping[str, str]
    problems: list[Problem]
    keep_empty: bool

    def record(self, row: Row) -> Record | None:
        """Read a row; None if it has no readable key."""
        values: dict[str, Any] = {}
        faults: set[str] = set()
        kept: list[str] = []
        for name, index in self.columns.items():
            column = self.layout.by_name[name]
            cell = row.cells[index] if index < len(row.cells) else None
            if cell is None and self.keep_empty and not column.key:
                kept.append(name)
                continue
            try:
                values[name] = _value(cell, column)
            except Unreadable as exc:
                faults.add(name)
                self._tell(row, name, cell, str(exc))
        keys = [column.name for column in self.layout.columns if column.key]
        if any(key not in values for key in keys):
            return None
        needed = [column for column in self.layout.columns if column.required]
        needed = [column for column in needed if not (column.or_else and values.get(column.or_else))]
        for column in needed:
            if column.or_else and values.get(column.name) == "":
                del values[column.name]
                faults.add(column.name)
                self._tell(row, column.name, None, _("The cell is empty. Fill it."))
        required = tuple(column.name for column in needed)
        key = tuple(str(values[key]) for key in keys)
        return Record(
            self.sheet, row.number, key, values, self.letters, required, frozenset(faults), tuple(kept)
        )

    def _tell(self, row: Row, name: str, cell: Any, message: str) -> None:
        letter = self.letters.get(name, "")
        shown = cell.shown if isinstance(cell, Fault) else "" if cell is None else str(cell)
        self.problems.append(
            CellProblem(
                _address(self.sheet, letter, row.number, name),
                shown[:LONGEST_VALUE],
                message,
                "invalid",
                sheet=self.sheet,
                row=row.number,
                column=name,
            )
        )


def _value(cell: Any, column: Column) -> Any:
    if isinstance(cell, Fault):
        raise Unreadable(cell.message)
    if cell is not None:
        return column.read(cell)
    if column.must_be_filled:
        raise Unreadable(_("The cell is empty. Fill it."))
    return column.empty


def _unknown(heading: str, known: list[str]) -> str:
    close = get_close_matches(heading, known, n=1)
    if close:
        return _("Unknown column. Did you mean “%s”?") % close[0]
    return _("Unknown column. Known are: %(known)s. Begin its name with _ to have it ignored.") % {
        "known": ", ".join(known)
    }


def _address(sheet: str, letter: str, row: int, column: str) -> str:
    return f"{sheet}!{letter}{row} ({column})"
