"""Comma-separated values as spreadsheets write them: which letters, which separator."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from itertools import islice
from typing import Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.productions.importing.reader import LAST_ROW, MAX_COLUMNS, MAX_ROWS, Row, tidy

SEPARATORS: Final = (",", ";", "\t", "|")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_GUESSES: Final = ("utf-8", "cp949")
_MISREAD: Final = ("ï»¿", "癤")
"""What the mark of UTF-8 becomes where a program takes it for letters of Windows-1252, or of CP949."""
FEW: Final = 20
"""Of UTF-16 at least one byte in so many is 0: that of a separator, a digit, a line's end."""
LONGEST_CELL: Final = 1_000_000
"""Letters of a cell, more than anybody writes into one. Python keeps this limit for the whole process and all
its threads, so it is set once, here, and never by a reader at work."""
csv.field_size_limit(LONGEST_CELL)


def decoded(content: bytes, name: str) -> str:
    """Read bytes as text: by their mark, as UTF-8, as UTF-16 without a mark, as CP949 (EUC-KR and more).

    Raises Refused for what is no text, and for text whose letters another program has damaged.
    """
    text = _text(content, name)
    if text.lstrip('"').startswith(_MISREAD):
        told = _(
            "The letters of this file are damaged: a program opened it in another encoding than UTF-8 and "
            "saved it so. Open the original as UTF-8 (Unicode) and save it again."
        )
        raise _refused(name, told)
    return text


def _text(content: bytes, name: str) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strictly(content, encoding, name)
    if content.count(0) * FEW > len(content):
        little = content[1::2].count(0) > content[::2].count(0)
        return _strictly(content, "utf-16-le" if little else "utf-16-be", name)
    for encoding in _GUESSES:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise no_text(name)


def rows_of(text: str, name: str) -> list[Row]:
    """Read the rows of a CSV text, whatever separates its cells. Raises Refused for a damaged one."""
    told, _line, rest = text.partition("\n")
    if told.lower().startswith("sep=") and len(told.strip()) == 5:
        separator, text, before = told[4], rest, 1
    else:
        separator, before = _separator(text), 0
    rows: list[Row] = []
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        for number, cells in enumerate(lines, start=1 + before):
            read = tuple(tidy(cell) for cell in cells)
            if any(cell is not None for cell in read[MAX_COLUMNS:]):
                raise _refused(name, _("The sheet has more than 64 columns. Remove what is not needed."))
            if any(cell is not None for cell in read):
                rows.append(Row(number, read[:MAX_COLUMNS]))
            if len(rows) > MAX_ROWS + 1 or number > LAST_ROW:
                raise _refused(name, _("The sheet has more than 50 000 rows. Split the shot list."))
    except csv.Error as exc:
        told = _("The CSV is damaged near line %(line)d: a quote is not closed, or stands within a cell.")
        raise _refused(name, told % {"line": lines.line_num}) from exc
    return rows


def _separator(text: str) -> str:
    """The separator that cuts most of the first lines into equally many cells, and into most of them. A title
    above the headings may have none.
    """
    head = text[:65_536]

    def cut(separator: str) -> tuple[int, int]:
        try:
            lines = list(islice(csv.reader(io.StringIO(head, newline=""), delimiter=separator), 8))
        except csv.Error:
            return (0, 0)
        widths = Counter(len(cells) for cells in lines if len(cells) > 1)
        return max(((count, width) for width, count in widths.items()), default=(0, 0))

    return max(SEPARATORS, key=cut)


def _strictly(content: bytes, encoding: str, name: str) -> str:
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        raise no_text(name) from exc


def no_text(name: str) -> Refused:
    """Say that a file is none of the formats."""
    return _refused(
        name, _("This is no XLSX, CSV or JSON file. Save the list as one of them (CSV as UTF-8).")
    )


def _refused(name: str, message: str) -> Refused:
    return Refused(Problem("file", name, message, code="unreadable_workbook"))
