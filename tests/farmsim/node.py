"""A simulated node: it keeps the workers' contract, and its GPU is a timer.

It does what workers.node, workers.reporter, workers.claims and workers.render do, in the same order and
with the same patience. ``frozen`` is a worker stopped by SIGSTOP: its ComfyUI goes on, the worker does not.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from farm.contracts import (
    CLAIM,
    UNSTAGED,
    Capabilities,
    ClaimReply,
    ClaimRequest,
    Failure,
    FailureClass,
    NodeDirectives,
    NodeState,
    Outcome,
    ProbeResult,
    RenderReport,
    from_json,
)
from farm.tiers import QUEUE_CLAIMS, node_queue, tier_of_memory
from tests.farmsim.fates import AT_THE_END, Fate
from tests.farmsim.gpu import MIB_PER_GB, Gpu
from tests.farmsim.hand import ON_GPU, Held
from tests.farmsim.rendering import Rendering
from tests.farmsim.reporting import ORDER_S, Reporter

if TYPE_CHECKING:
    from tests.farmsim.fleet import Fleet

CLAIM_PATIENCE_S: Final = 10.0
PROBE_S: Final = 0.2
WORKER_RESTARTED: Final = Failure(
    failure_class=FailureClass.INFRASTRUCTURE,
    code="worker_restarted",
    message="the worker was restarted while this attempt was in hand",
)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a node is: its card, and what its ComfyUI can do."""

    gb: int
    capabilities: Capabilities


