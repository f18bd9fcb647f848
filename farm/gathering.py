"""Messages of one task are answered in groups: a consumer strategy for Celery.

Celery gives every message a turn of its own: a thread, a context, two trips to the result backend. Where
hundreds of nodes speak every second, that costs more than the answers.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final, cast

from celery import Celery, Task, states
from celery.exceptions import InvalidTaskError
from django.db import close_old_connections

from farm.results import UnwatchedResults

logger = logging.getLogger(__name__)

MOST: Final = 64
"""Messages answered at once: enough to share a transaction's cost, few enough to answer soon."""


class GroupTask(Task[Any, Any]):
    """A task that is called with the payloads of many messages, and returns an answer to each, in order.

    It answers all or raises, nothing done: then each message is tried alone, so that only the one at fault
    hears of it. A message has one argument. Events and retries are left out: nobody watches these messages.
    """

    abstract = True
    Strategy = f"{__name__}:strategy"
    send_events = False


@dataclass(frozen=True)
class Message:
    """What somebody asks. ``done``: the broker may forget it."""

    id: str
    payload: Any
    done: Callable[[], object]


class Gathering:
    """Whoever finds nobody at work does the work of all who come meanwhile.

    An idle moment costs nothing: a message that comes alone is answered at once. While it is, others gather.
    ``begin`` runs a function in a thread of its own. Messages are told done as their group begins, so that
    the broker keeps back what is too much.
    """

    def __init__(
        self,
        answer_all: Callable[[Sequence[Any]], Sequence[Any]],
        *,
        begin: Callable[[Callable[[], None]], object],
        deliver: Callable[[dict[str, Any]], object],
        refuse: Callable[[str, Exception], object],
        most: int = MOST,
    ) -> None:
        self._answer_all = answer_all
        self._begin = begin
        self._deliver = deliver
        self._refuse = refuse
        self._most = most
        self._lock = Lock()
        self._waiting: deque[Message] = deque()
        self._at_work = False

    def add(self, message: Message) -> None:
        """Take a message; it is answered soon."""
        with self._lock:
            self._waiting.append(message)
            leads, self._at_work = not self._at_work, True
        if leads:
            try:
                self._begin(self._work)
            except BaseException:  # the pool takes no more just now: whoever comes next tries again
                with self._lock:
                    self._at_work = False
                raise

    def _work(self) -> None:
        while group := self._take():
            try:
                for message in group:
                    message.done()
                self._answer(group)
            except Exception:  # the outermost edge of a group: who asked asks again
                logger.exception("messages not answered", extra={"count": len(group)})

    def _take(self) -> list[Message]:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))]
            self._at_work = bool(group)
        return group

    def _answer(self, group: Sequence[Message]) -> None:
        try:
            answers = self._answer_all([message.payload for message in group])
        except Exception as exc:  # told to whose message it is, once that is known: each is tried alone
            if len(group) > 1:
                for message in group:
                    self._answer([message])
                return
            logger.exception("message not answered", extra={"message_id": group[0].id})
            self._refuse(group[0].id, exc)
            return
        self._deliver({message.id: answer for message, answer in zip(group, answers, strict=True)})


def strategy(task: GroupTask, app: Celery, consumer: Any, **_: Any) -> Callable[..., None]:
    """Make the handler of a task's messages (Celery's Task.Strategy)."""
    errors, heard = consumer.connection_errors, not task.ignore_result
    results = cast(UnwatchedResults, app.backend)

    def answer_all(payloads: Sequence[Any]) -> Sequence[Any]:
        close_old_connections()  # as around any task
        try:
            answers: Sequence[Any] = task.run(payloads)
            return answers
        finally:
            close_old_connections()

    def begin(work: Callable[[], None]) -> None:
        consumer.pool.apply_async(work, args=(), kwargs={})

    def deliver(answers: dict[str, Any]) -> None:
        if heard:
            results.store_answers(answers)

    def refuse(message_id: str, error: Exception) -> None:
        if heard:
            results.store_result(message_id, error, states.FAILURE)

    gathering = Gathering(answer_all, begin=begin, deliver=deliver, refuse=refuse)

    def handle(message: Any, _body: Any, ack: Any, _reject: Any, _callbacks: Any, **_: Any) -> None:
        gathering.add(Message(message.headers["id"], _payload(message), lambda: ack(logger, errors)))

    return handle


def _payload(message: Any) -> Any:
    args = message.payload[0]
    if len(args) != 1:
        raise InvalidTaskError(f"the message has {len(args)} arguments, expected 1")
    return args[0]
