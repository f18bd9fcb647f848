"""A page of a long list: first the keys of its rows, by indexes alone, then those rows with all they show.

A database that sorts or skips a hundred thousand rows to show fifty should not join and reckon for each.
"""

from __future__ import annotations

from typing import Any, Final, overload

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

FAR_ON: Final = 1_000
"""Rows that no database minds to skip."""
FEW: Final = 1_000
"""Keys that are read at once of a list that was narrowed: whoever finds fewer has counted them."""


def repeats(rows: QuerySet[Any]) -> bool:
    """Whether a row may be found more than once: through a join with rows of which it has many."""
    joins = (getattr(join, "join_field", None) for join in rows.query.alias_map.values())
    return any(join is not None and (join.one_to_many or join.many_to_many) for join in joins)


class KeyedRows:
    """A query that is sliced in two steps; otherwise as the query it is made of."""

    def __init__(
        self, rows: QuerySet[Any], first: list[Any] | None = None, counted: int | None = None
    ) -> None:
        self.rows = rows
        self.first = first or []
        """The keys of the first rows, where somebody knows them already."""
        self.counted = counted
        """How many rows there are, where somebody knows."""

    def count(self) -> int:
        """How many rows there are."""
        self.counted = self.rows.count()
        return self.counted

    @overload
    def __getitem__(self, part: slice) -> list[Any]: ...
    @overload
    def __getitem__(self, part: int) -> Any: ...
    def __getitem__(self, part: slice | int) -> Any:
        if isinstance(part, int):
            return self.rows[part]
        keys = self._keys(part)
        found = {row.pk: row for row in self.rows.filter(pk__in=keys).order_by()}
        return [found[key] for key in keys if key in found]  # one may have gone between the two

    def _keys(self, part: slice) -> list[Any]:
        if part.stop is not None and part.stop <= len(self.first):
            return self.first[part]
        keys = self.rows.values_list("pk", flat=True)
        return self._from_the_end(keys, part) or list(keys[part])

    def _from_the_end(self, keys: QuerySet[Any], part: slice) -> list[Any]:
        """Read what lies behind the middle of a long list from its end, so that fewer rows are skipped.

        Nothing, where that would be no shorter, or where the end has moved since it was counted.
        """
        there = self.counted or 0
        if part.stop is None or not max(FAR_ON, there // 2) < part.start < there or not keys.ordered:
            return []
        return list(keys.reverse()[max(there - part.stop, 0) : there - part.start])[::-1]


class KeyedPaginator(Paginator):  # type: ignore[type-arg]  # of whatever the list is of
    """Django's paginator, sliced in two steps.

    ``begins``: the first page will be asked for. Its keys are read before anything is counted: whoever finds
    fewer rows than a page holds has counted them, and a table is not read twice for the little that is there.
    ``narrowed``: the list is of what was searched for or filtered, so that all of its rows are looked through
    anyway; more keys are read then.
    """

    begins = False
    narrowed = False

    def __init__(self, rows: Any, per_page: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(rows, per_page, *args, **kwargs)
        self._rows = rows if isinstance(rows, QuerySet) else None

    @cached_property
    def _first(self) -> list[Any]:
        """The keys of the first rows."""
        if self._rows is None or not self.begins:
            return []
        return list(self._rows.values_list("pk", flat=True)[: self._read_at_once])

    @property
    def _read_at_once(self) -> int:
        return max(self.per_page + 1, FEW if self.narrowed else 0)

    @cached_property
    def count(self) -> int:
        """How many rows there are."""
        few = self._rows is not None and self.begins and len(self._first) < self._read_at_once
        return len(self._first) if few else int(super().count)

    def everything(self) -> list[Any] | None:
        """Return the rows, if one page holds them all and their keys are known; else None."""
        if self._rows is None or not self.begins or self.count > self.per_page:
            return None
        return KeyedRows(self._rows, self._first)[0 : self.count] if self.count else []

    def page(self, number: int | str) -> Page[Any]:
        number = self.validate_number(number)
        bottom = (number - 1) * self.per_page
        top = bottom + self.per_page
        if top + self.orphans >= self.count:
            top = self.count
        rows: Any = self.object_list if self._rows is None else KeyedRows(self._rows, self._first, self.count)
        return Page(rows[bottom:top], number, self)
