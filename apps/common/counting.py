"""Counting without counting everything: as far as somebody wants to know, and no further."""

from __future__ import annotations

from typing import Any

from django.db.models import IntegerField, Model, OuterRef, QuerySet, Subquery


class CountAtMost(Subquery):
    """How many rows of a set belong to the row in hand, counted up to ``most``: its cost is bounded.

    ``rows`` must be in the order of an index that begins with ``field``: without an order PostgreSQL may
    read the table instead, from its beginning, which ends soon only if the rows lie everywhere.
    """

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any], field: str, *, most: int) -> None:
        if not rows.ordered:
            raise ValueError("rows: give them the order of the index to count by")
        super().__init__(rows.filter(**{field: OuterRef("pk")}).values(field)[:most])


class CountOf(Subquery):
    """How many rows of a set belong to the row in hand: counted for the rows that are shown, no others."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()

    def __init__(self, rows: QuerySet[Any], field: str) -> None:
        super().__init__(rows.order_by().filter(**{field: OuterRef("pk")}).values(field))


def count_of(model: type[Model], name: str) -> CountOf:
    """How many rows point at a row of this model, by the name they have there: ("shots" of a project)."""
    relation: Any = model._meta.get_field(name)
    return CountOf(relation.related_model._default_manager.all(), relation.field.name)
