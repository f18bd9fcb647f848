"""Follow a prompt from the queue to its real end.

The websocket brings progress; the truth is asked for by ``lookup``: when a message says the end is
here, after every reconnection, and whenever nothing was heard for :data:`QUIET_S`. A socket that is silent
while the prompt executes is opened anew before the silence is called a hang: another one may have taken
its place.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from workers.comfy.client import ComfyClient, Graph
from workers.comfy.errors import (
    BadAnswer,
    ComfyError,
    ExecutorDead,
    Hung,
    Interrupted,
    InterruptIgnored,
    MadeWay,
    SlowAnswer,
    TimedOut,
    Unreachable,
    Vanished,
)
from workers.comfy.fraction import GraphProgress
from workers.comfy.outputs import OutputFile
from workers.comfy.pace import Pace
from workers.comfy.progress import Cached, Ended, Event, ProgressSocket, Reconnected
from workers.comfy.standing import Ending, Standing, State

logger = logging.getLogger(__name__)

POLL_S: Final = 0.25
QUIET_S: Final = 2.0
DOUBT_S: Final = 20.0
"""How long an executing prompt may be silent before its socket is doubted; at most half the hang limit."""


CLOCKS_S: Final = 1.0
"""By so much ComfyUI's clock may have run longer than ours since the prompt was queued."""

HISTORY_TRAILS_S: Final = 2.0
HISTORY_STEP_S: Final = 0.02
RACE_S: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A prompt that succeeded. Seconds: in ComfyUI's queue by our clock, executing by ComfyUI's, unless that
    clock was set meanwhile.
    """

    outputs: tuple[OutputFile, ...]
    queued_s: float
    executed_s: float


class Listener(Protocol):
    """Told how the prompt fares, from the following thread."""

    def queued(self) -> None:
        """ComfyUI has the prompt."""

    def started(self) -> None:
        """It executes."""

    def cached(self, nodes: tuple[str, ...]) -> None:
        """It has the outputs of these nodes from ComfyUI's cache."""

    def progress(self, fraction: float, doing: str) -> None:
        """So much of the graph is done, 0 to 1, never falling; ``doing`` names the node at work."""


