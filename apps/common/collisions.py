"""Transactions that met each other: the database is here, and ended one of them so that the other can go on.

A deadlock, a serialization failure or a lock waited for too long undoes a whole transaction; what it did may
be done again at once. It says nothing of the database itself, which is neither away nor in trouble.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from django.db import Error, connection

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

TRIES: Final = 3
"""One that loses three times in a row is in somebody's way who does not go: then others shall hear of it."""

_SQLSTATE: Final = {
    "40P01": "deadlock",
    "40001": "serialization failure",
    "55P03": "lock timeout",
}
_SQLITE: Final = ("database is locked", "database table is locked")


def collision(error: BaseException) -> str:
    """Name what ended this transaction, "" if it was not the meeting with another one."""
    if not isinstance(error, Error):
        return ""
    cause = error.__cause__
    if any(told in str(error) for told in _SQLITE):
        return "lock timeout"
    return _SQLSTATE.get(str(getattr(cause, "sqlstate", None) or getattr(error, "sqlstate", "")), "")


def again_after_collision(work: Callable[P, T], *, tries: int = TRIES) -> Callable[P, T]:
    """Wrap work of whole transactions, so that it is done again at once where it collided with others.

    At most ``tries`` times altogether; then the last error is raised. Inside a transaction it is done only
    once: that one is lost, and whoever began it must do all of it again.
    """

    def work_on(*args: P.args, **kwargs: P.kwargs) -> T:
        for left in reversed(range(1 if connection.in_atomic_block else tries)):
            try:
                return work(*args, **kwargs)
            except Error as exc:
                met = collision(exc)
                if not met:
                    raise
                logger.warning(
                    "transactions collided",
                    extra={"what": met, "work": name, "again": bool(left), "error": str(exc).strip()},
                )
                if not left:
                    raise
        raise AssertionError("unreachable")

    name = getattr(work, "__qualname__", repr(work))
    return work_on
