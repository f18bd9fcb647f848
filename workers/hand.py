"""The orders a node holds: at what stage each one is, and whether it is to stop.

Written by the event loop (an order arrives), by the render threads (it moves on) and by the reporter
and remote control (it is cancelled), so every change is made under one lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, RLock
from typing import Final

from farm.contracts import RunningAttempt, Stage
from workers.comfy.text import beginning

ON_GPU: Final = frozenset({Stage.ACCEPTED, Stage.STAGED, Stage.EXECUTING})
"""Stages that hold the GPU or a place behind it. A collecting order has left it."""

WAITING: Final = frozenset({Stage.ACCEPTED, Stage.STAGED})
"""Stages of an order that has not begun to execute."""

AT_STORE: Final = frozenset({Stage.ACCEPTED, Stage.COLLECTING})
"""Stages in which a thread reads or writes the artifact store."""

DOING_LIMIT: Final = 80
"""Characters of what an order is doing: a title that somebody gave a graph node."""


@dataclass
class InHand:
    """One order. ``token`` is empty between its arrival and the moment a thread takes it up.

    ``cancelled``: it is to stop. ``unstaged``: it is to be given up if it has not begun to execute.
    ``since``: when it came to its stage, by the monotonic clock.
    """

    attempt_id: str
    token: str = ""
    stage: Stage = Stage.ACCEPTED
    progress: float = 0.0
    doing: str = ""
    since: float = 0.0
    cancelled: Event = field(default_factory=Event)
    unstaged: Event = field(default_factory=Event)


class Hand:
    """All orders in hand. ``changed`` is called after every change but progress."""

    def __init__(
        self, changed: Callable[[], None] = lambda: None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._orders: dict[str, InHand] = {}
        self._lock = RLock()
        self.changed = changed

    def receive(self, attempt_id: str) -> None:
        """Note an order that the event loop has just taken from the broker."""
        with self._lock:
            self._orders.setdefault(attempt_id, InHand(attempt_id, since=self._clock()))
        self.changed()

    def accept(self, attempt_id: str, token: str) -> InHand:
        """Take up an order in a render thread."""
        with self._lock:
            order = self._orders.setdefault(attempt_id, InHand(attempt_id, since=self._clock()))
            order.token = token
        self.changed()
        return order

    def move(self, order: InHand, stage: Stage) -> None:
        """Move an order to another stage; progress begins anew only when it executes."""
        with self._lock:
            if order.stage is stage:
                return
            order.stage, order.since = stage, self._clock()
            order.progress = 1.0 if stage is Stage.COLLECTING else 0.0
            order.doing = ""
            if stage not in WAITING:
                order.unstaged.clear()  # too late, for good: not for its second try either
        self.changed()

    def progress(self, order: InHand, fraction: float, doing: str) -> None:
        """Note how far an order is, from 0 to 1, and the graph node at work."""
        with self._lock:
            order.progress, order.doing = fraction, beginning(doing, DOING_LIMIT)

    def release(self, attempt_id: str) -> None:
        """Let go of an order; unknown ones are no error."""
        with self._lock:
            known = self._orders.pop(attempt_id, None)
        if known:
            self.changed()

    def cancel(self, attempt_id: str) -> bool:
        """Ask an order to stop; return False if it is not in hand."""
        with self._lock:
            order = self._orders.get(attempt_id)
        if order is None:
            return False
        order.cancelled.set()
        return True

    def unstage(self, attempt_id: str) -> bool:
        """Ask an order to make way if it still waits; return False if it executes or is not in hand."""
        with self._lock:
            order = self._orders.get(attempt_id)
            waits = order is not None and order.stage in WAITING
            if order is not None and waits:
                order.unstaged.set()
        return waits

    def cancel_all(self) -> None:
        """Ask every order to stop."""
        with self._lock:
            for order in self._orders.values():
                order.cancelled.set()

    def holds(self, attempt_id: str) -> bool:
        """Tell whether this order is in hand."""
        with self._lock:
            return attempt_id in self._orders

    def count(self) -> int:
        """Count all orders in hand."""
        with self._lock:
            return len(self._orders)

    def on_gpu(self) -> int:
        """Count the orders that hold the GPU or wait for it: 0 is idle, 1 executes, 2 has one staged."""
        with self._lock:
            return sum(order.stage in ON_GPU for order in self._orders.values())

    def running(self, *, at_store_s: float | None = None) -> tuple[RunningAttempt, ...]:
        """List the accepted orders for a node report; with ``at_store_s`` without those that have waited for
        the artifact store for longer.
        """
        with self._lock:
            now = self._clock()
            return tuple(
                RunningAttempt(
                    attempt_id=order.attempt_id,
                    token=order.token,
                    stage=order.stage,
                    progress=round(order.progress, 4),
                    doing=order.doing,
                )
                for order in self._orders.values()
                if order.token
                and (at_store_s is None or order.stage not in AT_STORE or now - order.since <= at_store_s)
            )
