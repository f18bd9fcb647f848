"""A plan's cells, and addresses of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.productions.models import Setting, TimeOfDay, Weather
from apps.sheets.differing import CHANGED, ERROR, KEPT, NEW, SAME
from apps.sheets.headings import WORDS
from apps.sheets.writing import label_of

register = template.Library()

_KEYS: Final = frozenset({"sequence", "code", "shot", "character"})
_SPOKEN: Final[Mapping[str, Mapping[str, Any]]] = {
    "weather": dict(Weather.choices),
    "time_of_day": dict(TimeOfDay.choices),
    "setting": dict(Setting.choices),
}
"""Cells that hold a key, which people read in words."""
_NOTHING: Final = SafeString()


@register.simple_tag
def diff_cell(column: str, state: str, before: str, after: str, wrong: str) -> SafeString:
    """Show one cell: new in green, changed from what to what, at fault with what would be right.

    What names the row stands at its beginning and is not said again.
    """
    if column in _KEYS and state in (SAME, NEW):
        return _NOTHING
    if column in _SPOKEN:
        before, after = _SPOKEN[column].get(before, before), _SPOKEN[column].get(after, after)
    label = label_of(column) if column in WORDS else column
    column = column if label.casefold() == column else label
    if state == ERROR:
        return format_html(
            '<span class="sf-cell-error"><b>{}</b> {} <em>{}</em></span>', column, after or "–", wrong
        )
    if state == CHANGED:
        return format_html(
            '<span class="sf-cell-changed"><b>{}</b> <del>{}</del> → <ins>{}</ins></span>',
            column,
            before or "–",
            after or "–",
        )
    if state == NEW:
        new = '<span class="sf-cell-new"><b>{}</b> {}</span>'
        return format_html(new, column, after) if after else _NOTHING
    if state == KEPT:
        return (
            format_html('<span class="sf-cell-same"><b>{}</b> ({})</span>', column, before)
            if before
            else _NOTHING
        )
    return format_html('<span class="sf-cell-same"><b>{}</b> {}</span>', column, after) if after else _NOTHING


@register.simple_tag
def query(**parts: Any) -> str:
    """Write a query string of what is not empty."""
    return urlencode({name: value for name, value in parts.items() if value})
