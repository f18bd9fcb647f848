"""An answer goes on after its request has ended, for as long as somebody listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from farm import handover
from farm.handover import KEY, Handover
from farm.limits import Message, Receive, Scope, Send


class Listener:
    """The other end of a connection."""

    def __init__(self, *, takes: bool = True) -> None:
        self.got: list[Any] = []
        self.left = asyncio.Event()
        self._takes = takes

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.got.append(message)
        if not self._takes and message["type"] == "http.response.body":
            await asyncio.Event().wait()

    @property
    def body(self) -> bytes:
        return b"".join(one.get("body", b"") for one in self.got)


def handing_over(stream: Any) -> Handover:
    async def view(scope: Scope, _receive: Receive, send: Send) -> None:
        scope[KEY] = stream
        headers = [(b"content-length", b"5"), (b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"empty"})

    return Handover(view)


def test_the_stream_takes_the_place_of_the_body_and_has_no_length() -> None:
    async def words() -> AsyncGenerator[bytes, None]:
        yield b"one "
        yield b"two"

    async def listen() -> Listener:
        listener = Listener()
        await handing_over(words)({"type": "http"}, listener.receive, listener.send)
        return listener

    listener = asyncio.run(listen())
    assert listener.body == b"one two"
    assert listener.got[0]["headers"] == [(b"content-type", b"text/plain")]
    assert listener.got[-1]["more_body"] is False


@pytest.mark.parametrize("takes", [True, False], ids=["leaves", "takes nothing in"])
def test_whoever_leaves_or_takes_nothing_in_is_let_go(takes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, "STUCK_S", 0.05)
    ended: list[bool] = []

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            yield b"word"
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def listen() -> None:
        listener = Listener(takes=takes)
        listening = asyncio.ensure_future(
            handing_over(endless)({"type": "http"}, listener.receive, listener.send)
        )
        if takes:
            while not listener.body:
                await asyncio.sleep(0)
            listener.left.set()
        await listening

    asyncio.run(listen())
    assert ended == [True]


def test_other_answers_pass_as_they_are() -> None:
    async def view(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async def listen() -> Listener:
        listener = Listener()
        await Handover(view)({"type": "http"}, listener.receive, listener.send)
        return listener

    listener = asyncio.run(listen())
    assert listener.body == b"ok"
    assert listener.got[0]["headers"] == [(b"content-length", b"2")]
