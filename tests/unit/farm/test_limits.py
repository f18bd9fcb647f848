"""A body without end is stopped while it comes in, before anybody has stored it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from farm.limits import BodyLimit, Message, Receive, Scope, Send


class Reader:
    """An application that reads whatever comes, as Django does, and then answers."""

    def __init__(self) -> None:
        self.read = 0

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            self.read += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})


def answer_to(pieces: Iterable[bytes], *, length: bytes = b"") -> tuple[int, int, bytes]:
    """Send a body; return status, bytes that reached the application, and the answer's body."""
    sent: list[Message] = []
    reader = Reader()
    coming: list[dict[str, Any]] = [{"body": piece, "more_body": True} for piece in pieces]
    coming.append({"body": b""})

    async def receive() -> Message:
        return {"type": "http.request", **coming.pop(0)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "headers": [(b"content-length", length)] if length else []}
    asyncio.run(BodyLimit(reader, most=100)(scope, receive, send))
    return sent[0]["status"], reader.read, sent[1]["body"]


def test_a_body_within_the_bound_passes() -> None:
    assert answer_to([b"x" * 60, b"x" * 40])[:2] == (200, 100)


def test_a_body_that_never_ends_is_stopped_at_the_bound() -> None:
    status, read, body = answer_to([b"x" * 60] * 1000)
    assert (status, read) == (413, 60)
    assert json.loads(body)["status"] == 413


def test_a_body_that_is_declared_too_long_is_not_read_at_all() -> None:
    assert answer_to([b"x"], length=b"101")[:2] == (413, 0)
