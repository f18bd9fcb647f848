"""Messages that come while others are answered are answered together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from farm.gathering import Gathering, Message

PATIENCE_S = 20


class Desk:
    """Doubles numbers, keeps what it was asked together, and can be held while others queue up."""

    def __init__(self, **options: Any) -> None:
        self.groups: list[list[int]] = []
        self.answers: dict[str, int] = {}
        self.refused: dict[str, Exception] = {}
        self.done: list[str] = []
        self.undelivered: list[dict[str, int]] = []
        self.is_deaf = False
        self.open = threading.Event()
        self.open.set()
        self.busy = threading.Event()
        self._threads = ThreadPoolExecutor(4)
        self._begun: list[Future[None]] = []
        self._gathering = Gathering(
            self.double, begin=self._begin, deliver=self._deliver, refuse=self.refused.__setitem__, **options
        )

    def double(self, numbers: Sequence[int]) -> list[int]:
        self.groups.append(list(numbers))
        self.busy.set()
        assert self.open.wait(PATIENCE_S)
        if any(number < 0 for number in numbers):
            raise ValueError("no negative numbers")
        return [2 * number for number in numbers]

    def ask(self, *numbers: int) -> None:
        for number in numbers:
            key = str(number)
            self._gathering.add(Message(key, number, partial(self.done.append, key)))

    def ask_while_busy(self, numbers: Iterable[int]) -> None:
        """Ask 0, and the others while it is being answered; return once all are."""
        self.open.clear()
        self.ask(0)
        assert self.busy.wait(PATIENCE_S)
        self.ask(*numbers)
        self.open.set()
        self.finish()

    def finish(self) -> None:
        """Wait for the threads at work."""
        for begun in self._begun:
            begun.result(PATIENCE_S)

    def _begin(self, work: Callable[[], None]) -> None:
        self._begun.append(self._threads.submit(work))

    def _deliver(self, answers: dict[str, int]) -> None:
        if self.is_deaf:
            self.undelivered.append(answers)
            raise OSError("the result backend is away")
        self.answers |= answers


def test_who_comes_alone_is_answered_alone() -> None:
    desk = Desk()
    desk.ask(1)
    desk.finish()
    desk.ask(2)
    desk.finish()
    assert desk.groups == [[1], [2]]
    assert desk.answers == {"1": 2, "2": 4}


def test_fifty_who_come_while_one_is_answered_are_answered_together() -> None:
    desk = Desk()
    desk.ask_while_busy(range(1, 51))
    assert [len(group) for group in desk.groups] == [1, 50]
    assert desk.answers == {str(number): 2 * number for number in range(51)}


def test_a_group_is_bounded_and_the_broker_keeps_what_is_too_much() -> None:
    desk = Desk(most=20)
    kept: list[int] = []
    double = desk.double

    def count_those_not_done(numbers: Sequence[int]) -> list[int]:
        kept.append(51 - len(desk.done))
        return double(numbers)

    desk._gathering._answer_all = count_those_not_done
    desk.ask_while_busy(range(1, 51))
    assert [len(group) for group in desk.groups] == [1, 20, 20, 10]
    assert kept == [50, 30, 10, 0]


def test_one_bad_message_in_a_group_is_nobody_elses_trouble() -> None:
    desk = Desk()
    desk.ask_while_busy([1, -2, 3])
    assert len(desk.groups[1]) == 3, "they were not asked together"
    assert desk.answers == {"0": 0, "1": 2, "3": 6}
    assert [(key, type(error)) for key, error in desk.refused.items()] == [("-2", ValueError)]


def test_a_pool_that_takes_nothing_once_is_asked_again_by_whoever_comes_next() -> None:
    desk = Desk()
    begin = desk._gathering._begin

    def full(work: Callable[[], None]) -> None:
        desk._gathering._begin = begin
        raise RuntimeError("can't start new thread")

    desk._gathering._begin = full
    with pytest.raises(RuntimeError, match="new thread"):
        desk.ask(1)
    desk.ask(2)
    desk.finish()
    assert desk.answers == {"1": 2, "2": 4}


def test_after_answers_that_could_not_be_delivered_the_next_message_is_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()
    desk.is_deaf = True
    desk.ask(1)
    desk.finish()
    assert desk.undelivered == [{"1": 2}]
    assert "messages not answered" in caplog.text
    desk.is_deaf = False
    desk.ask(4)
    desk.finish()
    assert desk.answers == {"4": 8}
