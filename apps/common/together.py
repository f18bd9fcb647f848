"""Group commit: whoever finds nobody at work does the work of all who came meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from threading import Event, Lock
from typing import Final, Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")

MOST: Final = 64
"""Questions answered at once: enough to share a transaction's cost, few enough to answer soon."""


class _Ticket(Generic[Q, A]):
    """One thread's question. ``turn`` wakes the thread: it has its answer, or leads the next group."""

    def __init__(self, question: Q) -> None:
        self.question = question
        self.turn = Event()
        self.answers: list[A] = []
        self.error: Exception | None = None

    @property
    def is_answered(self) -> bool:
        return bool(self.answers) or self.error is not None


class Together(Generic[Q, A]):
    """Gathers the questions of many threads: one of them answers a whole group by ``answer_all``.

    An idle moment costs nothing: a question that comes alone is answered at once, in the asking thread. While
    it is being answered, others gather, and the first of these answers them all.

    ``answer_all`` answers in the order of the questions, and answers all or raises, nothing done. After an
    error each question of the group is asked alone, so that only the one at fault hears of it.
    """

    def __init__(self, answer_all: Callable[[Sequence[Q]], Sequence[A]], *, most: int = MOST) -> None:
        self._answer_all = answer_all
        self._most = most
        self._lock = Lock()
        self._waiting: deque[_Ticket[Q, A]] = deque()
        self._at_work = False

    @property
    def waiting(self) -> int:
        """How many questions wait for their group's turn."""
        with self._lock:
            return len(self._waiting)

    def ask(self, question: Q) -> A:
        """Return the answer to this question; raise what answering it alone raises."""
        ticket = _Ticket[Q, A](question)
        with self._lock:
            self._waiting.append(ticket)
            leads, self._at_work = not self._at_work, True
        if not leads:
            ticket.turn.wait()
        if not ticket.is_answered:
            self._lead()
        if ticket.error is not None:
            raise ticket.error
        return ticket.answers[0]

    def _lead(self) -> None:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
        try:
            self._answer(group)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._at_work = following is not None
            for ticket in (*group, *((following,) if following else ())):
                ticket.turn.set()

    def _answer(self, group: list[_Ticket[Q, A]]) -> None:
        try:
            answers = self._answer_all([ticket.question for ticket in group])
        except Exception as exc:  # noqa: BLE001 - raised in the thread whose question it was, once that is known
            if len(group) == 1:
                group[0].error = exc
                return
            for ticket in group:
                self._answer([ticket])
            return
        for ticket, answer in zip(group, answers, strict=True):
            ticket.answers.append(answer)


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
