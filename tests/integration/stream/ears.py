"""The web side in a loop of its own, and people who listen to its streams: real ASGI, without a socket."""

from __future__ import annotations

import asyncio
import gc
import json
import queue
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from apps.desk.stream.hub import hub
from apps.desk.stream.readers import Reader
from farm.asgi import application

T = TypeVar("T")
PATIENCE_S: Final = 20.0


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    name: str
    place: str
    data: dict[str, Any]


@dataclass
class Ear:
    """Somebody who asked for the stream. ``heard`` fills while it is open."""

    house: House
    status: Future[int] = field(default_factory=Future)
    headers: dict[str, str] = field(default_factory=dict)
    heard: queue.Queue[Event] = field(default_factory=queue.Queue)
    over: threading.Event = field(default_factory=threading.Event)
    body: bytes = b""
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    def next(self, name: str = "changed") -> Event:
        """The next event, which must be of this name."""
        event = self.heard.get(timeout=PATIENCE_S)
        assert event.name == name, event
        return event

    def until(self, fits: Callable[[Event], bool]) -> list[Event]:
        """All events up to the first that fits."""
        events = [self.heard.get(timeout=PATIENCE_S)]
        while not fits(events[-1]):
            events.append(self.heard.get(timeout=PATIENCE_S))
        return events

    def leave(self) -> None:
        """Close the connection, and wait until the web side has noticed."""
        self.house.loop.call_soon_threadsafe(self._left.set)
        assert self.over.wait(PATIENCE_S)

    async def run(self, path: str, query: str, headers: Mapping[str, str]) -> None:
        asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> dict[str, Any]:
            for message in asked:
                return message
            await self._left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                self.headers.update({k.decode().lower(): v.decode() for k, v in message["headers"]})
                self.status.set_result(message["status"])
            else:
                self._take(message.get("body", b""))

        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": query.encode(),
            "headers": [
                (name.lower().encode(), text.encode())
                for name, text in {"host": "testserver", **headers}.items()
            ],
        }
        try:
            await application(scope, receive, send)
        finally:
            self.over.set()

    def _take(self, piece: bytes) -> None:
        self.body += piece
        for block in piece.decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
            if "event" in lines:
                self.heard.put(Event(lines["event"], lines.get("id", ""), json.loads(lines["data"])))


class House:
    """An event loop in a thread, as a web process has one."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        self._ears: list[Ear] = []

    def listen(self, headers: Mapping[str, str], *, query: str = "", path: str = "/events") -> Ear:
        """Ask for the stream; return when the answer's status is known."""
        ear = self.do(self._ear())
        self._ears.append(ear)
        asyncio.run_coroutine_threadsafe(ear.run(path, query, headers), self.loop)
        ear.status.result(PATIENCE_S)
        return ear

    async def _ear(self) -> Ear:
        return Ear(self)

    def look_again(self) -> None:
        """Do now what is done every few seconds."""

        async def look() -> None:
            await hub().look_again()

        self.do(look())

    def readers(self) -> list[Reader]:
        """Who listens."""

        async def found() -> list[Reader]:
            return hub().readers

        return self.do(found())

    def do(self, what: Coroutine[Any, Any, T]) -> T:
        """Run something in the loop."""
        return asyncio.run_coroutine_threadsafe(what, self.loop).result(PATIENCE_S)

    def close(self) -> None:
        """Let everybody go."""
        for ear in self._ears:
            ear.leave()

        async def end() -> None:
            await hub().close()
            await asyncio.get_running_loop().shutdown_default_executor()

        self.do(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE_S)
        self.loop.close()
        gc.collect()  # connections of threads that have ended are closed, so that the database can be removed
