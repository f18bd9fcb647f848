"""Tell the coordinator how the node stands, and do what it answers.

A report goes out every five seconds, and when something changed: at once if the coordinator decides by it, a
little later if an order moved on (its claim and its bell have gone ahead). Its Celery result is the
coordinator's directives. A coordinator that is away costs nothing but patience: one report waits in the
broker, the next follows after a growing pause, none while thousands wait there, and finished work stays in
the spool.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from threading import Event
from typing import Any, Final

from celery import Celery
from celery.result import AsyncResult

from farm.contracts import (
    REPORT,
    ComfyFact,
    ContractError,
    NodeDirectives,
    NodeReport,
    NodeState,
    Stage,
    from_json,
    to_json,
)
from farm.tiers import QUEUE_REPORTS
from workers.broker import BROKER_ERRORS, BrokenError, NoAnswerError, RefusedError, answer_to
from workers.node import Node
from workers.outbox import Outbox
from workers.queues import Subscriptions
from workers.spool import Spool
from workers.vital import VitalThread

logger = logging.getLogger(__name__)

PERIOD_S: Final = 5.0
MIN_GAP_S: Final = 0.1
"""Changes that come together travel together."""

STAGE_S: Final = 0.25
"""How long the beginning and the end of a render may wait for company: short beside a render."""

ORDER_S: Final = 2.5
"""How long orders that come, are staged or go may wait: the coordinator knows by claim and bell."""

PATIENCE_S: Final = 10.0
MAX_PATIENCE_S: Final = 20.0
"""Below a lease (30 s): a report that is lost, with a coordinator that died of it say, is followed by another
before anybody can take this node for dead."""

MOST_WAITING: Final = 5_000
"""Messages for a coordinator that is away, above which no node that got no answer adds another: 500 nodes
would fill the broker's memory over a weekend."""

STOP_S: Final = 5.0

_BEFORE: Final = (Stage.ACCEPTED, Stage.STAGED)

_UNTOLD: Final = ComfyFact(reachable=True)


