"""What a plan says, to be read."""

from __future__ import annotations

from typing import Final

from django.db.models import Count, QuerySet

from apps.sheets.models import ImportBatch, ImportRow, Outcome

ONLY: Final = {
    "changes": (Outcome.NEW, Outcome.CHANGED, Outcome.REMOVED),
    "errors": (Outcome.ERROR,),
    **{outcome.value: (outcome,) for outcome in Outcome},
}
"""Words for a part of the rows."""


def plan_rows(batch: ImportBatch, *, only: str = "", sheet: str = "") -> QuerySet[ImportRow]:
    """A plan's rows in the file's order. ``only``: "changes", "errors", or an outcome; "" for all."""
    rows = ImportRow.objects.filter(batch=batch).order_by("position")
    if only in ONLY:
        rows = rows.filter(outcome__in=ONLY[only])
    return rows.filter(sheet=sheet) if sheet else rows


def tallies(batch: ImportBatch) -> list[dict[str, object]]:
    """How many rows of each table have which outcome, in the file's order; one query."""
    counted: dict[str, dict[str, int]] = {}
    rows = ImportRow.objects.filter(batch=batch).order_by("sheet", "outcome")
    for sheet, outcome, count in rows.values_list("sheet", "outcome").annotate(count=Count("pk")):
        counted.setdefault(sheet, {})[outcome] = count
    order = {table["name"]: place for place, table in enumerate(batch.tables)}
    return [
        {
            "sheet": sheet,
            "outcomes": [(outcome, outcome.label, found[outcome]) for outcome in Outcome if outcome in found],
        }
        for sheet, found in sorted(counted.items(), key=lambda one: order.get(one[0], len(order)))
    ]
