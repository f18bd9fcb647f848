"""Switch the queues this worker reads as orders come and go.

An idle node reads ``vram.t`` and ``vram.t.next``, one that executes only ``.next``, one with a staged
order neither (:meth:`workers.node.Node.listens`). Subscriptions belong to the event loop:

- an order is received *in* the loop: the switch is made before the loop asks the broker again, so a
  busy node cannot take one order too many;
- anything else happens in another thread, while a blocking pop with the old list of queues may be in
  flight. The loop is told to switch, and a WAKE to the node's own queue ends that pop: the pop would
  otherwise keep its old list for up to a second.
"""

from __future__ import annotations

import logging
from threading import get_ident
from typing import Any

from celery import Celery

from farm.contracts import WAKE
from workers.broker import BROKER_ERRORS
from workers.node import Node

logger = logging.getLogger(__name__)

SLOTS = 2
"""One order executes, one is staged."""


class Subscriptions:
    """What the event loop listens to. ``apply`` runs in the loop's thread only.

    The consumer may be let go of at any moment, so every method reads it once.
    """

    def __init__(self, app: Celery, node: Node) -> None:
        self._app = app
        self._node = node
        self._consumer: Any = None
        self._loop_thread: int | None = None
        self._declared: set[str] = set()
        self.listening: tuple[str, ...] = ()

    def attach(self, consumer: Any) -> None:
        """Begin on a fresh connection; called in the loop's thread before the loop runs."""
        self._consumer = consumer
        self._loop_thread = get_ident()
        self._declared = set()
        self.listening = ()
        self.apply()

    def detach(self) -> None:
        """Leave the connection alone: it is lost or being closed."""
        self._consumer = None

    def refresh(self) -> None:
        """Follow the node's state; may be called from any thread."""
        consumer = self._consumer
        if consumer is None:
            return
        if get_ident() == self._loop_thread:
            self._apply_now_or_soon(consumer)
        elif self._node.listens() != self.listening:
            consumer.call_soon(self.apply)
            if self._node.hand.count() < SLOTS:
                self._wake()

    def slot_freed(self) -> None:
        """Let the loop ask the broker again now that it may; called in the pool's thread."""
        consumer = self._consumer
        if consumer is not None:
            consumer.call_soon(self.apply)

    def apply(self) -> None:
        """Listen to what the node's state asks for, in that order."""
        attached = self._consumer
        consumer = attached.task_consumer if attached is not None else None
        wanted = self._node.listens()
        if consumer is None or wanted == self.listening:
            return
        for queue in consumer.queues:
            consumer.cancel_by_queue(queue.name)
        for name in wanted:
            # Declaring costs two round trips, and once per connection is enough.
            consumer.auto_declare = name not in self._declared
            consumer.add_queue(self._app.amqp.queues[name])
        consumer.consume()
        self._declared.update(wanted)
        self.listening = wanted

    def _apply_now_or_soon(self, consumer: Any) -> None:
        if consumer.hub is None:
            # Without an event loop (Windows) kombu delays a cancel until its read has ended, and would
            # then cancel the new subscription; so the switch waits for the end of the read as well.
            consumer.call_soon(self.apply)
        else:
            self.apply()

    def _wake(self) -> None:
        try:
            self._app.send_task(WAKE, queue=self._node.own_queue, ignore_result=True)
        except BROKER_ERRORS as error:
            # Nothing is lost: without a broker there is no pop to end, and a reconnect subscribes anew.
            logger.debug("wake not sent", extra={"error": str(error)})
