"""Lanes fall asleep when they are empty, and never over a job that may start.

Whoever makes a job ready holds its lane awake until that is committed; whoever puts a lane to sleep leaves
out those that are held so, and looks for jobs once it has the lane to itself. On PostgreSQL the hold is a row
lock that many share; on SQLite one writes at a time, and that is all it takes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from apps.renders.models import Job, Lane

logger = logging.getLogger(__name__)


def keep_awake(lane_ids: Iterable[UUID]) -> None:
    """Let the dispatcher look at these lanes as soon as this transaction is committed.

    Call it in the transaction that makes one of their jobs ready, with those jobs locked: everybody locks
    jobs before lanes.
    """
    keys = sorted(set(lane_ids))
    if not keys:
        return
    with transaction.atomic(savepoint=False):
        asleep = _hold(keys)
        if asleep:
            rows = Lane.objects.filter(pk__in=asleep, active=False).order_by("pk")
            found = list(rows.select_for_update(no_key=True).values_list("pk", flat=True))
            Lane.objects.filter(pk__in=found).update(active=True)


def put_to_sleep(empty: Iterable[UUID]) -> None:
    """Look at these lanes no more, unless a job of theirs may start, or is just being made ready."""
    keys = list(empty)
    if not keys:
        return
    with transaction.atomic():
        lanes = Lane.objects.filter(pk__in=keys, active=True).order_by("pk")
        ours = list(lanes.select_for_update(skip_locked=True).values_list("pk", flat=True))
        # A statement of its own: it sees what was committed by those who held these lanes before.
        Lane.objects.filter(pk__in=ours).exclude(Exists(_startable_of_lane())).update(active=False)


def wake_the_forgotten() -> int:
    """Look again at every lane that sleeps over a job that may start; return how many there were.

    No code path leads there, but a job must not be forgotten.
    """
    forgotten = list(
        Lane.objects.filter(Exists(_startable_of_lane()), active=False).values_list("pk", flat=True)
    )
    if forgotten:
        logger.error("lanes slept over jobs", extra={"lanes": [str(key) for key in forgotten]})
        keep_awake(forgotten)
    return len(forgotten)


def _hold(keys: list[UUID]) -> list[UUID]:
    """Keep these lanes from being put to sleep until our transaction ends; return those that sleep."""
    if connection.vendor != "postgresql":
        return list(Lane.objects.filter(pk__in=keys, active=False).values_list("pk", flat=True))
    # The weakest lock there is, shared by all who make jobs ready; Django has no word for it.
    table = Lane._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, active FROM {table} WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE",  # noqa: S608 - our own name
            [keys],
        )
        return [key for key, active in cursor.fetchall() if not active]


def _startable_of_lane() -> QuerySet[Job]:
    return Job.objects.filter(lane=OuterRef("pk"), state="ready", held=False, start_after=None)
