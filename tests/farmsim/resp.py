"""A lean connection to the broker: commands are pipelined, answers come to callbacks, nobody waits.

One process speaks for 500 nodes, so a command must cost microseconds. All commands of one turn of the event
loop leave in one write. The protocol is RESP 2, as the broker speaks it before anybody asks for another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import unquote, urlsplit

Reply = Any
"""bytes, int, None, a list of these, or an Exception (what the broker refused, or that it is gone)."""
Then = Callable[[Reply], None]
Part = bytes | str | int

CONNECT_S: Final = 5.0


class Refused(Exception):
    """The broker answered with an error."""


class Gone(ConnectionError):
    """The connection was lost before the answer came."""


class Incomplete(Exception):
    """The rest of an answer has not arrived yet."""


def encode(parts: tuple[Part, ...]) -> bytes:
    """Write one command."""
    words = [part if isinstance(part, bytes) else str(part).encode() for part in parts]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


class Parser:
    """Turns what arrives into answers, however it was cut into packets."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0

    def feed(self, data: bytes) -> Iterator[Reply]:
        """Take in bytes; yield every answer that is whole."""
        self._data = self._data[self._at :] + data
        self._at = 0
        while self._at < len(self._data):
            begin = self._at
            try:
                reply = self._read()
            except Incomplete:
                self._at = begin
                return
            yield reply

    def _read(self) -> Reply:
        end = self._data.find(b"\r\n", self._at)
        if end < 0:
            raise Incomplete
        kind, line = self._data[self._at : self._at + 1], self._data[self._at + 1 : end]
        self._at = end + 2
        if kind == b"$":
            return self._bulk(int(line))
        if kind == b"*":
            return None if line == b"-1" else [self._read() for _ in range(int(line))]
        if kind == b":":
            return int(line)
        return line if kind == b"+" else Refused(line.decode(errors="replace"))

    def _bulk(self, size: int) -> Reply:
        if size < 0:
            return None
        end = self._at + size
        if len(self._data) < end + 2:
            raise Incomplete
        content = self._data[self._at : end]
        self._at = end + 2
        return content


class Line(asyncio.Protocol):
    """One connection. ``pushed`` is called with messages nobody asked for (publications)."""

    def __init__(self, *, pushed: Then | None = None, lost: Callable[[], None] = lambda: None) -> None:
        self._transport: asyncio.Transport | None = None
        self._parser = Parser()
        self._waiting: deque[Then | None] = deque()
        self._out: list[bytes] = []
        self._pushed = pushed
        self._lost = lost
        self.commands = 0

    @property
    def up(self) -> bool:
        """Whether it stands."""
        return self._transport is not None

    async def connect(self, url: str) -> None:
        """Open it and log in. Raises OSError, Gone, Refused."""
        parts = urlsplit(url)
        loop = asyncio.get_running_loop()
        await asyncio.wait_for(
            loop.create_connection(lambda: self, parts.hostname or "", parts.port or 6379), CONNECT_S
        )
        if parts.password:
            await self.ask("AUTH", unquote(parts.password))
        await self.ask("PING")

    def send(self, *parts: Part, then: Then | None = None) -> None:
        """Send a command; ``then`` gets its answer, or Gone. Without it the answer is dropped."""
        self.send_raw(encode(parts), then)

    def send_raw(self, command: bytes, then: Then | None = None) -> None:
        """Send a command that is written already."""
        if self._transport is None:
            if then:
                then(Gone("the broker is away"))
            return
        self.commands += 1
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out.append(command)
        self._waiting.append(then)

    async def ask(self, *parts: Part) -> Reply:
        """Send a command and wait for its answer. Raises what the broker refused, or Gone."""
        return await self.ask_raw(encode(parts))

    async def ask_raw(self, command: bytes) -> Reply:
        """The same with a command that is written already."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self.send_raw(command, lambda reply: None if future.done() else future.set_result(reply))
        reply = await future
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self) -> None:
        """Close it; what waits for an answer is told."""
        if self._transport is not None:
            self._transport.abort()

    def _flush(self) -> None:
        if self._transport is not None and self._out:
            self._transport.write(b"".join(self._out))
        self._out = []

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for reply in self._parser.feed(data):
            if self._pushed and isinstance(reply, list) and reply and reply[0] in (b"message", b"pmessage"):
                self._pushed(reply)
                continue
            then = self._waiting.popleft() if self._waiting else None
            if then:
                then(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._out = []
        waiting, self._waiting = self._waiting, deque()
        for then in waiting:
            if then:
                then(Gone(str(exc or "closed")))
        self._lost()
