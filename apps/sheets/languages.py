"""Which field a Korean heading means: that of a text, or its Korean twin. What stands below it decides.

Above a column 설명 says "description" and nothing of the language. Below it a studio that plans in Korean
writes Korean, and that belongs into the Korean description: from there Korean pages and prompts take it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import islice
from typing import Final

from apps.productions.importing.layout import Layout
from apps.productions.importing.reader import Sheet

LOOKED_AT: Final = 50
"""Cells that say in which language a column is."""
_HANGUL: Final = re.compile("[가-힣]")


def by_language(columns: Sequence[str], sheet: Sheet, layout: Layout) -> tuple[str, ...]:
    """The columns, with the Korean twin where heading and texts are Korean, unless another column is it."""
    return tuple(
        f"{column}_ko" if _has_twin(column, columns, layout) and _is_korean(place, sheet) else column
        for place, column in enumerate(columns)
    )


def _has_twin(column: str, columns: Collection[str], layout: Layout) -> bool:
    known, twin = layout.by_name, f"{column}_ko"
    return column in known and not known[column].must_be_filled and twin in known and twin not in columns


def _is_korean(place: int, sheet: Sheet) -> bool:
    if not _HANGUL.search(sheet.headings[place]):
        return False
    cells = (row.cells[place] for row in sheet.rows if place < len(row.cells))
    texts = list(islice((cell for cell in cells if isinstance(cell, str) and cell.strip()), LOOKED_AT))
    return sum(_HANGUL.search(text) is not None for text in texts) * 2 > len(texts)
