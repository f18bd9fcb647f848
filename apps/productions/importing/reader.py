"""Open a workbook and hand out its sheets as plain rows. The file is a stranger's: nothing in it is trusted.

openpyxl in read-only mode has traps, met in ooxml.py by driving its parser ourselves: a formula that was
never calculated reads as empty, a sheet may lie about its dimensions, merged and hidden cells are not told,
escaped letters stay escaped. Damaged files raise whatever the broken part raises (so it is translated once).
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import ParseError

from django.core.files.base import File
from django.utils.translation import gettext as _
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.exceptions import InvalidFileException

from apps.common.errors import Problem, Refused
from apps.productions.importing.ooxml import CellParser, open_workbook, paddings

MAX_BYTES: Final = 30 * 1024 * 1024
MAX_UNPACKED_BYTES: Final = 120 * 1024 * 1024
"""A workbook of 10 000 shots unpacks to about 20 MB; a bomb to gigabytes."""
MAX_ROWS: Final = 50_000
MAX_COLUMNS: Final = 64
LAST_ROW: Final = 1_048_576
"""Of any spreadsheet. A row that says it is a later one lies."""

SUBSTITUTE: Final = "\x1a"
"""What stands for NUL: a control character as well, so the cell is refused."""
MOST_EXACT: Final = 2**53
"""Beyond it a spreadsheet's number is no exact count."""
MOST_MERGED: Final = 1_000_000
"""Rows in all merged ranges together."""

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


class Zeros(int):
    """A whole number that its cell's format shows with leading zeros or as a code: 40 as 0040, or SH0040."""

    shown: str

    def __new__(cls, number: int, before: str, digits: int, after: str) -> Zeros:
        made = super().__new__(cls, number)
        made.shown = f"{before}{number:0{digits}}{after}"
        return made

    def __str__(self) -> str:
        return self.shown


@dataclass(frozen=True)
class Row:
    """One row that is not blank. ``number`` as the spreadsheet shows it; ``cells`` from column A on.

    A cell is None, a Fault, or what the workbook holds: text (trimmed, Unicode NFC), number, bool, date.
    """

    number: int
    cells: tuple[Any, ...]


@dataclass(frozen=True)
class Sheet:
    """A sheet: the heading row as text, and the rows below it.

    ``titles``: the headings as they are written. ``merged``: ranges whose first cell stands for all of them.
    ``hidden_rows``: the numbers of rows that a spreadsheet does not show; they are read like the others.
    """

    name: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    titles: tuple[str, ...] = ()
    merged: tuple[str, ...] = ()
    hidden: bool = False
    hidden_rows: tuple[int, ...] = ()


@dataclass(frozen=True)
class Contents:
    """A workbook: the names of all its sheets, and the sheets that were wanted, by name."""

    names: tuple[str, ...]
    sheets: Mapping[str, Sheet]


Padding = tuple[str, int, str]
"""What a cell's format puts before a whole number, how many digits it shows at least, what it puts behind."""
HeadingRow = Callable[[Sequence[Row]], int]
"""Says which of a sheet's rows holds its headings, as an index."""


def read_workbook(
    source: Path | BinaryIO | File[bytes],
    *,
    wanted: Container[str] | None,
    heading_row: HeadingRow | None = None,
) -> Contents:
    """Read the wanted sheets (None: all) of an XLSX workbook; Refused if it is none, too large, or damaged.

    Headings stand in the spreadsheet's first row, unless ``heading_row`` says otherwise.
    """
    name = str(source) if isinstance(source, Path) else str(getattr(source, "name", "") or "")
    content = _bytes_of(source, name)
    _refuse_bombs(content, name)
    try:
        workbook = open_workbook(content)
        if not workbook.worksheets:
            told = _("No sheet of it can be read. Save it as Excel Workbook (.xlsx), not as Strict Open XML.")
            raise _refused(name, told)
        return Contents(
            names=tuple(sheet.title for sheet in workbook.worksheets),
            sheets={
                sheet.title: _sheet(workbook, sheet, heading_row)
                for sheet in workbook.worksheets
                if wanted is None or sheet.title in wanted
            },
        )
    except _DAMAGED as exc:
        raise _refused(name, _("The workbook is damaged. Open it and save it again as .xlsx.")) from exc


def sheet_of(
    name: str,
    rows: Sequence[Row],
    heading_row: HeadingRow | None = None,
    *,
    merged: Sequence[str] = (),
    hidden: bool = False,
    hidden_rows: Sequence[int] = (),
) -> Sheet:
    """Make a sheet of its rows: which of them holds the headings, and what they say."""
    at = heading_row(rows) if heading_row and rows else 0
    if not rows or (heading_row is None and rows[0].number != 1):
        return Sheet(
            name, (), tuple(rows), merged=tuple(merged), hidden=hidden, hidden_rows=tuple(hidden_rows)
        )
    head = rows[at].cells
    return Sheet(
        name,
        tuple(heading(cell) for cell in head),
        tuple(rows[at + 1 :]),
        titles=tuple("" if cell is None or isinstance(cell, Fault) else str(cell) for cell in head),
        merged=tuple(merged),
        hidden=hidden,
        hidden_rows=tuple(hidden_rows),
    )


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


