"""A plan's cells, and addresses of its parts."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.sheets.differing import CHANGED, ERROR, KEPT, NEW, SAME
from apps.sheets.speaking import Words

register = template.Library()

_KEYS: Final = frozenset({"sequence", "code", "shot", "character"})
_NOTHING: Final = SafeString()


@register.simple_tag
def diff_cell(words: Words, column: str, state: str, before: str, after: str, wrong: str) -> SafeString:
    """Show one cell: new in green, changed from what to what, at fault with what would be right.

    What names the row stands at its beginning and is not said again. What is at fault is shown as it stands.
    """
    if column in _KEYS and state in (SAME, NEW):
        return _NOTHING
    if state != ERROR:
        before, after = words.value(column, before), words.value(column, after)
    column = words.column(column)
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
