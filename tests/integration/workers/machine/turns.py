"""Threads that move one at a time, when told to, and lives that end between any two of their steps."""

from __future__ import annotations

from collections.abc import Callable
from threading import Condition, Thread, local
from typing import Final

PATIENCE_S: Final = 60.0
_here: Final = local()


class Killed(BaseException):
    """The process is gone: nothing of this thread runs any more, no handler and no report."""


class Actor:
    """A thread of the node, which stands still wherever it would wait."""

    def __init__(self, name: str, what: Callable[[], None]) -> None:
        self.ended = self.waits = False
        self.error: BaseException | None = None
        self._turn = Condition()
        self._what = what
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def begin(self) -> None:
        """Run until it waits for the first time, or ends."""
        self._thread.start()
        self._until_it_waits()

    def go_on(self) -> None:
        """Run until it waits again, or ends."""
        if not self.ended:
            with self._turn:
                self.waits = False
                self._turn.notify_all()
            self._until_it_waits()

    def wait(self) -> None:
        """In the thread itself: stand still until it is told to go on."""
        with self._turn:
            self.waits = True
            self._turn.notify_all()
            assert self._turn.wait_for(lambda: not self.waits, PATIENCE_S), "nobody told this thread to go on"

    def _until_it_waits(self) -> None:
        with self._turn:
            assert self._turn.wait_for(lambda: self.waits or self.ended, PATIENCE_S), "a thread is stuck"
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            self._what()
        except Killed:
            pass
        except BaseException as exc:  # noqa: BLE001 - raised where the test waits
            self.error = exc
        with self._turn:
            self.ended = True
            self._turn.notify_all()


class Mortality:
    """A life's end: at once, or at the edge (a request, a file, an answer) that ``dies_at`` names."""

    def __init__(self) -> None:
        self.dead = False
        self.dies_at: str | None = None
        self.actors: list[Actor] = []

    def edge(self, what: str) -> None:
        """Pass an edge of the process, unless this is where it dies."""
        self.dead = self.dead or what == self.dies_at
        if self.dead:
            raise Killed(what)

    def act(self, name: str, what: Callable[[], None]) -> None:
        """Begin a thread of this life."""

        def run() -> None:
            _here.mortality, _here.actor = self, actor
            what()

        actor = Actor(name, run)
        self.actors.append(actor)
        actor.begin()

    def go_on(self) -> None:
        """Give every thread a turn; those that have ended are forgotten."""
        for actor in self.actors:
            actor.go_on()
        self.actors = [actor for actor in self.actors if not actor.ended]

    def bury(self) -> None:
        """Let every thread notice that it is dead."""
        self.dead = True
        while self.actors:
            self.go_on()


def give_way(_seconds: float = 0.0) -> None:
    """Where the node would wait: let others go on."""
    _here.mortality.edge("wait")
    _here.actor.wait()
    _here.mortality.edge("waited")
