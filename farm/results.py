"""Celery's result backend for a side that reads results but never waits for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from celery import Celery, states
from celery.backends.redis import RedisBackend


class UnwatchedResults(RedisBackend):
    """Redis results without a subscription per published task.

    The coordinator reads a report when its bell rings. Celery would otherwise subscribe to the result
    of every order it publishes, keep that for ever, and refuse to publish while Redis is away.
    """

    app: Celery

    def on_task_call(self, producer: object, task_id: str) -> None:
        """Subscribe to nothing."""

    def store_answers(self, answers: Mapping[str, Any]) -> None:
        """Store the results of many tasks that succeeded, in one trip. Each id is stored once at most."""
        self.ensure(self._store_answers, (answers,))

    def _store_answers(self, answers: Mapping[str, Any]) -> None:
        told: dict[str, Any] = {
            "status": states.SUCCESS,
            "traceback": None,
            "children": [],
            "date_done": self.app.now(),
        }
        with self.client.pipeline(transaction=False) as pipe:
            for task_id, answer in answers.items():
                key = self.get_key_for_task(task_id)
                value = self.encode({**told, "result": answer, "task_id": task_id})
                pipe.set(key, value, ex=int(self.app.conf.result_expires))
                pipe.publish(key, value)
            pipe.execute()

    def metas_of(self, task_ids: Sequence[str]) -> list[dict[str, Any] | None]:
        """What is stored of these tasks, in one trip; None where nothing is."""
        keys = [self.get_key_for_task(task_id) for task_id in task_ids]
        stored = self.client.mget(keys) if keys else []
        return [self.decode_result(one) if one else None for one in stored]
