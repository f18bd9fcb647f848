"""The GPU node's app as it is, but an attempt stands still at an edge while a test wishes so.

Some edges are milliseconds wide. A test that makes the folder ``$CHAOS_HOLDS/EDGE`` holds every attempt
that reaches this edge, as a slow disk or network would, until the folder is gone; each leaves its name in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from workers import celery as app
from workers import outputs, station
from workers.spool import Spool, Started

__all__ = ["app"]

HOLDS: Final = Path(os.environ["CHAOS_HOLDS"])
LOOK_S: Final = 0.02


def hold(edge: str, attempt_id: str) -> None:
    """Stand at this edge until nobody wishes it any more."""
    wish = HOLDS / edge
    with suppress(FileNotFoundError):
        if wish.exists():
            (wish / attempt_id).touch()
    while wish.exists():
        time.sleep(LOOK_S)


class HeldSpool(Spool):
    """Held when the claim is granted and nothing is sent, and when the coordinator has confirmed."""

    def start(self, started: Started) -> None:
        hold("accepted", started.order.attempt_id)
        super().start(started)

    def confirm(self, attempt_ids: Iterable[str]) -> None:
        known = tuple(attempt_ids)
        for attempt_id in known:
            hold("recorded", attempt_id)
        super().confirm(known)


def held(edge: str, work: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """Hold ``work(…, order, …)`` before or after it is done."""

    def standing(first: Any, order: Any, *more: Any, **options: Any) -> Any:
        if not after:
            hold(edge, order.attempt_id)
        done = work(first, order, *more, **options)
        if after:
            hold(edge, order.attempt_id)
        return done

    return standing


vars(station).update(Spool=HeldSpool)
vars(outputs).update(
    collect=held("collecting", outputs.collect, after=False),
    write_manifest=held("stored", outputs.write_manifest, after=True),
)
