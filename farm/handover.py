"""An answer that goes on for hours, after Django has let go of its request.

Django keeps a thread, and a database connection in it, for as long as a request lasts. A view that wants to
go on talking checks who asks, leaves a stream with :func:`hand_over` and returns an answer; its status and
headers go out, the request ends with all it held, and the event loop alone pours the stream.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Any, Final

from django.http import HttpRequest

from farm.limits import Application, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

Stream = AsyncGenerator[bytes, None]
KEY: Final = "shotfarm.handover"
STUCK_S: Final = 30.0
"""Whoever takes nothing in for so long is let go; it can ask again."""


def hand_over(request: HttpRequest, stream: Callable[[], Stream]) -> bool:
    """Let ``stream`` be the body of this request's answer; return False where the server cannot do that."""
    scope: Scope | None = getattr(request, "scope", None)
    if scope is None:
        return False
    scope[KEY] = stream
    return True


class Handover:
    """An ASGI application in front of Django's, which pours what views hand over."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def begin(message: Message) -> None:
            if KEY not in scope:
                await send(message)
            elif message["type"] == "http.response.start":
                await send({**message, "headers": _without_length(message)})

        await self._inner(scope, receive, begin)
        if KEY in scope:
            async with aclosing(scope[KEY]()) as stream:
                await _pour(stream, receive, send)


def _without_length(message: Message) -> list[Any]:
    return [(name, text) for name, text in message["headers"] if name.lower() != b"content-length"]


async def _pour(stream: Stream, receive: Receive, send: Send) -> None:
    """Send what comes until it ends, or nobody listens any more."""
    both = [asyncio.ensure_future(_send_all(stream, send)), asyncio.ensure_future(_until_left(receive))]
    try:
        done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for one in both:
            one.cancel()
        for one in both:
            with suppress(asyncio.CancelledError, TimeoutError):
                await one
    if any(not one.cancelled() and isinstance(one.exception(), TimeoutError) for one in done):
        logger.info("a stream's reader takes nothing in and is let go")


async def _send_all(stream: Stream, send: Send) -> None:
    async for piece in stream:
        sending = send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.wait_for(sending, STUCK_S)
    await asyncio.wait_for(send({"type": "http.response.body", "body": b"", "more_body": False}), STUCK_S)


async def _until_left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
