"""Other processes of the farm, played by threads: each has its own connection and its own transactions."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connection, connections

T = TypeVar("T")

PATIENCE_S = 20.0
"""Far longer than anything here takes; reached only when a test has failed."""


class Elsewhere(Generic[T]):
    """Work done by another process, which may meet a lock that the test holds.

    :meth:`meets_our_lock` proves that the two overlapped: the other one had begun, and could not go on.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._wants_lock = threading.Event()
        self._backend_pid = 0
        self._answers: list[T] = []
        self._errors: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def meets_our_lock(self) -> None:
        """Wait until it stands before a lock of our transaction; fail if it never does."""
        assert self._stands(), "it went through: the two did not meet"

    def goes_as_far_as_it_can(self) -> None:
        """Wait until it is done, or stands before a lock of our transaction."""
        self._stands()

    def answer(self) -> T:
        """Wait for its end and return what it returned; raise what it raised."""
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "it never came to an end"
        if self._errors:
            raise self._errors[0]
        return self._answers[0]

    def _run(self) -> None:
        try:
            with connection.execute_wrapper(self._watch):
                if connection.vendor == "postgresql":
                    with connection.cursor() as cursor:
                        cursor.execute("SELECT pg_backend_pid()")
                        self._backend_pid = cursor.fetchone()[0]
                self._answers.append(self._work())
        except BaseException as exc:  # noqa: BLE001 - carried over to the test's thread
            self._errors.append(exc)
        finally:
            connections.close_all()

    def _watch(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if sql.startswith("BEGIN IMMEDIATE"):
            self._wants_lock.set()
        return execute(sql, *rest)

    def _stands(self) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while self._thread.is_alive():
            if self._is_blocked_by_us():
                return True
            assert time.monotonic() < deadline, "it neither ended nor met our lock"
            time.sleep(0.005)
        return False

    def _is_blocked_by_us(self) -> bool:
        if connection.vendor == "sqlite":
            # One writer at a time: while our transaction is open, no other can begin.
            return connection.in_atomic_block and self._wants_lock.is_set()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid() = ANY(pg_blocking_pids(%s))", [self._backend_pid])
            return bool(cursor.fetchone()[0])


def from_elsewhere(work: Callable[[], T]) -> T:
    """Let another process do this from beginning to end, committed; return its answer."""
    return Elsewhere(work).answer()
