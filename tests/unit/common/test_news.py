"""What is told waits in its process, is gathered, and never keeps anybody waiting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from apps.common import news


class Stream:
    """A stand-in for the Redis client: keeps what is added, or is away."""

    def __init__(self) -> None:
        self.away = False
        self.entries: list[list[news.News]] = []

    def pipeline(self, **_options: Any) -> Stream:
        return self

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_exc: object) -> None:
        return None

    def xadd(self, _name: str, fields: dict[str, str], **_bounds: Any) -> None:
        if self.away:
            raise OSError
        self.entries.append(news.from_fields(fields))

    def execute(self) -> None:
        return None

    @property
    def told(self) -> list[news.News]:
        return [one for entry in self.entries for one in entry]


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    made = Stream()
    monkeypatch.setattr(news._Post, "_client", lambda _post: made)
    monkeypatch.setattr(news, "AWAY_S", 0.05)
    yield made
    made.away = False
    assert news.all_told(10)


@pytest.fixture
def post(stream: Stream) -> news._Post:
    return news._Post()


def test_what_is_told_often_is_told_once(post: news._Post, stream: Stream) -> None:
    for _ in range(1000):
        post.put("job", "", ["a"])
    post.put("farm", "", [])
    assert post.settle(10)
    assert len(stream.told) < 100
    assert set(stream.told) == {news.News("job", "", ("a",)), news.News("farm", "", ())}


def test_a_change_of_thousands_is_cut_into_entries_of_bounded_size(post: news._Post, stream: Stream) -> None:
    ids = [str(number) for number in range(news.MOST_IDS * 3 + 1)]
    post.put("shot", "film", ids)
    assert post.settle(10)
    assert [key for one in stream.told for key in one.ids] == ids
    assert all(sum(len(one.ids) for one in entry) <= news.MOST_IDS for entry in stream.entries)


def test_what_could_not_be_told_becomes_one_word_when_the_stream_is_back(
    post: news._Post, stream: Stream
) -> None:
    stream.away = True
    for number in range(50):
        post.put("job", "", [str(number)])
    assert post.settle(10)
    assert stream.told == []
    stream.away = False
    post.put("job", "", ["later"])
    while not stream.told:
        assert post.settle(10)
    assert news.News(news.MISSED, "", ()) in stream.told


def test_a_heap_that_nobody_takes_away_does_not_grow_for_ever(
    post: news._Post, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "MOST_WAITING", 3)
    post.put("job", "", ["a", "b", "c", "d"])
    while not stream.told:
        assert post.settle(10)
    assert stream.told == [news.News(news.MISSED, "", ())]
