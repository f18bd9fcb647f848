"""The loop that tells: reads new events once a second, and hands deliveries to threads of its own.

It is a process apart, and holds nothing that claims, reports or the ticker wait for. A slow webhook holds
one of its threads for ten seconds, then its subscription is left alone for a while. Run as many as you like.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections, connections

from apps.common.clock import database_now
from apps.common.collisions import again_after_collision, collision
from apps.notices.models import Notice
from apps.notices.services.delivering import due_subscriptions, serve
from apps.notices.services.reading import PAGE, held_up, read_turn

logger = logging.getLogger(__name__)

BEAT_S: Final = 1.0
THREADS: Final = 8
MOST_PAGES: Final = 10
"""Pages of a backlog that are read before deliveries have their turn."""
LOOK_EVERY_S: Final = 60.0
TIDY_EVERY_S: Final = 600.0
KEPT: Final = timedelta(days=90)
MOST_TIDIED: Final = 1000


class Office:
    """Runs until told to stop."""

    def __init__(self, should_stop: Callable[[], bool], *, threads: int = THREADS) -> None:
        self._should_stop = should_stop
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="delivery")
        self._serving: set[UUID] = set()
        self._lock = threading.Lock()
        self._tidied = 0.0
        self._looked = 0.0
        self._away = False

    def run(self) -> None:
        """Tell until stopped. What goes wrong is said and survived."""
        try:
            while not self._should_stop():
                try:
                    again_after_collision(self.turn)()
                    self._away = False
                except (OperationalError, InterfaceError) as exc:
                    if not collision(exc):
                        self._wait_for_database(exc)
                except Exception:  # the outermost edge: the next turn may go well
                    logger.exception("turn failed")
                self._wait()
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def turn(self) -> None:
        """Read what is new, hand out what is due."""
        close_old_connections()
        for _page in range(MOST_PAGES):
            if read_turn() < PAGE:
                break
        self._hand_out()
        if time.monotonic() - self._looked >= LOOK_EVERY_S:
            self._looked = time.monotonic()
            held_up()
        if time.monotonic() - self._tidied >= TIDY_EVERY_S:
            self._tidied = time.monotonic()
            tidy()

    def _hand_out(self) -> None:
        with self._lock:
            busy = set(self._serving)
        free = self._threads - len(busy)
        if free <= 0:
            return
        for key in due_subscriptions(but=busy, at_most=free):
            with self._lock:
                self._serving.add(key)
            self._pool.submit(self._serve, key)

    def _serve(self, key: UUID) -> None:
        try:
            serve(key, should_stop=self._should_stop)
        except DatabaseError as exc:
            why = collision(exc) or "the database is away"
            logger.warning("delivery put off", extra={"why": why, "error": str(exc)})
        except Exception:  # the thread's outermost edge: nobody else would hear of it
            logger.exception("delivery failed")
        finally:
            with self._lock:
                self._serving.discard(key)
            connections.close_all()

    def _wait_for_database(self, error: Exception) -> None:
        if not self._away:
            logger.warning("database is away, waiting for it", extra={"error": str(error)})
        self._away = True
        connections.close_all()

    def _wait(self) -> None:
        ends = time.monotonic() + BEAT_S
        while time.monotonic() < ends and not self._should_stop():
            time.sleep(0.1)


def tidy() -> int:
    """Forget notices that are older than KEPT, a bounded number at a time; return how many."""
    old = Notice.objects.filter(last_at__lt=database_now() - KEPT).order_by("last_at")
    keys = list(old.values_list("pk", flat=True)[:MOST_TIDIED])
    if keys:
        Notice.objects.filter(pk__in=keys).delete()
        logger.info("old notices forgotten", extra={"count": len(keys)})
    return len(keys)
