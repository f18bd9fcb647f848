"""Group commit: one thread answers for all who came meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from apps.common.together import Together, in_turns

PATIENCE_S = 20


class Desk:
    """Doubles numbers, keeps what it was asked together, and can be held while others queue up."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.threads: list[int] = []
        self.open = threading.Event()
        self.busy = threading.Event()
        self.open.set()

    def double(self, numbers: Sequence[int]) -> list[int]:
        self.groups.append(list(numbers))
        self.threads.append(threading.get_ident())
        self.busy.set()
        assert self.open.wait(PATIENCE_S)
        if any(number < 0 for number in numbers):
            raise ValueError("no negative numbers")
        return [2 * number for number in numbers]


def ask_while_busy(together: Together[int, int], desk: Desk, numbers: Sequence[int]) -> list[object]:
    """Ask 0 and hold the desk; let one thread ask each number; open, and return answers and errors."""
    desk.open.clear()

    def ask(number: int) -> object:
        try:
            return together.ask(number)
        except ValueError as error:
            return error

    with ThreadPoolExecutor(len(numbers) + 1) as threads:
        first = threads.submit(ask, 0)
        assert desk.busy.wait(PATIENCE_S)
        asked = [threads.submit(ask, number) for number in numbers]
        while together.waiting < len(numbers):
            threading.Event().wait(0.001)
        desk.open.set()
        assert first.result(PATIENCE_S) == 0
        return [one.result(PATIENCE_S) for one in asked]


def test_who_comes_alone_is_answered_at_once_in_the_own_thread() -> None:
    desk = Desk()
    together = Together(desk.double)
    assert [together.ask(1), together.ask(2)] == [2, 4]
    assert desk.groups == [[1], [2]]
    assert set(desk.threads) == {threading.get_ident()}


def test_fifty_who_come_while_one_is_answered_are_answered_together() -> None:
    desk = Desk()
    numbers = list(range(1, 51))
    assert ask_while_busy(Together(desk.double), desk, numbers) == [2 * number for number in numbers]
    assert [len(group) for group in desk.groups] == [1, 50]
    assert sorted(desk.groups[1]) == numbers


def test_a_group_is_bounded() -> None:
    desk = Desk()
    answers = ask_while_busy(Together(desk.double, most=20), desk, range(1, 51))
    assert answers == [2 * number for number in range(1, 51)]
    assert [len(group) for group in desk.groups] == [1, 20, 20, 10]


def test_one_bad_question_in_a_group_is_nobody_elses_trouble() -> None:
    desk = Desk()
    answers = ask_while_busy(Together(desk.double), desk, [1, -2, 3])
    assert len(desk.groups[1]) == 3, "they were not asked together"
    assert [answers[0], answers[2]] == [2, 6]
    assert isinstance(answers[1], ValueError)


def test_after_an_error_the_next_question_is_answered() -> None:
    together = Together(Desk().double)
    with pytest.raises(ValueError, match="negative"):
        together.ask(-1)
    assert together.ask(4) == 8


def test_questions_about_the_same_thing_follow_each_other_in_their_order() -> None:
    groups: list[list[str]] = []

    def answer(words: Sequence[str]) -> list[str]:
        groups.append(list(words))
        return [word.upper() for word in words]

    words = ["a1", "b1", "a2", "c1", "a3"]
    assert in_turns(words, about=lambda word: word[0], answer_all=answer) == ["A1", "B1", "A2", "C1", "A3"]
    assert groups == [["a1", "b1", "c1"], ["a2"], ["a3"]]
