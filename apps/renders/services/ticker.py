"""The loop around dispatch and sweep: at once when poked, every second otherwise, only while leading."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import redis
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from apps.common.clock import database_now
from apps.common.collisions import again_after_collision, collision
from apps.renders.scheduling.fronts import Turns
from apps.renders.services import bus
from apps.renders.services.chores import chores
from apps.renders.services.dispatch import dispatch, explain_waiting, remember
from apps.renders.services.farmclock import after_jump, give_grace
from apps.renders.services.leader import Leadership
from apps.renders.services.places import share_out
from apps.renders.services.sweep import sweep, sweep_old
from apps.renders.services.usage import forget_old
from apps.review.services.store_marker import ensure_store_marker

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
REMEMBER_SECONDS = 10.0
FAR_SECONDS = 30.0
LONG_SECONDS = 2.0
"""A part of a tick that takes longer is told: meanwhile nothing is sent."""
JUMP_SECONDS = 5.0
"""The database's clock and ours may drift apart by this much from one sweep to the next."""
LIGHT_SECONDS = 0.02
REST = 3.0
LONGEST_REST = 0.25
"""A heavy tick (beyond LIGHT_SECONDS) that follows hard upon another is followed by a rest of REST times its
length, at most this: the next one serves all that came meanwhile, and the coordinator has a core as well."""


class Ticker:
    """Runs until told to stop."""

    def __init__(self, should_stop: Callable[[], bool]) -> None:
        self._should_stop = should_stop
        self._leadership = Leadership()
        self._leads = False
        self._marked = False
        self._store_error = ""
        self._pokes: redis.client.PubSub | None = None
        self._swept = self._remembered = self._looked_far = float("-inf")
        self._ended = self._rest = 0.0
        self._away = False
        self._turns = Turns()
        self._clock: tuple[datetime, float] | None = None

    def run(self) -> None:
        """Tick until stopped. What goes wrong is said and survived: the farm stands still without a tick."""
        while not self._should_stop():
            try:
                self.tick()
                self._away = False
            except (OperationalError, InterfaceError) as exc:
                if collision(exc):
                    logger.warning("tick collided", extra={"error": str(exc)})
                else:
                    self._wait_for_database(exc)
            except Exception:  # the outermost edge: the next turn may go well, ending would help nobody
                logger.exception("tick failed")
                time.sleep(BEAT_SECONDS)
            self._wait()
        self._resign()

    def tick(self) -> None:
        """One turn: lead or not, dispatch, and once a second sweep and explain."""
        close_old_connections()
        if not self._take_lead():
            return
        begun = time.monotonic()
        idle = begun - self._ended
        parts: list[Callable[[], object]] = [self._dispatch]
        if time.monotonic() - self._swept >= BEAT_SECONDS:
            self._swept = time.monotonic()
            parts += [self._sweep, self._explain]
        if time.monotonic() - self._remembered >= REMEMBER_SECONDS:
            self._remembered = time.monotonic()
            parts += [remember, forget_old, *chores()]
        if time.monotonic() - self._looked_far >= FAR_SECONDS:
            self._looked_far = time.monotonic()
            parts.append(sweep_old)
        self._do(parts)
        self._ended = time.monotonic()
        took = self._ended - begun
        rest = min(REST * max(0.0, took - LIGHT_SECONDS), LONGEST_REST)
        self._rest = rest if idle < rest else 0.0

    def _do(self, parts: Sequence[Callable[[], object]]) -> None:
        """Do each of these, whatever becomes of the others: a fault in one must not stop leases."""
        failed = False
        for part in parts:
            begun = time.monotonic()
            try:
                again_after_collision(part)()
            except (OperationalError, InterfaceError) as exc:
                if not collision(exc):
                    raise
                failed = True  # told already
            except Exception:  # the next turn may go well, and the other parts do so now
                logger.exception("tick failed")
                failed = True
            took = time.monotonic() - begun
            if took > LONG_SECONDS:
                logger.warning("tick is slow", extra={"part": part.__name__, "seconds": round(took, 3)})
        if failed:
            time.sleep(BEAT_SECONDS)

    def _dispatch(self) -> None:
        dispatch(self._turns)

    def _explain(self) -> None:
        this = explain_waiting(self._turns)
        share_out(this.supply, this.now)

    def _sweep(self) -> None:
        self._heed_clock()
        if sweep():
            dispatch(self._turns)

    def _heed_clock(self) -> None:
        """Notice a database whose clock was put forward or back since the last look."""
        seen, now = self._clock, (database_now(), time.monotonic())
        self._clock = now
        if seen is None:
            return
        jump = (now[0] - seen[0]).total_seconds() - (now[1] - seen[1])
        if abs(jump) > JUMP_SECONDS:
            logger.warning("the database's clock jumped", extra={"seconds": round(jump, 1)})
            after_jump(now[0])

    def _wait_for_database(self, error: Exception) -> None:
        if not self._away:
            logger.warning("database is away, waiting for it", extra={"error": str(error)})
        self._away, self._leads = True, False
        connection.close()
        time.sleep(BEAT_SECONDS)

    def _take_lead(self) -> bool:
        held = self._leadership.held()
        if held and not self._leads:
            logger.info("leading", extra={"leader": self._leadership.name})
            give_grace(database_now())
            self._clock = None
            self._marked = False
            self._looked_far = float("-inf")
        self._leads = held
        if held and not self._marked:
            self._marked = self._mark_store()
        return held

    def _mark_store(self) -> bool:
        """Mark the artifact store once per lead, not each beat: a share that goes away later must not be
        replaced by a marker in its mount point.
        """
        try:
            ensure_store_marker()
        except OSError as exc:
            if self._store_error != str(exc):
                logger.warning("artifact store not marked, trying again", extra={"error": str(exc)})
            self._store_error = str(exc)
            return False
        self._store_error = ""
        return True

    def _wait(self) -> None:
        """Wait for a poke, at most one beat. Pokes that came meanwhile count as one."""
        time.sleep(self._rest)
        try:
            if self._pokes is None:
                self._pokes = bus.listen_for_pokes()
            if self._pokes.get_message(timeout=BEAT_SECONDS) is not None:
                while self._pokes.get_message(timeout=0) is not None:
                    pass
        except bus.BROKER_ERRORS as exc:
            logger.debug("no pokes", extra={"error": str(exc)})
            self._pokes = None
            time.sleep(BEAT_SECONDS)

    def _resign(self) -> None:
        try:
            self._leadership.resign()
        except DatabaseError as exc:
            logger.info("lead not given up, it runs out by itself", extra={"error": str(exc)})
