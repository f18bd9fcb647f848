"""openpyxl's parser, driven by ourselves: of a workbook the cells are read, as the spreadsheet shows them.

What else stands in a sheet (filters, rules of colour, checks of what is typed, print settings) is passed
over: openpyxl knows less of it than spreadsheets write, and would call a whole workbook damaged for it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Generator, Iterator
from typing import Any, Final

from openpyxl.cell.text import Text
from openpyxl.packaging.manifest import Manifest
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.numbers import BUILTIN_FORMATS
from openpyxl.worksheet._reader import FORMULA_TAG, MERGE_TAG, ROW_TAG, VALUE_TAG, WorkSheetParser
from openpyxl.worksheet.merge import MergeCells
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

_STRING: Final = f"{{{SHEET_MAIN_NS}}}si"
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_LITERAL: Final = re.compile(r'"([^"]*)"|\\(.)|([- ])|\[[^\]]*\]|_.|\*.')
"""What a number format shows beside digits: quoted, escaped, bare; colours and gaps show nothing."""
_AROUND: Final = r'((?:"[^"]*"|\\.|[- ]|\[[^\]]*\]|_.|\*.)*)'
_PADDED: Final = re.compile(rf"{_AROUND}(0+){_AROUND}(?:;.*)?", re.DOTALL)


def open_workbook(content: bytes) -> Any:
    """Open a workbook to read its cells; raises whatever openpyxl raises for one that is damaged."""
    reader = _Reader(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    reader.read()
    return reader.wb


class _Reader(ExcelReader):
    """Reads no properties of the document, and texts with the letters that they escape."""

    package: Manifest

    def read_strings(self) -> None:
        part: Any = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]  # openpyxl types none
        if part is not None:
            with self.archive.open(part.PartName[1:]) as source:
                self.shared_strings = list(_strings(source))

    def read_properties(self) -> None:
        """Nobody asks for them."""

    def read_custom(self) -> None:
        """Nobody asks for them."""

    def read_theme(self) -> None:
        """Nobody asks for it."""


def _strings(source: Any) -> Iterator[str]:
    for _event, node in iterparse(source):
        if node.tag == _STRING:
            text: Any = Text.from_tree(node)
            yield unescaped(text.content)
            node.clear()


def unescaped(text: str) -> str:
    """Read the letters that a workbook escapes: ``_x000D_`` is a carriage return, ``_x005F_`` a bar."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def escaped_letters(text: str) -> str:
    """Write a text so that no spreadsheet takes ``_x000D_`` in it for one letter."""
    return _TO_ESCAPE.sub("_x005F_", text) if "_x" in text else text


class CellParser(WorkSheetParser):
    """Reads the rows of one sheet and which cells are merged; says where a formula has no value yet."""

    def parse(self) -> Generator[Any]:
        for _event, element in iterparse(self.source):
            if element.tag == ROW_TAG:
                row = self.parse_row(element)
                element.clear()
                yield row
            elif element.tag == MERGE_TAG:
                self.merged_cells = MergeCells.from_tree(element)

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and (formula := element.find(FORMULA_TAG)) is not None:
            if element.get("t") == "str" and element.find(VALUE_TAG) is not None:
                return cell  # calculated: its value is a text of nothing
            cell |= {"data_type": "f", "value": f"={formula.text or ''}"}
        elif cell["data_type"] == "s" and element.get("t") != "s" and cell["value"]:
            cell["value"] = unescaped(cell["value"])
        return cell


def paddings(workbook: Any) -> dict[int, tuple[str, int, str]]:
    """Which of the workbook's styles show a whole number with leading zeros or as a code: what stands before
    it, how many digits it has at least, and what stands behind it. ``"SH"0000`` shows 40 as SH0040.
    """
    custom = dict(enumerate(workbook._number_formats, start=164))
    formats = {
        index: custom.get(style.numFmtId) or BUILTIN_FORMATS.get(style.numFmtId, "")
        for index, style in enumerate(workbook._cell_styles)
    }
    return {index: found for index, code in formats.items() if (found := padding(code)) is not None}


def padding(code: str) -> tuple[str, int, str] | None:
    """What a number format puts around a whole number; None for one that shows it plainly or otherwise."""
    found = _PADDED.fullmatch(code)
    if found is None:
        return None
    before, after = (
        "".join(shown for part in _LITERAL.findall(around) for shown in part) for around in found.group(1, 3)
    )
    digits = len(found[2])
    return (before, digits, after) if digits > 1 or before.strip() else None
