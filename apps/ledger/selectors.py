"""Questions about what was changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model, QuerySet

from apps.ledger.documents import Document, document_of
from apps.ledger.models import Activity


@dataclass(frozen=True)
class Step:
    """A field between two versions: what it said first and last, who had the last word, and when."""

    field: str
    old: Any
    new: Any
    who: str
    at: datetime


def history_of(model: type[Model], key: Any) -> QuerySet[Activity]:
    """Everything that was done to one object, newest first."""
    return Activity.objects.filter(kind=document_of(model).kind, object_id=str(key))


def steps_since(document: Document, key: Any, version: int) -> list[Step]:
    """What was changed of an object after a version, field by field; a field that came back is left out."""
    later = Activity.objects.filter(kind=document.kind, object_id=str(key), version__gt=version)
    return merged(later.order_by("id"))


def merged(activities: Iterable[Activity]) -> list[Step]:
    """Make one step of all that was done to each field, oldest first."""
    steps: dict[str, Step] = {}
    for activity in activities:
        for name, (old, new) in activity.changes.items():
            first = steps[name].old if name in steps else old
            steps[name] = Step(name, first, new, activity.actor, activity.at)
    return [step for step in steps.values() if step.old != step.new]
