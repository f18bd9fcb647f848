"""What happens to a claimed order at a simulated node: staged, executed on the GPU's timer, collected."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from farm.contracts import Outcome, Stage
from tests.farmsim.fates import Fate
from tests.farmsim.hand import Held, failure_of
from tests.farmsim.reporting import ORDER_S, STAGE_S

if TYPE_CHECKING:
    from tests.farmsim.node import SimNode

BACK_S: Final = 2.0
"""How long a ComfyUI that crashed, or a full store, keeps a node deaf."""


class Rendering:
    """One ComfyUI: a prompt executes, another may wait behind it."""

    def __init__(self, node: SimNode) -> None:
        self._node = node
        self._queue: deque[Held] = deque()
        self._executing: Held | None = None

    def stop(self) -> None:
        """The machine is gone."""
        if self._executing and self._executing.timer:
            self._executing.timer.cancel()
        self._queue.clear()
        self._executing = None

    def stage(self, held: Held) -> None:
        """The claim is granted: queue the prompt."""
        if held.cancelled:
            self._node.end(held, Outcome.CANCELLED, reason="cancelled before its prompt was queued")
            return
        held.stage = Stage.STAGED
        self._queue.append(held)
        self._next()
        self._node.changed(ORDER_S)

    @property
    def idle(self) -> bool:
        """Whether nothing executes."""
        return self._executing is None

    def waits(self, held: Held) -> bool:
        """Whether its prompt waits behind another."""
        return held in self._queue

    def interrupt(self, held: Held, *, reason: str = "interrupted in ComfyUI") -> None:
        """A cancelled order: take its prompt out. One that is not queued yet is dropped with its claim."""
        if held in self._queue:
            self._queue.remove(held)
        elif held is self._executing:
            if held.timer:
                held.timer.cancel()
            self._executing = None
            self._next()
        else:
            return
        self._node.end(held, Outcome.CANCELLED, reason=reason)

    def _next(self) -> None:
        if self._executing is not None or not self._queue:
            return
        held = self._executing = self._queue.popleft()
        node, fleet = self._node, self._node.fleet
        seconds = fleet.seconds_of(held)
        if held.model is not None and node.gpu.load(held.model):
            seconds += held.model.load_s * fleet.pace
            fleet.loaded(held)
        if held.fate is Fate.COMFY_CRASH:
            seconds /= 2
        held.stage = Stage.EXECUTING
        held.executing_since, held.execute_s = fleet.clock(), seconds
        fleet.started(held)
        node.changed(STAGE_S)
        held.timer = fleet.later(seconds, self._executed, held)

    def _executed(self, held: Held) -> None:
        """The GPU is done, whether the worker is there to see it or not."""
        if self._executing is not held:
            return
        self._executing = None
        if held.fate is Fate.COMFY_CRASH:
            self._crash(held)
            return
        self._next()
        self._node.at_work(self._collect, held)()

    def _collect(self, held: Held) -> None:
        if held.cancelled:
            self._node.end(held, Outcome.CANCELLED, reason="interrupted in ComfyUI")
            return
        too_small = held.model is not None and self._node.gpu.too_small_for(held.model)
        if held.fate is Fate.OUT_OF_MEMORY or too_small:
            self._node.gpu.forget()
            self._fail(held, Fate.OUT_OF_MEMORY)
        elif held.fate is Fate.STORE_FULL:
            self._fall_silent("the artifact store has no room left (simulated)")
            self._fail(held, held.fate)
        elif held.fate is Fate.OUTPUT_INVALID:
            self._fail(held, held.fate)
        else:
            held.stage = Stage.COLLECTING
            self._node.changed(STAGE_S)
            artifacts = self._node.fleet.delivery.store(held)
            self._node.end(held, Outcome.SUCCEEDED, artifacts=artifacts)

    def _fail(self, held: Held, fate: Fate) -> None:
        if held.fate is not fate:
            self._node.fleet.fates.again(held.fate)
            held.fate = fate
        self._node.fleet.delivery.happened(fate, held.order.job_id)
        self._node.end(held, Outcome.FAILED, failure=failure_of(fate))

    def _crash(self, held: Held) -> None:
        """ComfyUI is gone: what executed in it and what waited in it, and every model."""
        self._node.gpu.forget()
        waiting = list(self._queue)
        self._queue.clear()
        self._fall_silent("ComfyUI does not answer (simulated)")
        fail = self._node.at_work(self._fail)
        for each in (held, *waiting):
            fail(each, Fate.COMFY_CRASH)

    def _fall_silent(self, why: str) -> None:
        node = self._node

        def back() -> None:
            node.deaf = ""
            node.changed()

        node.deaf = why
        node.changed()
        node.fleet.later(BACK_S, node.at_work(back))
