"""Refuse an order that was delivered twice, before the worker has counted, announced or stored anything.

Redis delivers again what was not acknowledged in its time: after a cut connection, say. The task's id is
the attempt's, so a second run would overwrite the first one's result, and two prompts would render it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from celery.worker.strategy import default

from workers import station

logger = logging.getLogger(__name__)


def once(task: Any, app: Any, consumer: Any) -> Callable[..., None]:
    """Celery's way to take in a task's messages, but for those of an attempt this node already knows."""
    take_in = default(task, app, consumer)

    def receive(message: Any, body: Any, ack: Callable[..., None], *more: Any) -> None:
        attempt_id = str(message.headers.get("id", ""))
        if station.current().knows(attempt_id):
            logger.warning("order delivered twice, second one dropped", extra={"attempt": attempt_id})
            ack(logger, consumer.connection_errors)
            return
        take_in(message, body, ack, *more)

    return receive
