"""One reader of the Redis stream in each process; its many open streams read what it has read."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import redis.asyncio
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections, connections
from redis.exceptions import RedisError

from apps.common.news import MOST_ENTRIES, STREAM, from_fields
from apps.desk.stream.readers import Reader, look_again
from apps.desk.stream.ring import NOWHERE, Bulletin, Place, Ring, as_text, place_in
from apps.desk.stream.subjects import changes_in

logger = logging.getLogger(__name__)

T = TypeVar("T")
BLOCK_MS: Final = 5_000
AT_ONCE: Final = 50
"""Entries that are looked up together."""
ROAD_DOWN: Final = (RedisError, OSError, DatabaseError, InterfaceError)
AGAIN_S: Final = (1.0, 4.0)
"""A Redis that is away is tried again after a time between these: not by all processes at once."""
LOOK_AGAIN_S: Final = 10.0
"""How long somebody may hear of a project they have left, at most."""
MOST_OF_A_PERSON: Final = 12
"""Streams that one person may have open in one process: a page in view has one."""
MOST_STREAMS: Final = 2_000
FULL_S: Final = 30
"""When to ask again for whom there is no seat."""

_streams: Final[Counter[UUID]] = Counter()
"""Open streams of this process, by person."""


def is_full(person: UUID) -> bool:
    """Whether this process has no seat for this person now: theirs are taken, or all are."""
    return _streams[person] >= MOST_OF_A_PERSON or sum(tuple(_streams.values())) >= MOST_STREAMS


class Hub:
    """What has been told, and who listens. It lives in one event loop; the database is asked in one thread.

    ``up``: news comes in; None: nobody knows yet. While it does not, whoever listens looks by himself.
    """

    def __init__(self) -> None:
        self.ring = Ring()
        self.up: bool | None = None
        self.turn = asyncio.Event()
        self._readers: set[Reader] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="events")
        self._tasks = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._watch_rights())]

    @contextmanager
    def seat(self, reader: Reader) -> Iterator[bool]:
        """Count somebody among those who listen; give False if all seats are taken.

        A view has looked before, in a thread of its own: of many that looked at once, here one comes first.
        """
        if is_full(reader.person):
            yield False
            return
        self._readers.add(reader)
        _streams[reader.person] += 1
        try:
            yield True
        finally:
            self._readers.discard(reader)
            _streams[reader.person] -= 1
            if not _streams[reader.person]:
                del _streams[reader.person]

    @property
    def readers(self) -> list[Reader]:
        """Who listens now."""
        return list(self._readers)

    async def close(self) -> None:
        """Stop reading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._in_thread(connections.close_all)
        self._thread.shutdown()

    def _wake(self) -> None:
        """Let everybody look: those who wait hold the event of this turn, the next ones get another."""
        turn, self.turn = self.turn, asyncio.Event()
        turn.set()

    async def _read(self) -> None:
        while True:
            try:
                await self._read_on()
                continue
            except Exception as exc:  # whatever it is: pages look by themselves until this reads again
                if self.up is not False or not _known(exc):
                    told = {"error": type(exc).__name__}
                    logger.warning("open pages hear of no changes", extra=told, exc_info=not _known(exc))
                self.up = False
                self._wake()
            await asyncio.sleep(random.uniform(*AGAIN_S))

    async def _read_on(self) -> None:
        """Read what there is, then what comes; return when so much came that some of it is gone unread."""
        client = redis.asyncio.Redis.from_url(
            settings.REDIS_URL,
            decode_responses=True,
            socket_connect_timeout=2,
            socket_timeout=3 * BLOCK_MS / 1000,
        )
        async with client:
            newest_first: list[Any] = await client.xrevrange(STREAM, count=MOST_ENTRIES) or []
            ring = Ring(_place(newest_first[-1]) if newest_first else NOWHERE)
            for start in range(0, len(newest_first), AT_ONCE):
                ring.add(await self._bulletins(newest_first[::-1][start : start + AT_ONCE]))
            self.ring = ring
            self.up = True
            self._wake()
            while True:
                place = as_text(self.ring.last)
                heard: Any = await client.xread({STREAM: place}, count=AT_ONCE, block=BLOCK_MS)
                for _name, entries in heard:
                    if len(entries) == AT_ONCE and await _is_cut(client, self.ring.last):
                        logger.info("news came faster than it was read; open pages look at everything")
                        return
                    self.ring.add(await self._bulletins(entries))
                    self._wake()

    async def _bulletins(self, entries: Sequence[Any]) -> list[Bulletin]:
        told = [from_fields(fields) for _place, fields in entries]
        changes = await self._in_thread(lambda: changes_in(told))
        return [Bulletin(_place(entry), each) for entry, each in zip(entries, changes, strict=True)]

    async def _watch_rights(self) -> None:
        while True:
            await asyncio.sleep(LOOK_AGAIN_S)
            await self.look_again()

    async def look_again(self) -> None:
        """Hold everybody against the rights they have now. Whose rights cannot be read listens no more."""
        readers = self.readers
        if not readers:
            return
        try:
            found = await self._in_thread(lambda: look_again(readers))
        except Exception as exc:  # whatever it is: the watch goes on, and nobody hears unwatched
            told = {"streams": len(readers), "error": type(exc).__name__}
            logger.warning("streams end: rights cannot be read", extra=told, exc_info=not _known(exc))
            found = dict.fromkeys(readers)
        for reader, rights in found.items():
            reader.ended = rights is None
            reader.rights = rights or reader.rights
        self._wake()

    async def _in_thread(self, ask: Callable[[], T]) -> T:
        """Ask the database, in the one thread (and with the one connection) kept for that."""

        def asked() -> T:
            close_old_connections()
            try:
                return ask()
            finally:
                close_old_connections()

        return await asyncio.get_running_loop().run_in_executor(self._thread, asked)


async def _is_cut(client: redis.asyncio.Redis, last: Place) -> bool:
    """Whether the stream begins behind what was read last, so that something between may be gone."""
    oldest: Any = await client.xrange(STREAM, count=1)
    return bool(oldest) and NOWHERE < last < _place(oldest[0])


def _known(exc: Exception) -> bool:
    """Whether it only says that something is away."""
    return isinstance(exc, ROAD_DOWN)


def _place(entry: Any) -> Place:
    return place_in(entry[0]) or NOWHERE


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """The hub of this event loop; it begins to read when it is first asked for."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        _hubs[loop] = Hub()
    return _hubs[loop]
