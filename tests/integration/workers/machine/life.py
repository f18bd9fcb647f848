"""One life of a worker: its real parts, with fakes at its edges only, and a death at any of them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from celery import Celery

from farm.contracts import (
    MANIFEST_NAME,
    ClaimReply,
    ClaimRequest,
    ComfyFact,
    RenderFailed,
    RenderOrder,
    RenderReport,
    from_json,
)
from tests.integration.workers.machine.comfy import FakeClient, FakeComfy
from tests.integration.workers.machine.office import Office
from tests.integration.workers.machine.turns import Mortality
from workers.claims import Claim
from workers.comfy.client import ComfyClient
from workers.errors import SpoolUnavailable, StoreUnavailable
from workers.gpu import Reading
from workers.node import Node, Sight
from workers.recover import recover
from workers.render import render
from workers.reporter import Reporter
from workers.spool import Spool
from workers.station import Station
from workers.store import ArtifactStore

BEGINNING = (
    *("before the claim", "before the claim's answer", "before started is written"),
    *("after started was written", "before submit", "after submit", "before lookup", "wait", "waited"),
)
ENDING = (
    *("waited", "after lookup", "before view", "after view", "before a picture is stored"),
    *("after a picture was stored", "before the manifest is stored", "after the manifest was stored"),
    *("before finished is written", "after finished was written", "before started is removed"),
    "before the result is stored",
)
TALKING = ("before finished is removed", "before cancel", "after cancel", "before withdraw", "after withdraw")
"""Where a worker may be killed: on an order's way into ComfyUI, on its way out, as it follows an answer."""


class MortalSpool(Spool):
    """Every file it writes or removes is an edge. ``full``: its disk takes nothing."""

    full = False

    def __init__(self, folder: Path, mortality: Mortality) -> None:
        super().__init__(folder)
        self._edge = mortality.edge

    def _write(self, path: Path, plain: object) -> None:
        self._edge(f"before {path.parent.name} is written")
        if self.full:
            raise SpoolUnavailable("the spool's disk is full")
        super()._write(path, plain)
        self._edge(f"after {path.parent.name} was written")

    def _remove(self, kind: str, attempt_id: str) -> None:
        self._edge(f"before {kind} is removed")
        super()._remove(kind, attempt_id)


class MortalStore(ArtifactStore):
    """Every file put into it is an edge. ``away``: it is not mounted."""

    away = False

    def __init__(self, folder: Path, mortality: Mortality) -> None:
        super().__init__(str(folder))
        self._edge = mortality.edge

    def require(self) -> None:
        if self.away:
            raise StoreUnavailable("is it mounted?")
        super().require()

    def _into_place(self, write: Any, key: str) -> None:
        what = "the manifest" if key.endswith(MANIFEST_NAME) else "a picture"
        self._edge(f"before {what} is stored")
        super()._into_place(write, key)
        self._edge(f"after {what} was stored")


class Life(Station):
    """A station whose ComfyUI, coordinator and death are the test's. It begins by settling what was left."""

    def __init__(self, folder: Path, comfy: FakeComfy, office: Office) -> None:
        self.mortality = Mortality()
        self.comfy, self.office = comfy, office
        self.node = Node("gpu1", "celery@gpu1")
        self.node.sight = Sight(comfy=ComfyFact(reachable=True), reading=Reading(tier_gb=24))
        self.journal = MortalSpool(folder / "spool", self.mortality)
        self.spool = self.journal
        self.journal.own()
        self.artifacts = MortalStore(folder / "store", self.mortality)
        self.store = self.artifacts
        idle: Any = SimpleNamespace(refresh=lambda: None)
        self.subscriptions = idle
        self._reporter = Reporter(cast(Celery, office), self.node, self.spool, self.subscriptions)
        self.mortality.act("recover", lambda: recover(self, self.spool.started()))

    def client(self, client_id: str) -> ComfyClient:
        return cast(ComfyClient, FakeClient(self.comfy, self.mortality, client_id))

    def claim(self, request: ClaimRequest) -> Claim:
        """It is answered while the order is staged."""
        self.mortality.edge("before the claim")
        reply = self.office.asked(request)
        return cast(Claim, SimpleNamespace(answer=lambda: self._heard(reply)))

    def _heard(self, reply: ClaimReply) -> ClaimReply:
        self.mortality.edge("before the claim's answer")
        return reply

    def look_again(self, *, catalogue: bool = False) -> None:
        return

    def takes(self, order: RenderOrder) -> bool:
        """Take an order as it comes from the broker, but for one that is known; return whether it was."""
        if self.knows(order.attempt_id):
            return False
        self.node.hand.receive(order.attempt_id)
        self.mortality.act(order.attempt_id, lambda: self._renders(order))
        return True

    def _renders(self, order: RenderOrder) -> None:
        try:
            report = render(order, self)
        except RenderFailed as failed:
            report = from_json(RenderReport, failed.report)
        self.mortality.edge("before the result is stored")
        self.office.told(report)  # by the result backend
        self.node.hand.release(order.attempt_id)

    def talks(self) -> None:
        """Report, and follow the answer."""
        self.mortality.act("report", self._reporter.exchange)

    def dies(self) -> None:
        """The process is killed now."""
        self.mortality.bury()
        self.spool.close()
