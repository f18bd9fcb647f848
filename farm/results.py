"""Celery's result backend for a side that reads results but never waits for one."""

from __future__ import annotations

from celery.backends.redis import RedisBackend


class UnwatchedResults(RedisBackend):
    """Redis results without a subscription per published task.

    The coordinator reads a report when its bell rings. Celery would otherwise subscribe to the result
    of every order it publishes, keep that for ever, and refuse to publish while Redis is away.
    """

    def on_task_call(self, producer: object, task_id: str) -> None:
        """Subscribe to nothing."""
