"""Questions that are answered in groups, but never two about the same thing at once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


def in_turns(
    questions: Sequence[Q],
    *,
    about: Callable[[Q], Hashable],
    answer_all: Callable[[Sequence[Q]], Sequence[A]],
) -> list[A]:
    """Answer in groups in which no two questions are about the same; those that are follow each other."""
    answers: dict[int, A] = {}
    left = list(enumerate(questions))
    while left:
        turn: dict[Hashable, tuple[int, Q]] = {}
        later = [one for one in left if turn.setdefault(about(one[1]), one) is not one]
        given = answer_all([question for _, question in turn.values()])
        answers |= {index: answer for (index, _), answer in zip(turn.values(), given, strict=True)}
        left = later
    return [answers[index] for index in range(len(questions))]
