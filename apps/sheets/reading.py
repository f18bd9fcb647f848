"""From a file's tables to records: each column becomes what people say it is, each row what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from fractions import Fraction
from typing import Any, Final

from django.utils.translation import gettext as _
from openpyxl.utils import get_column_letter

from apps.common.errors import Problem
from apps.productions.importing.layout import PROJECT, SHOTS, Layout
from apps.productions.importing.reader import Fault, Row, Sheet
from apps.productions.importing.records import CellProblem, Record, records_of
from apps.sheets.columnwords import TECHNICAL
from apps.sheets.headings import IGNORED, SECONDS, SHOT, Targets, layout_of, technical
from apps.sheets.models import Format

_SECONDS: Final = re.compile(r"\d{1,7}(?:\.\d{1,9})?")
_TIME: Final = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):(\d{1,2})(?:[:;](\d{1,3})|\.(\d{1,6}))?")


@dataclass(frozen=True)
class TableMapping:
    """Which sheet of ours a table is ("" for none), and which column each of its columns is ("": ignored)."""

    sheet: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Options:
    """What people chose. ``create``: rows that are not there are made. ``clear``: empty cells empty what is
    there. ``sequence``: that of shots without one. ``left_out``: rows not to be taken, (table, row) each.
    """

    create: bool = False
    clear: bool = False
    sequence: str = ""
    left_out: frozenset[tuple[str, int]] = frozenset()


@dataclass
class Told:
    """What the tables say: sheet → records; what is wrong; and which rows were left out by hand."""

    records: dict[str, list[Record]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[tuple[str, Row]] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)


def read_tables(
    sheets: Sequence[Sheet],
    mapping: Mapping[str, TableMapping],
    known: Targets,
    options: Options,
    *,
    rate: Fraction,
    format_: str,
) -> Told:
    """Read the tables that are sheets of ours. ``rate``: frames per second, for durations in seconds."""
    told = Told()
    for sheet in sheets:
        of = mapping.get(sheet.name, TableMapping(IGNORED, ()))
        if of.sheet:
            _Table(sheet, of, known, options, rate, format_, told).read()
    return told


@dataclass(frozen=True)
class _Table:
    sheet: Sheet
    of: TableMapping
    known: Targets
    options: Options
    rate: Fraction
    format: str
    told: Told

    def read(self) -> None:
        name, left_out = self.sheet.name, self.options.left_out
        self.told.tables.append(name)
        self.told.left_out += [(name, row) for row in self.sheet.rows if (name, row.number) in left_out]
        kept = [row for row in self.sheet.rows if (name, row.number) not in left_out]
        places = {column: index for index, column in enumerate(self.of.columns) if column}
        self._tell_spilled(kept)
        if self.of.sheet == SHOTS.sheet:
            self._read_shots(kept, places)
            return
        layout = layout_of(self.of.sheet, self.known)
        places = {name: index for name, index in places.items() if name in layout.by_name}
        self._take(layout, self._sheet(kept), places)

    def _tell_spilled(self, kept: list[Row]) -> None:
        """A row of a CSV with more cells than there are headings was cut at a separator within a text."""
        if self.format != Format.CSV:
            return
        name, width = self.sheet.name, len(self.sheet.headings)
        last = next((column for column in reversed(self.of.columns) if column), "")
        told = _("This row has more cells than headings. Put texts with separators in them into quotes.")
        for row in kept:
            for index, cell in enumerate(row.cells[width:], start=width + 1):
                if cell is not None:
                    field = f"{name}!{get_column_letter(index)}{row.number}"
                    problem = CellProblem(
                        field, str(cell)[:80], told, "spilled", sheet=name, row=row.number, column=last
                    )
                    self.told.problems.append(problem)
                    break

    def _read_shots(self, kept: list[Row], places: dict[str, int]) -> None:
        categories = {
            name: index
            for name, index in places.items()
            if name in self.known.categories and name not in SHOTS.by_name
        }
        derived, own = _Derived(self.of.columns, self.options.sequence, self.rate), dict(places)
        rows = [Row(row.number, (*self._padded(row), *derived.cells(row))) for row in kept]
        width = len(self.sheet.headings)
        for offset, name in enumerate(derived.names):
            own[name] = width + offset
        own = {name: index for name, index in own.items() if name in SHOTS.by_name}
        self._take(SHOTS, self._sheet(rows), own)
        if categories:
            named = [Row(row.number, (*row.cells, derived.full_code(row.cells, own))) for row in rows]
            layout = technical(categories)
            self._take(layout, self._sheet(named), categories | {SHOT: width + len(derived.names)})

    def _padded(self, row: Row) -> tuple[Any, ...]:
        width = len(self.sheet.headings)
        return (*row.cells[:width], *(None,) * (width - len(row.cells)))

    def _sheet(self, rows: list[Row]) -> Sheet:
        return Sheet(self.sheet.name, self.sheet.headings, tuple(rows))

    def _take(self, layout: Layout, sheet: Sheet, places: Mapping[str, int]) -> None:
        missing = [column.name for column in layout.columns if column.key and column.name not in places]
        if missing and (sheet.rows or sheet.headings):  # a list of nothing in JSON has no columns
            told = _("No column is “%s”, which names the rows. Choose the column that says it.")
            for name in missing:
                self.told.problems.append(Problem(sheet.name, "", told % name, code="missing_column"))
            return
        letters = self._letters(layout, places)
        told_only = {column.name for column in layout.columns if column.told_only}
        read = {name: index for name, index in places.items() if name not in told_only}
        found = records_of(
            sheet, layout, read, letters, self.told.problems, keep_empty=not self.options.clear
        )
        self._refuse_twice(layout, found)
        self.told.records.setdefault(layout.sheet, []).extend(found)

    def _refuse_twice(self, layout: Layout, found: list[Record]) -> None:
        """What another table of the file says already."""
        before = {record.key: record for record in self.told.records.get(layout.sheet, ())}
        last_key = [column.name for column in layout.columns if column.key][-1]
        for record in found:
            if (first := before.get(record.key)) is not None:
                told = _("The same is already in %(where)s. Remove one of the two.") % {"where": first.where}
                self.told.problems.append(
                    record.problem(last_key, " ".join(record.key), told, code="duplicate")
                )

    def _letters(self, layout: Layout, places: Mapping[str, int]) -> dict[str, str]:
        """The letters of the file's own columns; a derived one has that of what it comes from."""
        if self.format == Format.JSON:
            return {}
        width = len(self.sheet.headings)
        source = {name: index for index, name in enumerate(self.of.columns) if name}
        comes_from = {"sequence": SHOT, "code": SHOT, "frames": SECONDS, "shot": SHOT}
        letters = {}
        for name, index in places.items():
            own = index if index < width else source.get(comes_from.get(name, ""), source.get("code"))
            if own is not None:
                letters[name] = get_column_letter(own + 1)
        return letters


