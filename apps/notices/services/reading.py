"""New events become notices: once each, whoever reads and wherever a reader is stopped.

A turn is one transaction: the cursor's row is locked, events are read, notices written, the cursor moved.
Stopped inside, nothing of it has happened; a second reader finds the cursor locked and leaves it alone.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from django.db import connection, transaction

from apps.common.clock import database_now
from apps.common.outbox import Horizon, Place, after_restore, events_after, first_after, horizon
from apps.notices.models import Cursor
from apps.notices.services.announcing import announce

logger = logging.getLogger(__name__)

PATIENCE: Final = timedelta(minutes=1)
PAGE: Final = 1000
"""Events of one turn. A turn's work is bounded, whatever the backlog."""


def read_turn(*, page: int = PAGE) -> int:
    """Tell of the next events; return how many were read. 0: there is none, or another process reads."""
    seen = horizon()
    if not _anything_new(seen):
        return 0
    with transaction.atomic():
        place = _locked_place()
        if place is None:
            return 0
        events = events_after(place, seen, at_most=page)
        if not events:
            return 0
        announce(events)
        _move_on(Place(xact=events[-1].xact, event=events[-1].pk, floor=place.floor))
    return len(events)


def held_up() -> bool:
    """Tell whether events have waited for longer than PATIENCE; say so in the log.

    An old transaction that is still open does that: what it wrote may have to be read first.
    """
    cursor = Cursor.objects.get(pk=1)
    waiting = first_after(Place(cursor.xact, cursor.event, cursor.floor))
    late = waiting is not None and database_now() - waiting.at > PATIENCE
    if waiting is not None and late:
        logger.warning("notices are held up by an old transaction", extra={"since": waiting.at.isoformat()})
    return late


def _anything_new(seen: Horizon) -> bool:
    """Look before a lock is taken: most turns find nothing."""
    cursor = Cursor.objects.get(pk=1)
    place = Place(cursor.xact, cursor.event, cursor.floor)
    if restored := after_restore(place, seen):
        logger.warning("the database was restored: what the backup held is not told again")
        _move_on(restored)
        return False
    return bool(events_after(place, seen, at_most=1))


def _locked_place() -> Place | None:
    rows = Cursor.objects.filter(pk=1)
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True)
    cursor = rows.first()
    return Place(cursor.xact, cursor.event, cursor.floor) if cursor else None


def _move_on(place: Place) -> None:
    Cursor.objects.filter(pk=1).update(xact=place.xact, event=place.event, floor=place.floor)
