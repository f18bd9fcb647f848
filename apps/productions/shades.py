"""A shot goes from one shade of its status to another: the state's own row, or a row of the studio's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.common.models import StateEvent
from apps.productions.models import Shot, ShotStatus
from apps.productions.states import LABEL


def give_shade(
    shots: Collection[UUID],
    row: ShotStatus,
    *,
    actors: Mapping[UUID, str],
    reason: str = "",
    data: Mapping[UUID, dict[str, Any]] | None = None,
) -> set[UUID]:
    """Give a status to those of these shots that are in its state and have another; return their keys.

    No move of the machine: nothing but what people read changes. An event tells it.
    """
    if not shots:
        return set()
    shade = None if row.is_own else row
    with transaction.atomic(savepoint=False):
        here = Shot.objects.filter(pk__in=shots, status_id=row.state).order_by("pk")
        locked = here.select_for_update(of=("self",), no_key=True)
        had = {
            key: was
            for key, was in locked.values_list("pk", "studio_status_id")
            if was != (shade.pk if shade else None)
        }
        Shot.objects.filter(pk__in=had).update(
            studio_status=shade, row_version=F("row_version") + 1, updated_at=Now()
        )
        StateEvent.objects.bulk_create(
            StateEvent(
                story=key,
                machine=LABEL,
                subject=key,
                from_state=was or row.state,
                to_state=row.pk,
                actor=actors[key],
                reason=reason,
                data=(data or {}).get(key, {}),
            )
            for key, was in had.items()
        )
    return set(had)
