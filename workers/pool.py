"""The threads pool, with word to the event loop the moment a slot is free.

Prefetch is disabled, so a worker asks the broker for more only when its loop next turns: up to a
second later if nothing wakes it. A task's own end is too early for the call: Celery frees the slot
after the task has returned, in the last callback of the pool.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from billiard.einfo import ExceptionInfo
from celery.concurrency.thread import TaskPool as ThreadPool
from celery.utils.dispatch import Signal

logger = logging.getLogger(__name__)

slot_freed = Signal(name="slot_freed", providing_args=["task_id"])
"""Sent in the pool's thread, after Celery has counted the slot as free."""


class TaskPool(ThreadPool):
    """Celery's threads pool that sends ``slot_freed``, and frees the slot however a task ends."""

    def on_apply(self, target: Any, *args: Any, correlation_id: str = "", **options: Any) -> Any:
        """Run a task in a thread, then say that its slot is free."""
        result = super().on_apply(_ending(target), *args, **options)
        result.f.add_done_callback(lambda _done: slot_freed.send(sender=self, task_id=correlation_id))
        return result


def _ending(target: Callable[..., Any]) -> Callable[..., Any]:
    """Let a task end as a failure that Celery counts, whatever it raises from around its body.

    Where its result cannot be stored, as the broker is away, Celery's tracing raises, and its pool then
    forgets to call back: the slot stays reserved for ever. Two such ends, and a node takes no order again.
    """

    def traced(*args: Any, **options: Any) -> Any:
        try:
            return target(*args, **options)
        except Exception:  # the outermost edge of a task; what it has to tell is in the spool
            logger.exception("task ended without its result being stored")
            return (1, ExceptionInfo(internal=True), 0.0)

    return traced
