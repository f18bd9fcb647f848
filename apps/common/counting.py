"""Counting without counting everything: as far as somebody wants to know, and no further."""

from __future__ import annotations

from typing import Any

from django.db.models import IntegerField, OuterRef, QuerySet, Subquery


class CountAtMost(Subquery):
    """How many rows of a set belong to the row in hand, counted up to ``most``: its cost is bounded.

    ``rows`` should be read from an index that begins with ``field``. The order of ``rows`` is dropped.
    """

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any], field: str, *, most: int) -> None:
        own = rows.order_by().filter(**{field: OuterRef("pk")}).values(field)
        super().__init__(own[:most])
