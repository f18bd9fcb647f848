"""Activity as pages show it: newest first, a page at a time by key, each field with what differs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.admin import site
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from apps.ledger import words
from apps.ledger.documents import document_named
from apps.ledger.models import Activity

PAGE: Final = 50
MOST_FIELDS: Final = 12
"""Fields of one activity that a list shows; its object's history shows all."""


@dataclass(frozen=True)
class Told:
    """One activity in words. ``page``: name of the object's page, "" if such objects have none."""

    row: Activity
    verb: str
    kind: str
    fields: list[tuple[str, SafeString]]
    more: int
    page: str


@dataclass(frozen=True)
class Slice:
    """A page of activity; ``before`` leads to the next one, None on the last."""

    rows: list[Told]
    before: int | None


def sliced(rows: QuerySet[Activity], before: str, *, at_most: int = 0) -> Slice:
    """Return the page of activity that comes before a key ("" for the newest): one query, wherever it is."""
    if before.isascii() and before.isdecimal() and len(before) < 19:
        rows = rows.filter(id__lt=int(before))
    found = list(rows.select_related("batch").order_by("-id")[: PAGE + 1])
    more = found[PAGE - 1].pk if len(found) > PAGE else None
    return Slice(told(found[:PAGE], at_most=at_most), more)


def told(rows: Iterable[Activity], *, at_most: int = 0) -> list[Told]:
    """Put activity into words; ``at_most`` so many fields of each (0: all)."""
    names = words.Names()
    return [_told(row, at_most or len(row.changes), names) for row in rows]


def _told(row: Activity, at_most: int, names: words.Names) -> Told:
    shown = list(row.changes.items())[:at_most]
    return Told(
        row=row,
        verb=words.verb_text(row.verb),
        kind=words.kind_text(row.kind),
        fields=[
            (words.field_text(row.kind, name), words.diff(row.kind, name, *_pair(change), names))
            for name, change in shown
        ],
        more=len(row.changes) - len(shown),
        page=_page(row.kind),
    )


def _page(kind: str) -> str:
    document = document_named(kind)
    if document is None or not site.is_registered(document.model):
        return ""
    return f"admin:{document.model._meta.app_label}_{document.model._meta.model_name}_history"


def _pair(change: Any) -> tuple[Any, Any]:
    old, new = change
    return old, new