class Reporter(VitalThread):
    """The node's voice. Runs until ``stop``, through reconnects and a warm shutdown."""

    def __init__(self, app: Celery, node: Node, spool: Spool, subscriptions: Subscriptions) -> None:
        super().__init__("reporter")
        self._app = app
        self._node = node
        self._outbox = Outbox(spool)
        self._subscriptions = subscriptions
        self._due = False
        self._changed = Event()
        self._over = False
        self._want_capabilities = False
        self._want_catalogue = False
        self._epoch_just_begun = False
        self._refused = ""
        self._patience_s = PATIENCE_S
        self._away = ""
        self._told: NodeReport | None = None

    def poke(self) -> None:
        """Report soon: something changed. What it is decides how soon."""
        self._changed.set()

    def stop(self) -> None:
        """Send a last report and end; returns when it is out or the broker has had its time."""
        self._over = True
        self._at_once()
        if self.is_alive():
            self.join(timeout=STOP_S)
        try:
            self._send()
        except BROKER_ERRORS as error:
            self._is_away(f"broker away: {error}")

    def work(self) -> None:
        """Report until told to stop."""
        while not self._over:
            self._due = False
            self._changed.clear()
            self.exchange()
            if not self._over:
                time.sleep(MIN_GAP_S)
                self._wait()

    def _at_once(self) -> None:
        self._due = True
        self._changed.set()

    def _wait(self) -> None:
        """Wait until the period is over, or a change has waited as long as it may."""
        until = time.monotonic() + PERIOD_S
        while not self._over and self._changed.wait(max(until - time.monotonic(), 0.0)):
            self._changed.clear()
            until = min(until, time.monotonic() + self._may_wait_s())

    def _may_wait_s(self) -> float:
        """How long the coordinator can do without what has changed since the last report."""
        told, now = self._told, self._node.report(())
        if self._due or told is None or _but_for_orders(told) != _but_for_orders(now):
            return 0.0
        return STAGE_S if _stages(now) - _stages(told) else ORDER_S

    def exchange(self) -> None:
        """Send one report and follow the answer, if one comes."""
        try:
            if self._away and self._waiting() > MOST_WAITING:
                return
            call = self._send()
            answer = answer_to(
                call,
                deadline=time.monotonic() + self._patience_s,
                first_look_s=MIN_GAP_S / 4,  # nothing waits for it
                given_up=lambda: self._over,
            )
            self.follow(from_json(NodeDirectives, answer))
        except NoAnswerError:
            if not self._over:
                self._is_away(f"no answer for {self._patience_s:g} s")
                self._patience_s = min(2 * self._patience_s, MAX_PATIENCE_S)
        except BROKER_ERRORS as error:
            self._is_away(f"broker away: {error}")
            self._patience_s = PATIENCE_S  # what was sent is lost with the broker; do not wait for it
        except RefusedError as error:
            self._is_refused(str(error))
        except BrokenError as error:
            self._is_away(f"coordinator broke: {error}")
        except ContractError as error:
            self._is_away(f"answer not understood: {error}")
        else:
            self._is_back()

    def _is_refused(self, why: str) -> None:
        """What is refused for a finished report goes out again without it; else the next period comes."""
        if self._outbox.refused(why):
            self._at_once()
        else:
            self._is_away(f"report refused: {why}")

    def follow(self, directives: NodeDirectives) -> None:
        """Do what the coordinator answered.

        What is new is reported at once, what is merely asked again with the next regular report: a
        coordinator that never stops asking is not answered ten times a second.
        """
        self._outbox.answered(directives.confirmed)
        for attempt_id in directives.cancelled:
            self._node.hand.cancel(attempt_id)
        for attempt_id in directives.unstage:
            self._node.hand.unstage(attempt_id)
        if directives.new_epoch:
            logger.warning("given up by the coordinator, beginning a new epoch")
            self._node.begin_new_epoch()
            if not self._epoch_just_begun:
                self._at_once()
        self._epoch_just_begun = directives.new_epoch
        if directives.desired != self._node.desired:
            logger.info("desired state changed", extra={"desired": directives.desired})
            self._node.desired = directives.desired
            self._at_once()
        self._node.probe_asked = directives.probe
        if directives.refused and directives.refused != self._refused:
            logger.error("refused by the coordinator", extra={"why": directives.refused})
        self._refused = directives.refused
        if directives.want_capabilities and not self._want_capabilities:
            self._at_once()
        self._want_capabilities = directives.want_capabilities
        self._want_catalogue = directives.want_catalogue  # it may come with the next regular report
        if directives.inventory is not None and directives.inventory != self._node.inventory_wanted:
            self._at_once()
        self._node.inventory_wanted = directives.inventory
        if directives.serve != self._node.serve:
            logger.info("serving changed", extra={"serve": directives.serve})
            self._node.serve = directives.serve
        self._subscriptions.refresh()

    def _waiting(self) -> int:
        """Count what lies there for the coordinator, of all nodes; 0 where this node may not know."""
        results: Any = self._app.backend  # its types leave the connection out
        try:
            return int(results.client.llen(QUEUE_REPORTS))
        except BROKER_ERRORS as error:
            logger.debug("reports not counted", extra={"error": str(error)})
            return 0

    def _send(self) -> AsyncResult[Any]:
        with_catalogue, self._want_catalogue = self._want_catalogue, False  # asked again, if it gets lost
        report = self._node.report(
            self._outbox.choose(),
            with_capabilities=self._want_capabilities,
            with_catalogue=with_catalogue,
        )
        self._told = replace(report, catalogue="")
        return self._app.send_task(
            REPORT,
            args=[to_json(report)],
            queue=QUEUE_REPORTS,
            argsrepr=f"{report.node} {report.state}",  # Flower shows this, not the whole report
        )

    def _is_away(self, why: str) -> None:
        """Say once per outage that nobody listens."""
        if not self._away:
            logger.warning("coordinator away, reports are kept", extra={"error": why})
        self._away = why

    def _is_back(self) -> None:
        if self._away:
            logger.info("coordinator back", extra={"after": self._away})
        self._away = ""
        self._patience_s = PATIENCE_S


def _but_for_orders(report: NodeReport) -> NodeReport:
    """The report without what every order changes as it comes, is rendered and goes."""
    state = NodeState.IDLE if report.state is NodeState.BUSY else report.state
    return replace(
        report,
        state=state,
        running=(),
        finished=(),
        capabilities=None,
        inventory=None,
        gpus=(),
        comfy=_UNTOLD,
        resident=(),
    )


def _stages(report: NodeReport) -> set[tuple[str, Stage]]:
    """Which orders are on the GPU or have left it."""
    return {(item.attempt_id, item.stage) for item in report.running if item.stage not in _BEFORE}