class _Derived:
    """Cells of a shot's row that follow from others: codes from the full code, frames from seconds."""

    def __init__(self, columns: Sequence[str], sequence: str, rate: Fraction) -> None:
        self._place = {name: index for index, name in enumerate(columns) if name}
        self._sequence = sequence
        self._rate = rate
        self.names: tuple[str, ...] = ()
        if SHOT in self._place or "sequence" not in self._place:
            self.names += ("sequence",)
        if "code" not in self._place and SHOT in self._place:
            self.names += ("code",)
        if SECONDS in self._place and "frames" not in self._place:
            self.names += ("frames",)

    def cells(self, row: Row) -> tuple[Any, ...]:
        """The derived cells of a row, in the order of ``names``."""
        sequence, code = self._codes(row)
        said = {"sequence": sequence, "code": code, "frames": self._frames(self._cell(row, SECONDS))}
        return tuple(said[name] for name in self.names)

    def full_code(self, cells: Sequence[Any], places: Mapping[str, int]) -> Any:
        """The row's full code, once its own cells and the derived ones stand side by side."""
        parts = [cells[places[name]] if name in places else None for name in ("sequence", "code")]
        if any(isinstance(part, Fault) or part is None for part in parts):
            return None
        return "_".join(str(part).removeprefix("'").strip() for part in parts)

    def _cell(self, row: Row, name: str) -> Any:
        index = self._place.get(name)
        return row.cells[index] if index is not None and index < len(row.cells) else None

    def _codes(self, row: Row) -> tuple[Any, Any]:
        """Sequence and code: SQ010_SH0040 says both, SH0040 is one of the sequence that was chosen."""
        sequence = self._cell(row, "sequence") or self._sequence or None
        told = self._cell(row, SHOT)
        if told is None or isinstance(told, Fault):
            return sequence, told
        written = str(told).removeprefix("'").strip()
        before, joined, after = written.partition("_")
        if joined:
            return before, after
        if sequence is None:
            remedy = _("Write sequence and shot, such as SQ010_SH0040, or choose the sequence of such rows.")
            return Fault(written, remedy), written
        return sequence, written

    def _frames(self, value: Any) -> Any:
        if value is None or isinstance(value, Fault):
            return value
        seconds = seconds_of(value, self._rate)
        if seconds is None:
            return Fault(str(value), _("Write seconds, such as 4.5, or a timecode such as 00:00:04:12."))
        return round(seconds * self._rate)


def seconds_of(value: Any, rate: Fraction) -> Fraction | None:
    """Read a duration: seconds, a time of day that is meant as one, MM:SS, HH:MM:SS:FF; None for neither."""
    if isinstance(value, bool):
        return None
    if isinstance(value, timedelta):
        return Fraction(value / timedelta(microseconds=1)) / 1_000_000
    if isinstance(value, datetime):
        value = value.time()
    if isinstance(value, time):
        of_day = value.hour * 3600 + value.minute * 60 + value.second
        return Fraction(of_day) + Fraction(value.microsecond, 1_000_000)
    text = str(int(value)) if isinstance(value, int) else str(value).removeprefix("'").strip()
    if found := _TIME.fullmatch(text):
        hours, minutes, whole, frames, part = found.groups()
        seconds = Fraction(int(hours or 0) * 3600 + int(minutes) * 60 + int(whole))
        if frames:
            seconds += Fraction(int(frames)) / rate
        return seconds + Fraction(f"0.{part}") if part else seconds
    return Fraction(text) if _SECONDS.fullmatch(text) else None


def the_project(told: Told, code: str) -> Record | None:
    """The row about the project itself. A row about another project is a problem."""
    rows = told.records.get(PROJECT.sheet, [])
    for row in rows:
        if row.key[0] != code:
            message = _(
                "This file describes another project than %s. Leave this row out, or open that project."
            )
            told.problems.append(row.problem("code", row.key[0], message % code, code="other_project"))
    return rows[0] if rows and rows[0].key[0] == code else None


__all__ = ["TECHNICAL", "Options", "TableMapping", "Told", "read_tables", "seconds_of", "the_project"]
