"""Reading the event table as an outbox: every event once, in an order in which none appears behind a reader.

Keys are drawn from a sequence, and transactions commit in another order: on PostgreSQL event 6 may become
visible after event 7 was read. So a reader goes by (transaction, key), and reads only transactions older
than every one that still runs: whatever those wrote is visible for good, and what is still to come has a
higher number. A long transaction holds readers up; it makes them miss nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection

from apps.common.models import StateEvent

_NO_LIMIT: Final = 2**63 - 1
_NEXT: Final = """
    SELECT id, xact, machine, subject, story, from_state, to_state, actor, reason, at FROM common_stateevent
    WHERE (xact, id) > (%s, %s) AND xact < %s AND id > %s ORDER BY xact, id LIMIT %s
"""


@dataclass(frozen=True)
class Place:
    """How far a reader has come: the last event's transaction and key.

    ``floor``: events up to this key are not read whatever their transaction says. They were written by
    another server's transactions (see :func:`after_restore`).
    """

    xact: int
    event: int
    floor: int = 0


@dataclass(frozen=True)
class Horizon:
    """``settled``: every transaction below it has ended. ``next``: none has this number yet."""

    settled: int
    next: int


def horizon() -> Horizon:
    """Ask the database which transactions have ended. Ask before you read."""
    if connection.vendor != "postgresql":
        return Horizon(_NO_LIMIT, _NO_LIMIT)  # one writer at a time: what is visible is all there is
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint"
            " FROM pg_current_snapshot() AS s"
        )
        settled, following = cursor.fetchone()
    return Horizon(settled, following)


def events_after(place: Place, seen: Horizon, *, at_most: int) -> list[StateEvent]:
    """Return the next events, in the order to be read in; ``data`` is left out."""
    bounds = [place.xact, place.event, seen.settled, place.floor, at_most]
    return list(StateEvent.objects.raw(_NEXT, bounds))


def first_after(place: Place) -> StateEvent | None:
    """Return the next committed event, whether or not it may be read yet; None if there is none."""
    waiting = events_after(place, Horizon(_NO_LIMIT, _NO_LIMIT), at_most=1)
    return waiting[0] if waiting else None


def after_restore(place: Place, seen: Horizon) -> Place | None:
    """Return where to go on if this database was restored into another server, else None.

    The numbers of its events are then that server's; they may be higher than any this one has given, and
    a reader that waited for higher ones would wait for years. What the backup held counts as read.
    """
    if place.xact < seen.next:
        return None
    foreign = StateEvent.objects.filter(xact__gte=seen.next).order_by("-id").values_list("id", flat=True)
    return Place(xact=0, event=0, floor=max(place.event, foreign.first() or 0))
