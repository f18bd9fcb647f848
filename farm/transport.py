"""The Redis transport of both sides, which outlives items in the broker that are no messages.

kombu believes that whatever lies in a queue is a message. What is none ends its worker, and if it was
half taken in, it is put back for the next worker to die of. Here it is said once and dropped: the database
is the truth, so whatever that item should have been is found again by sweep.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis
from redis.exceptions import DataError, RedisError

logger = logging.getLogger(__name__)

_BROKER_TROUBLE = (OSError, RedisError)
"""Not the message's fault (but a DataError is): the consumer connects anew."""


class Channel(kombu_redis.Channel):
    """Reads queues; an item that is no JSON is gone once it is read."""

    def _brpop_read(self, **options: Any) -> Any:
        try:
            return super()._brpop_read(**options)  # type: ignore[misc]  # kombu's hints leave it out
        except (ValueError, TypeError, AttributeError, RecursionError) as exc:  # of decoding: see _deliver
            if self.client.connection is None:
                raise  # nothing was read at all
            # Named by its kind only: an error's words may quote the item, and nobody knows what that holds.
            logger.error("item in a queue is no message, dropped", extra={"error": type(exc).__name__})
            return True


class Transport(kombu_redis.Transport):
    """Hands messages to their consumer; one that cannot be taken in is dropped."""

    Channel = Channel

    def _deliver(self, message: Any, queue: str | None) -> None:
        try:
            _check_limits(message)
            super()._deliver(message, queue)
        except Exception as exc:
            if isinstance(exc, _BROKER_TROUBLE) and not isinstance(exc, DataError):
                raise
            # The outermost edge of one message: the worker, and what waits behind, are not to blame for it.
            logger.exception("message cannot be taken in, dropped", extra={"queue": queue})
            self._drop(message)

    def _drop(self, message: Any) -> None:
        """Acknowledge what was entered as being in hand: it would be put back when the worker stops."""
        with suppress(KeyError, TypeError):  # a message so broken has no tag: it was never entered as in hand
            tag = message["properties"]["delivery_tag"]
            for channel in self.channels or ():
                if channel.qos.get(tag):
                    channel.basic_ack(tag)


def _check_limits(message: Any) -> None:
    """Raise ValueError for time limits that are no pair: Celery finds out with the task in a slot already."""
    limits = (message["headers"] or {}).get("timelimit", (None, None))
    if not (isinstance(limits, list | tuple) and len(limits) == 2):
        raise ValueError(f"header timelimit is {limits!r}; expected a soft and a hard limit")


def install() -> None:
    """Make every redis:// and rediss:// connection of this process one of ours."""
    ours = f"{__name__}:{Transport.__name__}"
    TRANSPORT_ALIASES.update({"redis": ours, "rediss": ours})