def _sheet(workbook: Any, sheet: Any, heading_row: HeadingRow | None) -> Sheet:
    with closing(sheet._get_source()) as source:
        parser = CellParser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=workbook.epoch,
            date_formats=workbook._date_formats,
            timedelta_formats=workbook._timedelta_formats,
        )
        rows = list(_rows(sheet.title, parser, paddings(workbook)))
    merged = [str(one.ref) for one in parser.merged_cells.mergeCell] if parser.merged_cells else []
    shown = {row.number for row in rows}
    hidden = [
        int(number) for number, row in parser.row_dimensions.items() if row.get("hidden") in ("1", "true")
    ]
    return sheet_of(
        sheet.title,
        _wide(_spread(rows, merged)),
        heading_row,
        merged=merged,
        hidden=sheet.sheet_state != "visible",
        hidden_rows=sorted(number for number in hidden if number in shown),
    )


def _rows(title: str, parser: CellParser, padded: Mapping[int, Padding]) -> Iterator[Row]:
    found = 0
    for number, cells in parser.parse():
        if number > LAST_ROW:
            told = _("The sheet claims more rows than a spreadsheet has. Save it again.")
            raise _refused(title, told)
        read: list[Any] = []
        for cell in cells:
            place, value = cell["column"], _cell(cell, padded)
            if value is None:
                continue
            if place > MAX_COLUMNS:
                raise _refused(title, _("The sheet has more than 64 columns. Remove what is not needed."))
            read += [None] * (place - len(read))
            read[place - 1] = value
        if read:
            found += number > 1
            yield Row(number, tuple(read))
        if found > MAX_ROWS:
            raise _refused(title, _("The sheet has more than 50 000 rows. Split the shot list."))


def _cell(cell: Mapping[str, Any], padded: Mapping[int, Padding]) -> Any:
    value, kind = cell["value"], cell["data_type"]
    if kind == "e":
        return Fault(
            str(value), _("The spreadsheet shows an error here. Mend the formula or type the value.")
        )
    if kind == "f":
        return Fault(
            str(value),
            _("A formula never calculated. Save the workbook in a spreadsheet, or type the value."),
        )
    if kind == "n" and isinstance(value, float) and value.is_integer() and abs(value) < MOST_EXACT:
        value = int(value)  # Google's sheets write 40.0 for every 40
    if kind == "n" and isinstance(value, int) and value >= 0 and (around := padded.get(cell["style_id"])):
        return Zeros(value, *around)
    return tidy(value)


def _spread(rows: list[Row], merged: Sequence[str]) -> list[Row]:
    """Give every cell of a merged range the value of its first; rows that are blank but for it stay blank."""
    if not merged:
        return rows
    cells = {row.number: list(row.cells) for row in rows}
    steps = 0
    for one in merged:
        left, top, right, bottom = (int(side or 0) for side in range_boundaries(one))
        steps += max(bottom - top, 0) + 1
        if steps > MOST_MERGED:
            raise ValueError("more merged cells than a list can have")
        if not left or left > MAX_COLUMNS or top not in cells:
            continue
        value = cells[top][left - 1] if left <= len(cells[top]) else None
        for number in range(top, min(bottom, top + MAX_ROWS) + 1) if value is not None else ():
            row = cells.get(number)
            if row is None:
                continue
            last = min(right, MAX_COLUMNS)
            row += [None] * (last - len(row))
            row[left - 1 : last] = [value] * (last - left + 1)
    return [Row(row.number, tuple(cells[row.number])) for row in rows]


def _wide(rows: list[Row]) -> list[Row]:
    """Rows of one width: a column has a place, be it without a heading."""
    width = max((len(row.cells) for row in rows), default=0)
    return [Row(row.number, (*row.cells, *(None,) * (width - len(row.cells)))) for row in rows]


def tidy(value: Any) -> Any:
    """Text as a cell holds it: trimmed, composed (NFC), lines ended by LF; None if that leaves nothing.

    What no database keeps (NUL, half a letter) is another letter from here on, so that it can be told.
    """
    if not isinstance(value, str):
        return value
    value = value.replace("\0", SUBSTITUTE)
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n").strip()
    return text or None


def heading(cell: Any) -> str:
    """A heading in the form that is compared: lower case, plain letters for full-width ones, words joined by
    underscores.
    """
    if isinstance(cell, Fault) or cell is None:
        return ""
    return "_".join(unicodedata.normalize("NFKC", str(cell)).casefold().split())


def _refused(name: str, message: str) -> Refused:
    return Refused(Problem("file", name, message, code="unreadable_workbook"))
