"""One dispatcher leads at a time; another takes over within seconds when it is gone.

PostgreSQL: an advisory lock, which the server drops with the connection. SQLite: a row with a deadline.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta

from django.db import connection
from django.db.models import Q

from apps.common.clock import database_now
from apps.renders.models import FarmClock
from apps.renders.services.farmclock import farm_clock

LOCK_NUMBER = 0x5407FA23
"""Any constant; "shotfarm" in leetspeak. One lock per database."""
TERM = timedelta(seconds=5)


class Leadership:
    """This process's claim to lead. Ask :meth:`held` before every tick."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"

    def held(self) -> bool:
        """Take or renew the lead; False while somebody else has it."""
        if connection.vendor == "postgresql":
            return self._advisory_lock()
        return self._row()

    def resign(self) -> None:
        """Give the lead up at once, so that the next one need not wait."""
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock_all()")
        else:
            FarmClock.objects.filter(pk=1, leader=self.name).update(leader="", leader_until=None)

    def _advisory_lock(self) -> bool:
        # A session may take its own lock again, which would need as many unlocks: ask first.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE locktype = 'advisory' AND objid = %s AND pid = pg_backend_pid()",
                [LOCK_NUMBER],
            )
            if cursor.fetchone()[0]:
                return True
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_NUMBER])
            return bool(cursor.fetchone()[0])

    def _row(self) -> bool:
        farm_clock()
        now = database_now()
        free = Q(leader=self.name) | Q(leader="") | Q(leader_until__isnull=True) | Q(leader_until__lt=now)
        return bool(FarmClock.objects.filter(free, pk=1).update(leader=self.name, leader_until=now + TERM))
