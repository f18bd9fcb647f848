"""How much a request may carry, checked while it comes in.

Django stores a whole body on disk before any view may refuse it; whoever sends without end would fill it.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BYTES: Final = 32 * 1024**2
"""Above all the farm takes: reference pictures 20 MB, pieces of rendered files 8 MiB, forms 25 MB."""


class _TooMuch(Exception):
    """The body is longer than allowed."""


class BodyLimit:
    """An ASGI application in front of another one: more than ``most`` bytes of body are answered by 413."""

    def __init__(self, inner: Application, *, most: int = MOST_BYTES) -> None:
        self._inner = inner
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        came = 0

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most:
                raise _TooMuch
            return message

        try:
            if _declared(scope) > self._most:
                raise _TooMuch
            await self._inner(scope, counted, send)
        except _TooMuch:
            await self._refuse(send)

    async def _refuse(self, send: Send) -> None:
        body = json.dumps(
            {
                "type": "about:blank",
                "title": "Content Too Large",
                "status": 413,
                "detail": f"A request may carry at most {self._most} bytes.",
                "errors": [],
            }
        ).encode()
        headers = [
            (b"content-type", b"application/problem+json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _declared(scope: Scope) -> int:
    text = dict(scope["headers"]).get(b"content-length", b"0")
    return int(text) if text.isdigit() else 0
