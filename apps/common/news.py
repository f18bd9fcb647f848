"""What changed, told to open pages: after the commit, into a short Redis stream, and never in a writer's way.

:func:`tell` is called where changes are written down anyway (state events, activity, nodes' reports). What it
is given waits for the commit, then for a thread of this process that puts it into the stream. Where Redis is
away, pages look by themselves now and then; the writer notices nothing.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final
from uuid import UUID

import redis
from django.conf import settings
from django.db import transaction
from redis.typing import EncodableT

logger = logging.getLogger(__name__)

STREAM: Final = "shotfarm.news"
FIELD: Final = "news"
MOST_ENTRIES: Final = 2_000
"""How far the stream reaches back, about: whoever was away for longer looks at everything again."""
MOST_IDS: Final = 500
"""Ids of one entry; more are told in several."""
MOST_WAITING: Final = 50_000
"""Ids that may wait for Redis in one process."""
BREATH_S: Final = 0.05
"""What is told within this time of something else goes together with what follows it."""
AWAY_S: Final = 2.0
"""How long a Redis that did not answer is left alone."""
FAREWELL_S: Final = 1.0
"""How long a process that ends waits for its last news to be told."""

MISSED: Final = "missed"
"""The kind that says: something is missing here, look at everything."""
STORY: Final = "story"
"""The kind of an id that is the story of state events: a job's, where it is one of a job at all."""

PERSONAL: Final = "notice"
"""The kind whose ids are people's: each hears of it alone."""


@dataclass(frozen=True)
class News:
    """Things of one kind that changed. ``project``: a key of apps.projects, "" where nobody said which."""

    kind: str
    project: str
    ids: tuple[str, ...]


def tell(kind: str, ids: Iterable[UUID | str] = (), *, project: UUID | None = None) -> None:
    """Tell open pages that these changed, once this transaction is committed (at once if there is none)."""
    told = tuple(map(str, ids))
    transaction.on_commit(partial(_post.put, kind, str(project or ""), told), robust=True)


def to_fields(news: Iterable[News]) -> dict[EncodableT, EncodableT]:
    """Write an entry of the stream."""
    rows = [[one.kind, one.project, one.ids] for one in news]
    return {FIELD: json.dumps(rows, separators=(",", ":"))}


def from_fields(fields: Mapping[str, str]) -> list[News]:
    """Read an entry. One that is none of ours says that something is missing."""
    try:
        return [
            News(str(kind), str(project), tuple(map(str, ids)))
            for kind, project, ids in json.loads(fields.get(FIELD, ""))
        ]
    except (ValueError, TypeError, RecursionError):
        return [News(MISSED, "", ())]


class _Post:
    """This process's road to the stream: a heap of what is to be told, and one thread that tells it."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew, with an empty heap and no thread: also in a process that was just forked."""
        self._changed = threading.Condition()
        self._heap: dict[tuple[str, str], dict[str, None]] = {}
        self._waiting = 0
        self._lost = False
        self._busy = False
        self._thread: threading.Thread | None = None
        self._clients: dict[str, redis.Redis] = {}

    def put(self, kind: str, project: str, ids: Sequence[str]) -> None:
        """Leave something to be told. It takes microseconds, whatever becomes of Redis."""
        with self._changed:
            if self._waiting + len(ids) > MOST_WAITING:
                self._lost = True
            else:
                self._heap.setdefault((kind, project), {}).update(dict.fromkeys(ids))
                self._waiting += len(ids)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="news", daemon=True)
                self._thread.start()
            self._changed.notify()

    def settle(self, patience_s: float) -> bool:
        """Wait until all is told; return whether it was."""
        with self._changed:
            return self._changed.wait_for(lambda: not (self._heap or self._busy), patience_s)

    def _run(self) -> None:
        while True:
            news = self._take()
            told = self._send(news)
            with self._changed:
                self._lost |= not told
                self._busy = False
                self._changed.notify_all()
            time.sleep(BREATH_S if told else AWAY_S)

    def _take(self) -> list[News]:
        with self._changed:
            self._changed.wait_for(lambda: self._heap or self._lost)
            heap, self._heap, self._waiting, self._busy = self._heap, {}, 0, True
            lost, self._lost = self._lost, False
        news = [News(kind, project, part) for (kind, project), ids in heap.items() for part in _portions(ids)]
        return [*news, News(MISSED, "", ())] if lost else news

    def _send(self, news: Sequence[News]) -> bool:
        """Put it into the stream; return False, having said so once, if that cannot be done."""
        try:
            with self._client().pipeline(transaction=False) as pipe:
                for entry in _entries(news):
                    pipe.xadd(STREAM, to_fields(entry), maxlen=MOST_ENTRIES, approximate=True)
                pipe.execute()
        except (redis.RedisError, OSError) as exc:
            if not any(one.kind == MISSED for one in news):
                logger.warning("pages are not told of changes", extra={"error": type(exc).__name__})
            return False
        return True

    def _client(self) -> redis.Redis:
        url = settings.REDIS_URL
        if url not in self._clients:
            self._clients[url] = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        return self._clients[url]


def _portions(ids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    left = iter(ids)
    yield tuple(islice(left, MOST_IDS))
    while part := tuple(islice(left, MOST_IDS)):
        yield part


def _entries(news: Sequence[News]) -> Iterator[list[News]]:
    """Put into one entry what fits into it: the stream is bounded by their number."""
    entry: list[News] = []
    for one in news:
        if entry and sum(len(each.ids) for each in entry) + len(one.ids) > MOST_IDS:
            yield entry
            entry = []
        entry.append(one)
    if entry:
        yield entry


_post: Final = _Post()
os.register_at_fork(after_in_child=_post.forget)


def all_told(patience_s: float = FAREWELL_S) -> bool:
    """Wait until everything this process has to tell is told; return whether it was."""
    return _post.settle(patience_s)


atexit.register(all_told)
