"""Questions about what was changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Model, QuerySet

from apps.ledger.documents import Document, document_named, document_of
from apps.ledger.models import Activity, Batch

DELETED: Final = "deleted"


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


def values_at(activity: Activity) -> dict[str, Any] | None:
    """What an object said right after an activity: what it says now, taken back step by step; None if gone.

    Of an object that is gone by now, what it said when it went is where this begins.
    """
    document = document_named(activity.kind)
    if document is None or activity.verb == DELETED:
        return None
    key = document.model._meta.pk.to_python(activity.object_id)
    now = document.read([key]).get(key)
    values: dict[str, Any] = dict(now.values) if now else {}
    later = Activity.objects.filter(
        kind=activity.kind, object_id=activity.object_id, id__gt=activity.pk
    ).order_by("-id")
    for one in later.only("changes"):
        for name, (old, _new) in one.changes.items():
            values[name] = old
    return values


def taken_back_by(batch: Batch) -> Batch | None:
    """Return the batch that took this one back and was not taken back itself; None while it stands."""
    for other in batch.undone_by.order_by("-id"):
        if taken_back_by(other) is None:
            return other
    return None


def newest_batch(project: UUID | None, *, actor: str = "") -> Batch | None:
    """Return the last bulk change of a project (of one person's, if named) that stands."""
    rows = Batch.objects.filter(project=project).order_by("-id")
    if actor:
        rows = rows.filter(actor=actor)
    for batch in rows[:20]:
        if taken_back_by(batch) is None:
            return batch
    return None
