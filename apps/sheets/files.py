"""A file that somebody brings: what it is, is decided by its bytes; it comes out as sheets of plain rows."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.common.parsers import each_once
from apps.productions.importing.reader import (
    MAX_COLUMNS,
    MAX_ROWS,
    HeadingRow,
    Row,
    Sheet,
    read_workbook,
    sheet_of,
    tidy,
)
from apps.sheets.models import Format
from apps.sheets.texts import decoded, no_text, rows_of

MOST_BYTES: Final = 30 * 1024 * 1024
_ZIP: Final = b"PK\x03\x04"
_OTHERS: Final = (b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF")
"""How files begin that are no shot list: old Excel and Word, PDF, pictures, programs."""
_SUFFIXES: Final = {
    "xlsx": Format.XLSX,
    "xlsm": Format.XLSX,
    "csv": Format.CSV,
    "tsv": Format.CSV,
    "txt": Format.CSV,
    "json": Format.JSON,
}


@dataclass(frozen=True)
class Brought:
    """What a file holds: its format and its sheets, in order."""

    format: Format
    sheets: tuple[Sheet, ...]


def read_file(content: bytes, name: str, heading_row: HeadingRow | None = None) -> Brought:
    """Read an XLSX, CSV or JSON file. Raises Refused for what is none, too large, damaged, or misnamed."""
    if not content.strip():
        raise _refused(name, _("The file is empty. Choose a shot list."), "empty")
    if len(content) > MOST_BYTES:
        raise _refused(name, _("The file is larger than 30 MB. Split the shot list."), "too_large")
    zipped = content.startswith(_ZIP)
    if content.startswith(_OTHERS):
        raise no_text(name)
    text = "" if zipped else decoded(content, name)
    found = Format.XLSX if zipped else Format.JSON if text.lstrip()[:1] in ("{", "[") else Format.CSV
    _check_name(name, found)
    if zipped:
        _refuse_packed_lists(content, name)
        source = io.BytesIO(content)
        source.name = name
        contents = read_workbook(source, wanted=None, heading_row=heading_row)
        return Brought(found, tuple(contents.sheets.values()))
    if found is Format.JSON:
        return Brought(found, tuple(_json_sheets(text, name)))
    rows = rows_of(text, name)
    return Brought(found, (sheet_of(PurePosixPath(name).stem[:120] or "CSV", rows, heading_row or _first),))


def _refuse_packed_lists(content: bytes, name: str) -> None:
    """A ZIP that is no workbook, an export as CSV or another program's document, is no damaged one."""
    # A damaged one is told of, in words, by whoever reads the workbook.
    with suppress(zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError):
        inside = zipfile.ZipFile(io.BytesIO(content)).namelist()
        if "mimetype" in inside or any(one.endswith(".iwa") for one in inside):
            told = _("This is a document of OpenOffice or Numbers. Save or export it as .xlsx.")
            raise _refused(name, told, "unreadable_workbook")
        if "[Content_Types].xml" not in inside:
            told = _("This is a ZIP of other files, no workbook. Unpack it and bring its files one by one.")
            raise _refused(name, told, "unreadable_workbook")


def _first(_rows: Sequence[Row]) -> int:
    return 0


def _check_name(name: str, found: Format) -> None:
    """A name that says another format than the bytes is refused: no file passes for two things."""
    suffix = PurePosixPath(name).suffix.lower().lstrip(".")
    said = _SUFFIXES.get(suffix)
    if said is not None and said != found:
        told = _(
            "The name says .%(suffix)s but the content is %(kind)s. Save the file again under its own name."
        )
        raise _refused(name, told % {"suffix": suffix, "kind": found.label}, "wrong_extension")


def _json_sheets(text: str, name: str) -> list[Sheet]:
    try:
        document = json.loads(text, parse_constant=_no_number, object_pairs_hook=each_once)
    except (ValueError, RecursionError) as exc:
        told = _("The JSON cannot be read: %s.") % str(exc)[:120]
        raise _refused(name, told, "unreadable_workbook") from exc
    if isinstance(document, list):
        document = {PurePosixPath(name).stem[:120] or "JSON": document}
    sheets: dict[str, Sheet] = {}
    for title, rows in document.items():
        if isinstance(rows, dict):
            rows = [rows]  # noqa: PLW2901 - a sheet of one row may be written without its list
        if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
            sheet = _json_sheet(str(tidy(title) or "JSON")[:120], rows, name)
            if sheets.setdefault(sheet.name, sheet) is not sheet:
                told = _("Two lists of it have this name. Put their rows into one.")
                raise _refused(sheet.name, told, "unreadable_workbook")
        elif not str(title).startswith("_") and isinstance(rows, list):
            told = _("“%s” is no list of objects. Write each row as an object of column and value.")
            raise _refused(name, told % str(title)[:60], "unreadable_workbook")
    return list(sheets.values())


def _json_sheet(title: str, rows: list[dict[str, Any]], name: str) -> Sheet:
    if len(rows) > MAX_ROWS:
        raise _refused(title, _("The sheet has more than 50 000 rows. Split the shot list."), "too_large")
    names = list(dict.fromkeys(key for row in rows for key in row))
    if len(names) > MAX_COLUMNS:
        raise _refused(
            title, _("The sheet has more than 64 columns. Remove what is not needed."), "unreadable_workbook"
        )
    read = [
        Row(number, tuple(_json_cell(row.get(key)) for key in names))
        for number, row in enumerate(rows, start=2)
    ]
    filled = [row for row in read if any(cell is not None for cell in row.cells)]
    return sheet_of(title, [Row(1, tuple(tidy(name) for name in names)), *filled])


def _json_cell(value: Any) -> Any:
    if isinstance(value, list):
        return [tidy(one) for one in value if one is not None] or None
    return tidy(value)


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _refused(name: str, message: str, code: str) -> Refused:
    return Refused(Problem("file", name, message, code=code))
