"""What the coordinator sends: orders, cancels, media work, and the poke that wakes the ticker."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, cast

import redis
from django.conf import settings
from kombu.exceptions import OperationalError

from apps.common import news
from apps.renders.models import Attempt, Proof
from farm import contracts
from farm.celery import app
from farm.results import UnwatchedResults

logger = logging.getLogger(__name__)

BROKER_ERRORS = (OperationalError, redis.RedisError, OSError)
"""What the broker's absence looks like. Orders fall back to sweep; pokes only cost a second."""

_BRIEFLY = {"max_retries": 1, "interval_start": 0.0, "interval_step": 0.2}


def publish(order: contracts.RenderOrder, *, queue: str) -> bool:
    """Put an order on its queue; return False if the broker cannot be reached.

    Flower and the logs get the label. The graph and the key travel inside, shown nowhere.
    """
    try:
        app.send_task(
            contracts.RENDER,
            args=[contracts.to_json(order)],
            task_id=order.attempt_id,
            queue=queue,
            argsrepr=order.label,
            kwargsrepr="{}",
            retry_policy=_BRIEFLY,
        )
    except BROKER_ERRORS as exc:
        logger.warning(
            "order not published", extra={"attempt": order.attempt_id, "queue": queue, "error": str(exc)}
        )
        return False
    return True


def send_cancel(attempt: Attempt | Proof) -> None:
    """Tell the node at once. If this is lost, the answer to its next report says it again."""
    _tell_node(attempt, contracts.CONTROL_CANCEL)


def send_unstage(attempt: Attempt) -> None:
    """Ask a node to drop an attempt that has not begun. If this is lost, its next directives ask again."""
    _tell_node(attempt, contracts.CONTROL_UNSTAGE)


def _tell_node(attempt: Attempt | Proof, command: str) -> None:
    if attempt.node is None or not attempt.node.worker:
        return
    try:
        app.control.broadcast(
            command, arguments={"attempt_id": str(attempt.pk)}, destination=[attempt.node.worker]
        )
    except BROKER_ERRORS as exc:
        told = {"attempt": str(attempt.pk), "command": command, "error": str(exc)}
        logger.warning("node not told", extra=told)


def send_canary(queue: str, canary: str) -> bool:
    """Put a canary on a node's own queue; return False if the broker cannot be reached.

    Nobody waits for its result: the node tells of it in its next report.
    """
    try:
        app.send_task(contracts.CANARY, args=[canary], queue=queue, ignore_result=True, retry_policy=_BRIEFLY)
    except BROKER_ERRORS as exc:
        logger.warning("canary not sent", extra={"queue": queue, "error": str(exc)})
        return False
    return True


def stored_report(attempt_id: str) -> dict[str, Any] | None:
    """Read RENDER's result: the report of a success or of a failure, None if there is none.

    Raises one of BROKER_ERRORS when the result backend cannot be reached.
    """
    return stored_reports([attempt_id])[0]


def stored_reports(attempt_ids: Sequence[str]) -> list[dict[str, Any] | None]:
    """Read the results of many, as :func:`stored_report` does, in their order."""
    results = cast(UnwatchedResults, app.backend)
    return [_report_in(meta or {}) for meta in results.metas_of(attempt_ids)]


def _report_in(meta: Mapping[str, Any]) -> dict[str, Any] | None:
    result = meta.get("result")
    if meta.get("status") == "SUCCESS" and isinstance(result, dict):
        return result
    if meta.get("status") == "FAILURE" and isinstance(result, contracts.RenderFailed):
        return result.report
    return None


def poke() -> None:
    """Wake the ticker; what wakes it, people see on the farm's pages."""
    news.tell("farm")
    try:
        _redis().publish(contracts.TICK_CHANNEL, "1")
    except BROKER_ERRORS as exc:
        logger.debug("ticker not woken", extra={"error": str(exc)})


def is_up() -> bool:
    """Tell whether the broker answers."""
    try:
        _redis().ping()
    except BROKER_ERRORS as exc:
        logger.warning("the broker cannot be reached", extra={"error": str(exc)})
        return False
    return True


def waiting_on(queue: str) -> int:
    """Count the messages on a queue. Raises one of BROKER_ERRORS when the broker cannot be reached."""
    return int(_redis().llen(queue))


def forget_queue(name: str) -> None:
    """Delete the queue of a node's former epoch, with whatever it holds and what kombu notes of it."""
    try:
        _redis().delete(name, f"_kombu.binding.{name}", f"_kombu.binding_permanent.{name}")
    except BROKER_ERRORS as exc:
        logger.warning("old node queue not deleted", extra={"queue": name, "error": str(exc)})


def listen_for_pokes() -> redis.client.PubSub:
    """Subscribe to pokes. Raises one of BROKER_ERRORS when the broker cannot be reached."""
    pubsub: redis.client.PubSub = _redis().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    pubsub.subscribe(contracts.TICK_CHANNEL)
    return pubsub


_clients: dict[str, redis.Redis] = {}


def _redis() -> redis.Redis:
    url = settings.REDIS_URL
    if url not in _clients:
        _clients[url] = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
    return _clients[url]
