"""Tables as XLSX, CSV and JSON. No spreadsheet runs what stands in a cell; an import reads the same again."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from django.utils.translation import get_language
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from apps.common.errors import Problem, Refused
from apps.productions.importing.cells import escaped
from apps.productions.importing.layout import Column, Layout
from apps.productions.importing.ooxml import escaped_letters
from apps.productions.importing.reader import LAST_ROW
from apps.productions.importing.written import Cell
from apps.sheets.columnwords import WORDS
from apps.sheets.models import Format

LONGEST_CELL: Final = 32_767
"""Characters a spreadsheet's cell holds; what is longer it cuts off without a word."""
LONGEST_CHOICE: Final = 255
_WIDE: Final = frozenset(
    {"description", "description_ko", "dialogue", "notes", "prompt", "prompt_ko", "negative"}
)
_LISTS: Final = frozenset({"presets", "assignees", "trigger_words"})
_LIVE: Final = ("=", "+", "-", "@", "\t", "\r")


class Writable(Protocol):
    """A sheet to be written."""

    @property
    def layout(self) -> Layout:
        """Its columns."""

    @property
    def rows(self) -> Callable[[], Iterator[list[Cell]]]:
        """Its rows, cells in the order of the columns."""


@dataclass(frozen=True)
class Written:
    """A file to be handed over."""

    name: str
    media_type: str
    content: bytes


def label_of(column: str) -> str:
    """What people call a column, in the page's language."""
    english, korean, _others = WORDS.get(column, (column, column, ()))
    return korean if (get_language() or "en").startswith("ko") else english


def note_of(column: Column) -> str:
    """What stands beside a heading: what the column is, and what its cells may say."""
    told = [label_of(column.name)]
    if column.key:
        told.append(_("Names the row; never change it."))
    elif column.or_else:
        told.append(_("A new row must say it, or “%s”.") % column.or_else)
    elif column.required:
        told.append(_("A new row must say it."))
    if column.told_only:
        told.append(_("Only told: an import does not write it."))
    elif column.rule:
        told.append(column.rule)
    elif column.choices:
        told.append(_("Write one of: %s.") % ", ".join(column.choices))
    return "\n".join(told)


def to_xlsx(stem: str, tables: Sequence[Writable]) -> Written:
    """Write a workbook: a sheet each, headings frozen, with notes, and lists to choose from."""
    filled = [(table.layout, list(table.rows())) for table in tables]
    _refuse_long(filled)
    workbook = Workbook(write_only=True)
    for layout, rows in filled:
        _write_sheet(workbook, layout, rows)
    file = io.BytesIO()
    workbook.save(file)
    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return Written(f"{stem}.xlsx", media_type, file.getvalue())


def _refuse_long(filled: Sequence[tuple[Layout, list[list[Cell]]]]) -> None:
    for layout, rows in filled:
        for row in rows:
            for value, column in zip(row, layout.columns, strict=True):
                if isinstance(value, str) and len(value) > LONGEST_CELL - 1:
                    told = _(
                        "It is longer than a spreadsheet's cell (%d characters). Export CSV or JSON instead."
                    )
                    name = f"{layout.sheet}: {row[0]} {row[1]}"
                    raise Refused(Problem(column.name, name, told % LONGEST_CELL, code="too_long"))


def _write_sheet(workbook: Workbook, layout: Layout, rows: list[list[Cell]]) -> None:
    sheet: Any = workbook.create_sheet(layout.sheet)
    sheet.freeze_panes = "C2" if layout.sheet in ("Shots", "Casting") else "B2"
    for index, column in enumerate(layout.columns, start=1):
        letter = get_column_letter(index)
        sheet.column_dimensions[letter].width = 48 if column.name in _WIDE else max(12, len(column.name) + 3)
        listed = ",".join(column.choices)
        if column.choices and not column.told_only and len(listed) < LONGEST_CHOICE:
            choice = DataValidation(
                type="list", formula1=f'"{listed}"', allow_blank=not column.must_be_filled
            )
            choice.showErrorMessage = False  # an import reads other words for them as well
            choice.add(f"{letter}2:{letter}{LAST_ROW}")
            sheet.data_validations.append(choice)
    sheet.append([_head(sheet, column) for column in layout.columns])
    wrapped = Alignment(wrap_text=True, vertical="top")
    for row in rows:
        sheet.append(
            [_cell(sheet, value, column, wrapped) for value, column in zip(row, layout.columns, strict=True)]
        )


def _head(sheet: Any, column: Column) -> Any:
    head = WriteOnlyCell(sheet, value=column.name)
    head.font = Font(bold=True, color="FFFFFF")
    head.fill = PatternFill("solid", fgColor="7F7F7F" if column.told_only else "1F3A5F")
    note = Comment(note_of(column), "Shotfarm")
    note.width, note.height = 260, 110
    head.comment = note
    return head


def _cell(sheet: Any, value: Cell, column: Column, wrapped: Alignment) -> Any:
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        return value
    text = escaped_letters(escaped(value, typed=True))
    if not text.startswith((*_LIVE, "'", "#")) and column.name not in _WIDE:
        return text
    cell = WriteOnlyCell(sheet, value="")
    cell.value = text
    cell.data_type = "s"  # openpyxl takes what begins with = for a formula, and #REF! for an error
    if text.startswith(_LIVE):
        cell.quotePrefix = True
    if column.name in _WIDE:
        cell.alignment = wrapped
    return cell


def to_csv(stem: str, tables: Sequence[Writable]) -> Written:
    """Write CSV as spreadsheets open it: UTF-8 with its mark, commas. Several sheets: a ZIP of one each."""
    files = {table.layout.sheet: _csv(table) for table in tables}
    if len(files) == 1:
        (content,) = files.values()
        return Written(f"{stem}.csv", "text/csv; charset=utf-8", content)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for sheet, content in files.items():
            archive.writestr(f"{sheet}.csv", content)
    return Written(f"{stem}.zip", "application/zip", packed.getvalue())


def _csv(table: Writable) -> bytes:
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow([column.name for column in table.layout.columns])
    for row in table.rows():
        lines.writerow(
            ["" if cell is None else escaped(cell) if isinstance(cell, str) else cell for cell in row]
        )
    return text.getvalue().encode("utf-8-sig")


def to_json(stem: str, tables: Sequence[Writable]) -> Written:
    """Write JSON: sheet → its rows as objects of column and value; lists stay lists."""
    document = {table.layout.sheet.lower(): list(_objects(table)) for table in tables}
    content = json.dumps(document, ensure_ascii=False, indent=1).encode()
    return Written(f"{stem}.json", "application/json", content)


def _objects(table: Writable) -> Iterator[dict[str, Any]]:
    for row in table.rows():
        yield {
            column.name: _json_value(column.name, cell)
            for column, cell in zip(table.layout.columns, row, strict=True)
        }


def _json_value(column: str, cell: Cell) -> Any:
    if column in _LISTS and isinstance(cell, str):
        return [word.strip() for word in cell.split(",") if word.strip()]
    if isinstance(cell, str):
        return escaped(cell, typed=True)
    return cell


WRITERS: Final[Mapping[Format, Callable[[str, Sequence[Any]], Written]]] = {
    Format.XLSX: to_xlsx,
    Format.CSV: to_csv,
    Format.JSON: to_json,
}
