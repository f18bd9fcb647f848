"""Calls to the coordinator: a task message goes out, its result comes back or does not in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from tests.farmsim import wire
from tests.farmsim.resp import Line, Reply

LOOK_S: Final = 0.1
"""How often results are asked for that were not heard of: a publication is not repeated."""
Answered = Callable[[Any], None]


@dataclass
class Call:
    """One call under way. ``answered`` gets the result, or None if none came."""

    answered: Answered
    timer: asyncio.TimerHandle
    since: float


class Calls:
    """All calls of all nodes."""

    def __init__(self, line: Callable[[], Line], loop: asyncio.AbstractEventLoop) -> None:
        self._line = line
        self._loop = loop
        self._waiting: dict[str, Call] = {}
        self.unanswered = 0

    def call(
        self,
        task: str,
        argument: object,
        queue: str,
        patience_s: float,
        answered: Answered,
        *,
        argsrepr: str = "",
    ) -> None:
        """Call a task. ``answered`` is called once: with its result, or with None after ``patience_s``."""
        task_id = wire.new_id()
        timer = self._loop.call_later(patience_s, self._settle, task_id, None)
        self._waiting[task_id] = Call(answered, timer, self._loop.time())
        message = wire.task_message(task, argument, queue=queue, task_id=task_id, argsrepr=argsrepr)
        self._line().send("LPUSH", queue, message, then=lambda reply: self._sent(task_id, reply))

    def _sent(self, task_id: str, reply: Reply) -> None:
        """A call the broker did not take is not waited for."""
        if isinstance(reply, Exception):
            self._loop.call_soon(self._settle, task_id, None)

    def heard(self, channel: bytes, content: bytes) -> None:
        """A result was published."""
        task_id = channel.decode().removeprefix(wire.RESULT_PREFIX)
        if task_id in self._waiting:
            self._found(task_id, content)

    def look(self) -> None:
        """Ask for the results of calls that have waited for a while."""
        now = self._loop.time()
        old = [task_id for task_id, call in self._waiting.items() if now - call.since > LOOK_S]
        if old:
            self._line().send("MGET", *map(wire.result_key, old), then=lambda found: self._looked(old, found))

    def _looked(self, asked: list[str], found: Reply) -> None:
        if isinstance(found, list):
            for task_id, content in zip(asked, found, strict=True):
                if content is not None and task_id in self._waiting:
                    self._found(task_id, content)

    def _found(self, task_id: str, content: bytes) -> None:
        result = wire.answer(content)
        if result is not None:
            self._line().send("DEL", wire.result_key(task_id))
            self._settle(task_id, result)

    def _settle(self, task_id: str, result: Any) -> None:
        call = self._waiting.pop(task_id, None)
        if call is not None:
            call.timer.cancel()
            self.unanswered += result is None
            call.answered(result)
