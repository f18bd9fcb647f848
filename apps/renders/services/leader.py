"""One dispatcher leads at a time; another takes over within ten seconds, however the first one went.

PostgreSQL: an advisory lock on a connection of its own, which the server drops with the connection: at once
when the process dies, after seven seconds of silence when its machine does. A leader that stands still with
its connection alive is deposed by the next one, when its beat is overdue. SQLite: a row with a deadline.

Two that lead for a moment do no harm: every move is conditional, and limits are counted under a lock.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from datetime import timedelta
from typing import Any, Final

import psycopg
from django.db import connection
from django.db.models import Q

from apps.common.clock import database_now
from apps.renders.models import FarmClock
from apps.renders.services.farmclock import farm_clock

logger = logging.getLogger(__name__)

LOCK_NUMBER: Final = 0x5407FA23
"""Any constant; "shotfarm" in leetspeak. One lock per database."""
TERM: Final = timedelta(seconds=7)
"""How long a beat is good for."""
BEAT_S: Final = 1.0

_KEEPALIVE: Final = {"tcp_keepalives_idle": 3, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 2}
"""After 3 + 2 × 2 seconds without an answer from a vanished machine the server drops its connection."""


class Leadership:
    """This process's claim to lead. Ask :meth:`held` before every tick."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._own: psycopg.Connection[Any] | None = None
        self._leads = False
        self._beat_at = float("-inf")

    def held(self) -> bool:
        """Take or keep the lead; False while somebody else has it."""
        if connection.vendor != "postgresql":
            return self._row()
        try:
            self._leads = self._lock()
        except psycopg.Error as exc:
            logger.warning("lead lost with its connection", extra={"error": str(exc).strip()})
            self.close()
        if self._leads:
            self._beat()
        elif self._is_overdue():
            self._depose()
        return self._leads

    def resign(self) -> None:
        """Give the lead up at once, so that the next one need not wait."""
        if connection.vendor == "postgresql":
            self.close()
        FarmClock.objects.filter(pk=1, leader=self.name).update(leader="", leader_until=None)

    def close(self) -> None:
        """Let go of the lock's connection, as death would."""
        own, self._own, self._leads = self._own, None, False
        if own is not None:
            own.close()

    def _lock(self) -> bool:
        if self._own is None or self._own.closed:
            self._own, self._leads = _connect(), False
        if self._leads:
            self._own.execute("SELECT 1")  # raises if the server has dropped us, and the lock with us
            return True
        row = self._own.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_NUMBER]).fetchone()
        return bool(row and row[0])

    def _beat(self) -> None:
        if time.monotonic() - self._beat_at < BEAT_S:
            return
        self._beat_at = time.monotonic()
        farm_clock()
        FarmClock.objects.filter(pk=1).update(leader=self.name, leader_until=database_now() + TERM)

    def _is_overdue(self) -> bool:
        return FarmClock.objects.filter(pk=1, leader_until__lt=database_now()).exists()

    def _depose(self) -> None:
        """End the connection of a leader that beats no more: stopped, or swapping, or cut off."""
        logger.warning("the leader's beat is overdue, ending its connection")
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON oid = database"
                " WHERE locktype = 'advisory' AND granted AND objid = %s AND datname = current_database()",
                [LOCK_NUMBER],
            )

    def _row(self) -> bool:
        farm_clock()
        now = database_now()
        free = Q(leader=self.name) | Q(leader="") | Q(leader_until__isnull=True) | Q(leader_until__lt=now)
        return bool(FarmClock.objects.filter(free, pk=1).update(leader=self.name, leader_until=now + TERM))


def _connect() -> psycopg.Connection[Any]:
    """A connection for the lock alone: nothing else's error, and no pooler, can take it away."""
    told = connection.get_connection_params()
    where = {name: value for name, value in told.items() if name not in ("context", "cursor_factory")}
    where.pop("prepare_threshold", None)
    own = psycopg.connect(**{**where, "connect_timeout": 5}, autocommit=True)
    for name, seconds in _KEEPALIVE.items():
        own.execute(f"SET {name} = {seconds}")
    return own