class SimNode:
    """One node in one process's event loop; its methods run there only."""

    def __init__(self, name: str, kind: Kind, fleet: Fleet) -> None:
        self.name = name
        self.worker = f"{name}@farmsim"
        self.tier_gb = tier_of_memory(kind.gb * MIB_PER_GB)
        self.gpu = Gpu(kind.gb)
        self.capabilities = kind.capabilities
        self.fingerprint = kind.capabilities.fingerprint
        self.fleet = fleet
        self.rendering = Rendering(self)
        self.hand: dict[str, Held] = {}
        self.spool: dict[str, RenderReport] = {}
        self.reporter = Reporter(self)
        self.alive = self.frozen = False
        self.took_frozen = False
        self.deaf = ""
        self.clock_ahead_s = 0.0
        self._life = 0
        self._left: list[Held] = []
        self._begin_life()

    def _begin_life(self) -> None:
        self._life += 1
        self.epoch = uuid.uuid4().hex[:12]
        self.hand = {}
        self.serve, self.desired = False, "active"
        self.probe: ProbeResult | None = None
        self._probing = ""
        self.reporter.begin_life()
        self._frozen_work: list[Callable[[], None]] = []

    # Life and death

    def start(self) -> None:
        """The worker begins a life."""
        self.alive = True
        left, self._left = self._left, []
        for held in left:
            self.hand[held.attempt_id] = held
            self.end(held, Outcome.FAILED, failure=WORKER_RESTARTED)
        self.changed()

    def die(self, *, disk: bool) -> None:
        """The machine is gone. With its ``disk`` comes back what the worker had begun, and what it had not
        reported yet.
        """
        for held in self.hand.values():
            self._spare(held)
        self._left = [held for held in self.hand.values() if held.granted] if disk else []
        if not disk:
            self.spool.clear()
        self.alive = self.frozen = False
        self.rendering.stop()
        self._begin_life()
        self.gpu.forget()
        self.fleet.board.place(self)

    def freeze(self) -> None:
        """SIGSTOP: ComfyUI goes on, the worker does nothing and hears nothing."""
        self.frozen, self.took_frozen = True, False
        self.fleet.board.place(self)

    def thaw(self) -> None:
        """SIGCONT: everything that waited happens now."""
        self.frozen = False
        work, self._frozen_work = self._frozen_work, []
        for each in work:
            each()
        self.changed()

    def at_work(self, act: Callable[..., None], *arguments: Any) -> Callable[..., None]:
        """Wrap what the worker does later: not after its death, and not while it is stopped."""
        life = self._life

        def run(*more: Any) -> None:
            if life != self._life or not self.alive:
                return
            if self.frozen:
                self._frozen_work.append(lambda: run(*more))
            else:
                act(*arguments, *more)

        return run

    # What it listens to

    @property
    def own_queue(self) -> str:
        return node_queue(self.name, self.epoch)

    def on_gpu(self) -> int:
        """Orders that hold the GPU or wait for it."""
        return sum(held.stage in ON_GPU for held in self.hand.values())

    @property
    def tier_kind(self) -> str:
        """Which tier queues it reads: "both" kinds, ".next" only, or none ("")."""
        able = self.alive and not self.frozen and not self.deaf and self.serve and self.desired == "active"
        on_gpu = self.on_gpu()
        return "" if not able or on_gpu > 1 else "next" if on_gpu else "both"

    # Orders

    def receive(self, held: Held) -> None:
        """Take an order from a queue; one that is known already is dropped."""
        if held.attempt_id in self.hand or held.attempt_id in self.spool:
            self.fleet.count("orders delivered twice, dropped")
            return
        if self.frozen:
            self.took_frozen = True
        self.hand[held.attempt_id] = held
        self.fleet.board.place(self)
        self.at_work(self._take_up, held)()

    def _take_up(self, held: Held) -> None:
        request = ClaimRequest(
            attempt_id=held.attempt_id,
            token=held.order.token,
            node=self.name,
            epoch=self.epoch,
            sent_at=self.fleet.clock() + self.clock_ahead_s,
        )
        then = self.at_work(self._claimed, held)
        self.fleet.calls.call(CLAIM, request, QUEUE_CLAIMS, CLAIM_PATIENCE_S, then)
        self.changed(ORDER_S)

    def _claimed(self, held: Held, answer: Any) -> None:
        if held.fate is Fate.LOST_CLAIM_REPLY and answer is not None:
            self.fleet.delivery.happened(held.fate, held.order.job_id)
            held.fate = None
            self.fleet.later(CLAIM_PATIENCE_S, self.at_work(self._claimed, held), None)
            return
        reply = from_json(ClaimReply, answer) if answer else ClaimReply(granted=False, reason="unanswered")
        if not reply.granted:
            self.fleet.claim_refused(held, reply.reason)
            self.end(held, Outcome.DROPPED, reason=reply.reason)
            return
        held.granted = True
        self.fleet.claim_granted(held)
        self.rendering.stage(held)

    def cancel(self, attempt_id: str) -> None:
        """Stop an order; unknown ones are no error."""
        held = self.hand.get(attempt_id)
        if held is not None and not held.cancelled:
            held.cancelled = True
            self.rendering.interrupt(held)

    def unstage(self, attempt_id: str) -> None:
        """Give up an order that waits behind another in ComfyUI; one that executes goes on."""
        held = self.hand.get(attempt_id)
        if held is not None and self.rendering.waits(held):
            held.cancelled = True
            self.rendering.interrupt(held, reason=UNSTAGED)

    def hear_canary(self, canary: str) -> None:
        """A canary came by the node's own queue: tell it with the next report."""
        self.reporter.canary = canary
        self.reporter.soon()

    def end(self, held: Held, outcome: Outcome, **facts: Any) -> None:
        """Report how an order ended: spool, result, bell."""
        if self.hand.pop(held.attempt_id, None) is None:
            return
        if outcome is not (Outcome.SUCCEEDED if held.fate in AT_THE_END else Outcome.FAILED):
            self._spare(held)
        report = held.report(self.name, f"Simulated {self.gpu.gb} GB", outcome, **facts)
        self.fleet.delivery.deliver(self, held, report)
        self.changed(ORDER_S)

    def _spare(self, held: Held) -> None:
        """An attempt that ends otherwise than its fate would have it: another one meets it."""
        self.fleet.fates.again(held.fate)
        held.fate = None

    def _probed(self, asked: str) -> None:
        """The probe that the coordinator asked for has rendered, if ComfyUI is there."""
        self.fleet.count("probes rendered")
        self.probe = ProbeResult(id=asked, ok=not self.deaf, message=self.deaf)
        self.reporter.soon()

    def changed(self, within_s: float = 0.0) -> None:
        """Other queues, and a report at once, or within so many seconds."""
        self.fleet.board.place(self)
        self.reporter.soon(within_s)

    def standing(self) -> tuple[NodeState, str]:
        """How it stands, and why."""
        if self.deaf:
            return NodeState.DEAF, self.deaf
        return (NodeState.BUSY if self.hand else NodeState.IDLE), ""

    def follow(self, told: NodeDirectives) -> bool:
        """Do what the coordinator answered; return whether something is to be told at once."""
        for attempt_id in told.cancelled:
            self.cancel(attempt_id)
        for attempt_id in told.unstage:
            self.unstage(attempt_id)
        if told.probe not in ("", self._probing):
            self._probing = told.probe
            self.fleet.later(PROBE_S, self.at_work(self._probed, told.probe))
        if told.new_epoch:
            self.fleet.count("new epochs asked for")
            self.epoch = uuid.uuid4().hex[:12]
            for attempt_id in list(self.hand):
                self.cancel(attempt_id)
        news = told.new_epoch or told.desired != self.desired
        self.serve, self.desired = told.serve, told.desired
        self.fleet.board.place(self)
        return news
