"""How a simulated node reports: as workers.reporter does, and now and then as it must not."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, Final

from farm.contracts import HEARS, REPORT, ComfyFact, NodeDirectives, NodeReport, RenderReport, from_json
from farm.tiers import QUEUE_REPORTS
from tests.farmsim.fates import Fate
from tests.farmsim.hand import COMFYUI
from tests.farmsim.models import FOLDER

if TYPE_CHECKING:
    from tests.farmsim.node import SimNode

PERIOD_S: Final = 5.0
MIN_GAP_S: Final = 0.1
STAGE_S: Final = 0.25
ORDER_S: Final = 2.5
"""How long a change may wait for company, as workers.reporter has it: an order that executes or is being
collected, and one that comes, is staged or goes.
"""
PATIENCE_S: Final = 10.0
MOST_PATIENCE_S: Final = 20.0
MOST_FINISHED: Final = 50


class Reporter:
    """One report is under way at a time; what changes meanwhile travels with the next.

    ``kept``: reports to repeat so many times more, confirmed or not. ``extra``: reports to tell one by
    one, whatever stands in the spool. ``reorder``: let the next report arrive behind the one after it.
    """

    def __init__(self, node: SimNode) -> None:
        self._node = node
        self.kept: dict[str, int] = {}
        self.extra: list[RenderReport] = []
        self.reorder = False
        self.begin_life()

    def begin_life(self) -> None:
        """The worker starts: nothing is under way."""
        self.canary = ""
        self._want_capabilities = False
        self._exchanging = self._resting = False
        self._patience_s = PATIENCE_S
        self._due_at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def soon(self, within_s: float = 0.0) -> None:
        """Report within so many seconds, or as soon as the last report is answered."""
        self._due_at = min(self._due_at, self._node.fleet.loop.time() + within_s)
        node = self._node
        if node.alive and not node.frozen and not (self._exchanging or self._resting):
            self._set_out()

    def _set_out(self) -> None:
        if self._timer:
            self._timer.cancel()
        left_s = self._due_at - self._node.fleet.loop.time()
        if left_s > 0:
            self._timer = self._node.fleet.later(left_s, self._node.at_work(self._send))
        else:
            self._send()

    def write(self) -> NodeReport:
        """Write the node's report."""
        node = self._node
        state, reason = node.standing()
        now = node.fleet.clock()
        finished = list(node.spool.values())
        if len(finished) > MOST_FINISHED:
            finished = finished[: MOST_FINISHED // 2] + finished[-MOST_FINISHED // 2 :]
        finished += self.extra[:1]
        self.extra = self.extra[1:]
        return NodeReport(
            node=node.name,
            worker=node.worker,
            epoch=node.epoch,
            state=state,
            reason=reason,
            tier_gb=node.tier_gb,
            simulated=True,
            gpus=(node.gpu.fact(node.name),),
            comfy=ComfyFact(reachable=not node.deaf, version=COMFYUI, device_type="cuda", error=node.deaf),
            fingerprint=node.fingerprint,
            capabilities=node.capabilities if self._want_capabilities else None,
            running=tuple(held.running(now) for held in node.hand.values()),
            finished=tuple(finished),
            resident=tuple(f"{FOLDER}/{name}" for name in node.gpu.resident),
            canary=self.canary,
            probe=node.probe,
            hears=HEARS,
        )

    def _send(self) -> None:
        self._due_at, self._exchanging = math.inf, True
        if self._timer:
            self._timer.cancel()
        fleet, report = self._node.fleet, self.write()
        then = self._node.at_work(self._answered)
        if self.reorder:
            self.reorder = False
            fleet.later(3 * MIN_GAP_S, fleet.delivery.tell_late, report)
            then(None)
            return
        words = f"{report.node} {report.state}"
        fleet.calls.call(REPORT, report, QUEUE_REPORTS, self._patience_s, then, argsrepr=words)

    def _answered(self, answer: Any) -> None:
        if answer is None:
            self._patience_s = min(2 * self._patience_s, MOST_PATIENCE_S)
        else:
            self._patience_s = PATIENCE_S
            self._follow(from_json(NodeDirectives, answer))
        self._exchanging, self._resting = False, True
        self._node.fleet.later(MIN_GAP_S, self._node.at_work(self._rested))

    def _rested(self) -> None:
        self._resting = False
        self.soon(PERIOD_S)

    def _follow(self, told: NodeDirectives) -> None:
        for attempt_id in told.confirmed:
            self._confirm(attempt_id)
        asked = told.want_capabilities and not self._want_capabilities
        self._want_capabilities = told.want_capabilities
        if self._node.follow(told) or asked:
            self.soon()

    def _confirm(self, attempt_id: str) -> None:
        delivery = self._node.fleet.delivery
        if self.kept.get(attempt_id, 0) > 0:
            self.kept[attempt_id] -= 1  # said again on purpose
            delivery.happened(Fate.DUPLICATE)
            return
        self.kept.pop(attempt_id, None)
        report = self._node.spool.pop(attempt_id, None)
        if report is not None:
            delivery.confirmed(report)
