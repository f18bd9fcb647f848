"""The threads pool, with word to the event loop the moment a slot is free.

Prefetch is disabled, so a worker asks the broker for more only when its loop next turns: up to a
second later if nothing wakes it. A task's own end is too early for the call: Celery frees the slot
after the task has returned, in the last callback of the pool.
"""

from __future__ import annotations

from typing import Any

from celery.concurrency.thread import TaskPool as ThreadPool
from celery.utils.dispatch import Signal

slot_freed = Signal(name="slot_freed", providing_args=["task_id"])
"""Sent in the pool's thread, after Celery has counted the slot as free."""


class TaskPool(ThreadPool):
    """Celery's threads pool that sends ``slot_freed``."""

    def on_apply(self, *args: Any, correlation_id: str = "", **options: Any) -> Any:
        """Run a task in a thread, then say that its slot is free."""
        result = super().on_apply(*args, **options)
        result.f.add_done_callback(lambda _done: slot_freed.send(sender=self, task_id=correlation_id))
        return result
