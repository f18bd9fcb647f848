"""A page of a long list: first the keys of its rows, by indexes alone, then those rows with all they show.

A database that sorts or skips a hundred thousand rows to show fifty should not join and reckon for each.
"""

from __future__ import annotations

from typing import Any, overload

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


class KeyedRows:
    """A query that is sliced in two steps; otherwise as the query it is made of."""

    def __init__(self, rows: QuerySet[Any]) -> None:
        self.rows = rows

    def count(self) -> int:
        """How many rows there are."""
        return self.rows.count()

    @overload
    def __getitem__(self, part: slice) -> list[Any]: ...
    @overload
    def __getitem__(self, part: int) -> Any: ...
    def __getitem__(self, part: slice | int) -> Any:
        if isinstance(part, int):
            return self.rows[part]
        keys = list(self.rows.values_list("pk", flat=True)[part])
        found = {row.pk: row for row in self.rows.filter(pk__in=keys).order_by()}
        return [found[key] for key in keys if key in found]  # one may have gone between the two


class KeyedPaginator(Paginator):  # type: ignore[type-arg]  # of whatever the list is of
    """Django's paginator, sliced in two steps."""

    def page(self, number: int | str) -> Page[Any]:
        number = self.validate_number(number)
        bottom = (number - 1) * self.per_page
        top = bottom + self.per_page
        if top + self.orphans >= self.count:
            top = self.count
        rows = KeyedRows(self.object_list) if isinstance(self.object_list, QuerySet) else self.object_list
        return Page(rows[bottom:top], number, self)
