"""The table of columns in docs/spreadsheets.md, made of what the code reads and writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import translation

from apps.productions.importing.layout import PLANNING, Column, Layout
from apps.sheets.columnwords import WORDS

PAGE: Final = Path(settings.BASE_DIR) / "docs" / "spreadsheets.md"


def columns_table() -> str:
    """A line for each column of each sheet: its names, and what its cells may say."""
    with translation.override("en"):
        return "\n".join(line for layout in PLANNING for line in _sheet(layout))


def _sheet(layout: Layout) -> Iterator[str]:
    yield f"### {layout.sheet}\n"
    yield "| Column | English | Korean | Also read as | A cell says |"
    yield "|---|---|---|---|---|"
    yield from (_line(column) for column in layout.columns)
    yield ""


def _line(column: Column) -> str:
    english, korean, others = WORDS[column.name]
    return f"| `{column.name}` | {english} | {korean} | {', '.join(others)} | {_says(column)} |"


def _says(column: Column) -> str:
    told = []
    if column.key:
        told.append("names the row")
    if column.required:
        told.append("a new row must say it" + (f", or `{column.or_else}`" if column.or_else else ""))
    if column.told_only:
        told.append("only told, never written")
    if column.rule:
        told.append(column.rule)
    elif column.choices:
        told.append(f"one of: {', '.join(column.choices)}")
    return "; ".join(told) or "text"