def follow(
    client: ComfyClient,
    prompt_id: str,
    *,
    socket: ProgressSocket,
    graph: Graph,
    listener: Listener,
    should_stop: Callable[[], bool],
    execution_timeout_s: float,
    hang_s: float,
    interrupt_s: float,
    lost_s: float,
    makes_way: Callable[[], bool] = lambda: False,
    pace: Pace | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Finished:
    """Block until the submitted prompt has ended; return what it made or raise why it made nothing.

    ``execution_timeout_s`` counts from the start of execution: waiting behind another prompt costs
    nothing. ``hang_s`` bounds the time without progress while executing (between two steps ``pace`` may
    allow less), and the time pending while nothing runs. On ``should_stop()``, time-out and hang the prompt
    is interrupted, again and again, and followed until ComfyUI confirms its end, ``interrupt_s`` at most. A
    prompt that succeeds all the same is Finished. ``lost_s`` bounds the time that ComfyUI may be away. While
    ``makes_way()`` holds, a prompt that waits is taken out of the queue; one that executes goes on.

    Raises ExecutionFailed (OutOfMemory, InputUnreadable), Interrupted, MadeWay, TimedOut, Hung (ExecutorDead,
    InterruptIgnored), Vanished, UnsafePath; BadAnswer if there is no better one for ``lost_s``.
    """
    follower = _Follower(
        client, prompt_id, socket=socket, graph=graph, listener=listener, pace=pace or Pace(), clock=clock
    )
    listener.queued()
    while True:
        finished = follower.advance(lost_s, min(DOUBT_S, hang_s / 2))
        if finished is not None:
            return finished
        if makes_way():
            follower.make_way()
        reason = follower.overdue(execution_timeout_s, hang_s)
        if reason is None and should_stop():
            reason = Interrupted("The render was stopped as asked")
        follower.stop(reason, interrupt_s)


class _Follower:
    """What is known of one prompt, and since when."""

    def __init__(
        self,
        client: ComfyClient,
        prompt_id: str,
        *,
        socket: ProgressSocket,
        graph: Graph,
        listener: Listener,
        pace: Pace,
        clock: Callable[[], float],
    ) -> None:
        self._client = client
        self._prompt_id = prompt_id
        self._socket = socket
        self._progress = GraphProgress(graph)
        self._listener = listener
        self._pace = pace
        self._clock = clock
        self._queued = self._heard = self._asked = self._moved = self._doubted = clock()
        self._started: float | None = None
        self._idle: float | None = None  # pending, and nothing runs
        self._lost: float | None = None  # no answer to lookups
        self._was_away = False
        self._stopping: ComfyError | None = None
        self._stop_by = 0.0
        self._withdrawn: MadeWay | None = None  # taken out of the queue, as far as we know

    def advance(self, lost_s: float, doubt_s: float) -> Finished | None:
        """Hear one event or a little silence; ask ComfyUI when that says too little."""
        event = self._socket.next(POLL_S)
        if event is not None:
            self._take(event)
        self._doubt_the_socket(doubt_s)
        if isinstance(event, Ended | Reconnected) or self._should_ask():
            return self._reconcile(lost_s, ended=isinstance(event, Ended))
        return None

    def _doubt_the_socket(self, doubt_s: float) -> None:
        """Silence is a hang only if it could have been broken: time without a socket does not count."""
        now = self._clock()
        if not self._socket.is_open:
            self._moved = self._doubted = now
        elif self._started is not None and now - max(self._moved, self._doubted) > doubt_s:
            self._doubted = now
            self._socket.renew()

    def _should_ask(self) -> bool:
        """After silence; and steadily once asked to stop, for then progress is no good sign."""
        since = self._heard if self._stopping is None else self._asked
        return self._clock() - since >= QUIET_S

    def overdue(self, execution_timeout_s: float, hang_s: float) -> ComfyError | None:
        """Return why the prompt should not go on, if time has run out for it."""
        now = self._clock()
        if self._started is None:
            if self._idle is not None and now - self._idle > hang_s:
                return ExecutorDead(f"Pending for {hang_s:g} s while nothing runs in ComfyUI")
        elif now - self._started > execution_timeout_s:
            return TimedOut(f"Executing for more than the {execution_timeout_s:g} s that the order allows")
        elif self._lost is None and now - self._moved > (limit := self._pace.limit(hang_s)):
            at_work = f" (at work: {self._progress.doing})" if self._progress.doing else ""
            return Hung(f"Executing without progress for {limit:.0f} s{at_work}")
        return None

    def make_way(self) -> None:
        """Take the prompt out of the queue and look: raise MadeWay if it is gone; it may have begun."""
        if self._started is not None or self._stopping is not None:
            return
        self._withdrawn = MadeWay("Taken out of the queue before it began")
        try:
            self._client.withdraw(self._prompt_id)
            standing = self._look(ended=False)
        except (Unreachable, SlowAnswer, BadAnswer) as exc:
            logger.info("withdrawal unanswered", extra={"prompt": self._prompt_id, "error": exc.message})
            return
        match standing.state:
            case State.UNKNOWN:
                raise self._withdrawn
            case State.RUNNING | State.DONE:
                self._mark_started()

    def stop(self, reason: ComfyError | None, interrupt_s: float) -> None:
        """Interrupt the prompt, once, for ``reason``; raise InterruptIgnored if it goes on too long."""
        if self._stopping is not None:
            if self._clock() > self._stop_by:
                raise InterruptIgnored(
                    f"{self._stopping.message}; interrupted, it went on for {interrupt_s:g} s"
                ) from self._stopping
        elif reason is not None:
            logger.info("stopping prompt", extra={"prompt": self._prompt_id, "reason": reason.message})
            self._stopping = reason
            self._stop_by = self._clock() + interrupt_s
            self._cancel()
            self._asked -= QUIET_S  # look at once whether it has ended

    def _take(self, event: Event) -> None:
        self._heard = self._clock()
        if isinstance(event, Ended | Reconnected):
            return
        self._moved = self._heard
        self._mark_started()
        if isinstance(event, Cached):
            self._listener.cached(event.nodes)
        self._pace.take(event, self._moved)
        self._progress.take(event)
        self._listener.progress(self._progress.fraction, self._progress.doing)

    def _mark_started(self) -> None:
        self._idle = None
        if self._started is None:
            self._started = self._moved = self._clock()
            self._withdrawn = None
            self._listener.started()

    def _reconcile(self, lost_s: float, *, ended: bool) -> Finished | None:
        self._heard = self._asked = self._clock()
        try:
            standing = self._look(ended=ended)
            if standing.state is State.PENDING:
                self._watch_executor()
        except (Unreachable, SlowAnswer, BadAnswer) as exc:
            self._lost = self._heard if self._lost is None else self._lost
            self._was_away = True
            if self._clock() - self._lost > lost_s:
                if isinstance(exc, BadAnswer):
                    raise
                raise Vanished(f"ComfyUI went away with the prompt {lost_s:g} s ago") from exc
            return None
        if self._lost is not None:
            self._moved = self._heard  # what it did meanwhile was not told
        self._lost = None
        match standing.state:
            case State.DONE:
                return self._conclude(standing)
            case State.UNKNOWN:
                raise self._stopping or self._withdrawn or self._forgotten()
            case State.RUNNING:
                self._mark_started()
        if self._stopping is not None:
            self._cancel()  # again: an interrupt that comes just before a prompt starts is forgotten
        return None

    def _look(self, *, ended: bool) -> Standing:
        """Look the prompt up; wait for history to follow an end, and ask twice before it counts as gone."""
        standing = self._client.lookup(self._prompt_id)
        deadline = self._clock() + HISTORY_TRAILS_S
        while ended and standing.state is not State.DONE and self._clock() < deadline:
            time.sleep(HISTORY_STEP_S)
            standing = self._client.lookup(self._prompt_id)
        if standing.state is State.UNKNOWN:
            time.sleep(RACE_S)
            standing = self._client.lookup(self._prompt_id)
        return standing

    def _forgotten(self) -> ComfyError:
        """Say why ComfyUI does not know the prompt: it lives, so it was restarted or told to forget."""
        while self._socket.next(RACE_S) is not None:
            continue  # that the line was lost may stand behind what is unread
        if not self._socket.unbroken or self._was_away:
            return Vanished("ComfyUI no longer knows the prompt: it was restarted")
        if self._started is None:
            return Interrupted("Somebody took the prompt out of ComfyUI's queue before it began")
        return Interrupted("Somebody cleared ComfyUI's history before it told how the prompt ended")

    def _watch_executor(self) -> None:
        if self._client.queue().running:
            self._idle = None
        elif self._idle is None:
            self._idle = self._clock()

    def _conclude(self, standing: Standing) -> Finished:
        if standing.ending is Ending.INTERRUPTED and self._stopping is not None:
            if isinstance(self._stopping, Hung):
                self._pace.went_on(self._clock())
            raise self._stopping
        if standing.error is not None:
            raise standing.error
        now = self._clock()
        executed_s = standing.executed_s
        if executed_s is None or executed_s > now - self._queued + CLOCKS_S:  # a clock was set meanwhile
            executed_s = now - (now if self._started is None else self._started)
        queued_s = (now - executed_s if self._started is None else self._started) - self._queued
        self._mark_started()
        self._listener.progress(1.0, "")
        return Finished(outputs=standing.outputs, queued_s=max(0.0, queued_s), executed_s=executed_s)

    def _cancel(self) -> None:
        try:
            self._client.cancel(self._prompt_id)
        except (Unreachable, SlowAnswer, BadAnswer) as exc:
            logger.info("cancel unanswered", extra={"prompt": self._prompt_id, "error": exc.message})
