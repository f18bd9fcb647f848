"""Open a workbook and hand out its sheets as plain rows. The file is a stranger's: nothing in it is trusted.

openpyxl in read-only mode has three traps, met here: a formula that was never calculated reads as
empty (so formulas are looked up in a second pass), a sheet may lie about its dimensions (so they are
reset), and damaged files raise whatever the broken part raises (so it is translated once).
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
import zlib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import ParseError

from django.core.files.base import File
from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from apps.common.errors import Problem, Refused

MAX_BYTES: Final = 30 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 120 * 1024 * 1024
"""A workbook of 10 000 shots unpacks to about 20 MB; a bomb to gigabytes."""
MAX_ROWS: Final = 50_000
MAX_COLUMNS: Final = 64
LAST_ROW: Final = 1_048_576
"""Of any spreadsheet. A row that says it is a later one makes openpyxl count blank rows to there."""

_DAMAGED = (
    OSError,  # "no valid workbook part": a zip of something else
    zipfile.BadZipFile,
    zlib.error,
    InvalidFileException,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
)


@dataclass(frozen=True)
class Fault:
    """A cell that holds no usable value, and why."""

    shown: str
    message: str


@dataclass(frozen=True)
class Row:
    """One row that is not blank. ``number`` as the spreadsheet shows it; ``cells`` from column A on.

    A cell is None, a Fault, or what the workbook holds: text (trimmed, Unicode NFC), number, bool, date.
    """

    number: int
    cells: tuple[Any, ...]


@dataclass(frozen=True)
class Sheet:
    """A sheet: the heading row as text, and the rows below it."""

    name: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Contents:
    """A workbook: the names of all its sheets, and the sheets that were wanted, by name."""

    names: tuple[str, ...]
    sheets: Mapping[str, Sheet]


def read_workbook(source: Path | BinaryIO | File[bytes], *, wanted: Container[str]) -> Contents:
    """Read the wanted sheets of an XLSX workbook; raise Refused if it is none, too large, or damaged."""
    name = str(source) if isinstance(source, Path) else str(getattr(source, "name", "") or "")
    content = _bytes_of(source, name)
    _refuse_bombs(content, name)
    try:
        values = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        formulas = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        pairs = list(zip(values.worksheets, formulas.worksheets, strict=True))
        return Contents(
            names=tuple(sheet.title for sheet, _twin in pairs),
            sheets={sheet.title: _sheet(sheet, twin) for sheet, twin in pairs if sheet.title in wanted},
        )
    except _DAMAGED as exc:
        raise _refused(name, _("The workbook is damaged. Open it and save it again as .xlsx.")) from exc


def _bytes_of(source: Path | BinaryIO | File[bytes], name: str) -> bytes:
    if isinstance(source, Path):
        try:
            with source.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as exc:
            raise _refused(name, _("The file cannot be read: %s.") % exc.strerror) from exc
    else:
        content = source.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _refused(name, _("The file is larger than 30 MB. Split the shot list."))
    return content


def _refuse_bombs(content: bytes, name: str) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as exc:
        raise _refused(name, _("This is not an XLSX workbook. Save the shot list as .xlsx.")) from exc
    if unpacked > MAX_UNPACKED_BYTES:
        raise _refused(name, _("The workbook unpacks to more than 120 MB. Split the shot list."))


def _sheet(sheet: Any, formula_sheet: Any) -> Sheet:
    sheet.reset_dimensions()
    formula_sheet.reset_dimensions()
    headings: tuple[str, ...] = ()
    rows: list[Row] = []
    pairs = zip_longest(sheet.iter_rows(), formula_sheet.iter_rows(), fillvalue=())
    for number, (cells, formula_cells) in enumerate(pairs, start=1):
        if number > LAST_ROW:
            told = _("The sheet claims more rows than a spreadsheet has. Save it again.")
            raise _refused(sheet.title, told)
        if any(getattr(cell, "value", None) is not None for cell in cells[MAX_COLUMNS:]):
            raise _refused(sheet.title, _("The sheet has more than 64 columns. Remove what is not needed."))
        read = tuple(_cells(cells[:MAX_COLUMNS], formula_cells[:MAX_COLUMNS]))
        if number == 1:
            headings = tuple(_heading(cell) for cell in read)
        elif any(cell is not None for cell in read):
            rows.append(Row(number, read))
        if len(rows) > MAX_ROWS:
            raise _refused(sheet.title, _("The sheet has more than 50 000 rows. Split the shot list."))
    return Sheet(sheet.title, headings, tuple(rows))


def _cells(cells: Any, formula_cells: Any) -> Iterator[Any]:
    for cell, formula_cell in zip_longest(cells, formula_cells):
        value = getattr(cell, "value", None)
        if getattr(cell, "data_type", "") == "e":
            yield Fault(
                str(value), _("The spreadsheet shows an error here. Mend the formula or type the value.")
            )
        elif value is None and getattr(formula_cell, "data_type", "") == "f":
            yield Fault(
                str(formula_cell.value),
                _("A formula never calculated. Save the workbook in a spreadsheet, or type the value."),
            )
        else:
            yield _tidy(value)


def _tidy(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n").strip()
    return text or None


def _heading(cell: Any) -> str:
    if isinstance(cell, Fault) or cell is None:
        return ""
    return "_".join(str(cell).casefold().split())


def _refused(name: str, message: str) -> Refused:
    return Refused(Problem("file", name, message, code="unreadable_workbook"))
