"""A GPU node played by hand: it reports, takes orders off the real broker, and answers for them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any, Self

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from apps.renders.services.claim import claim
from apps.renders.services.record import Recorded, record
from apps.renders.services.reports import answer
from farm import contracts
from farm.contracts import (
    ArtifactFact,
    Capabilities,
    ClaimReply,
    ClaimRequest,
    ComfyFact,
    Failure,
    FailureClass,
    NodeDirectives,
    NodeReport,
    NodeState,
    Outcome,
    RenderOrder,
    RenderReport,
    RunningAttempt,
    Stage,
    Timings,
)
from farm.tiers import next_queue_for, node_queue, queue_for, tiers_served
from tests.broker_fixture import Broker
from workflows.bind import classes_needed, models_needed
from workflows.load import all_templates


@cache
def everything() -> Capabilities:
    """Every class and model the packaged templates need, in every precision."""
    classes: set[str] = set()
    models: dict[str, set[str]] = {}
    for template in all_templates():
        classes |= set(classes_needed(template))
        for precision in template.manifest.precisions or (None,):
            for model in models_needed(template, precision):
                models.setdefault(model.folder, set()).add(model.name)
    return Capabilities(
        classes=tuple(sorted(classes)),
        models={folder: tuple(sorted(names)) for folder, names in models.items()},
    )


class Hand:
    """What a worker does, one step at a time, in the test's own order."""

    def __init__(
        self, name: str, *, tier_gb: int | None, broker: Broker, able: Capabilities | None = None
    ) -> None:
        self.name, self.tier_gb, self.epoch = name, tier_gb, "e1"
        self.able = able or everything()
        self.running: dict[str, RunningAttempt] = {}
        self.broker = broker
        self._client = broker.client()

    def arrives(self) -> Self:
        """Report for the first time, and again with capabilities when asked."""
        if self.reports().want_capabilities:
            self.reports(capabilities=self.able)
        return self

    def reports(self, **changes: Any) -> NodeDirectives:
        """Send a NodeReport and return its directives."""
        return answer(self.writes(**changes))

    def writes(self, **changes: Any) -> NodeReport:
        """Write a NodeReport that is not sent yet: how the node stands now."""
        report = NodeReport(
            node=self.name,
            worker=f"celery@{self.name}",
            epoch=self.epoch,
            state=NodeState.BUSY if self.running else NodeState.IDLE,
            reason="",
            tier_gb=self.tier_gb,
            simulated=True,
            gpus=(),
            comfy=ComfyFact(reachable=True, version="0.27.0", device_type="cuda"),
            fingerprint=self.able.fingerprint,
            running=tuple(self.running.values()),
            hears=("unstage", *contracts.IN_ORDERS),
        )
        return replace(report, **changes)

    def order(self) -> RenderOrder | None:
        """Take the next order off the queues an idle worker of this tier hears, largest first."""
        return self.order_on(queue_for, next_queue_for)

    def order_on(self, *kinds: Callable[[int], str]) -> RenderOrder | None:
        """Take the next order off the node's own queue, or these kinds of tier queues."""
        queues = [node_queue(self.name, self.epoch)]
        for kind in kinds:
            queues += [kind(tier) for tier in tiers_served(self.tier_gb)]
        for queue in queues:
            message = self._client.lpop(queue)
            if isinstance(message, str):
                return _order_in(message)
        return None

    def claims(self, order: RenderOrder) -> ClaimReply:
        """Ask for an order; once granted it is in hand."""
        reply = claim(
            ClaimRequest(attempt_id=order.attempt_id, token=order.token, node=self.name, epoch=self.epoch)
        )
        if reply.granted:
            self.works_on(order, Stage.ACCEPTED)
        return reply

    def works_on(self, order: RenderOrder, stage: Stage, progress: float = 0.0) -> None:
        """Say in the next report that this order is at that stage."""
        self.running[order.attempt_id] = RunningAttempt(
            attempt_id=order.attempt_id, token=order.token, stage=stage, progress=progress, doing="KSampler"
        )

    def claimed(self) -> RenderOrder:
        """Take an order and claim it."""
        order = self.order()
        assert order is not None, "no order in the broker"
        reply = self.claims(order)
        assert reply.granted, reply.reason
        return order

    def success(self, order: RenderOrder, *, store: bool = True) -> RenderReport:
        """Store a picture and return the signed report of a success."""
        png = _png(order)
        if store:
            default_storage.save(f"{order.artifact_folder}/take.png", ContentFile(png))
        fact = ArtifactFact(
            path="take.png",
            kind="image",
            media_type="image/png",
            bytes=len(png),
            sha256=hashlib.sha256(png).hexdigest(),
            width=64,
            height=64,
            frames=1,
            fps=None,
            output_node=order.outputs[0].node,
        )
        return self._report(
            order, outcome=Outcome.SUCCEEDED, artifacts=(fact,), timings=Timings(execute_s=1.5)
        )

    def failure(self, order: RenderOrder, failure_class: FailureClass) -> RenderReport:
        """Return the signed report of a failure."""
        failure = Failure(
            failure_class=failure_class,
            code=str(failure_class),
            message="in ComfyUI's own words",
            node_id="3",
            node_type="KSampler",
        )
        return self._report(order, outcome=Outcome.FAILED, failure=failure)

    def ended(self, order: RenderOrder, outcome: Outcome) -> RenderReport:
        """Return the signed report of an order that was cancelled or dropped."""
        return self._report(order, outcome=outcome, reason=str(outcome))

    def finishes(self, order: RenderOrder, report: RenderReport | None = None) -> Recorded:
        """Let go of an order and have its report recorded."""
        self.running.pop(order.attempt_id, None)
        return record(report or self.success(order))

    def writes_manifest(self, order: RenderOrder) -> RenderReport:
        """Store files and manifest, and say nothing."""
        report = self.success(order)
        content = ContentFile(json.dumps(contracts.to_json(report)).encode())
        default_storage.save(f"{order.artifact_folder}/{contracts.MANIFEST_NAME}", content)
        return report

    def _report(self, order: RenderOrder, **facts: Any) -> RenderReport:
        return RenderReport(
            attempt_id=order.attempt_id,
            job_id=order.job_id,
            token=order.token,
            node=self.name,
            epoch=self.epoch,
            comfyui_version="0.27.0",
            simulated=True,
            **facts,
        ).signed(order.report_key)


def _order_in(message: str) -> RenderOrder:
    body = json.loads(base64.b64decode(json.loads(message)["body"]))
    return contracts.from_json(RenderOrder, body[0][0])


def _png(order: RenderOrder) -> bytes:
    buffer = io.BytesIO()
    colour = "#" + hashlib.sha256(order.attempt_id.encode()).hexdigest()[:6]
    Image.new("RGB", (64, 64), colour).save(buffer, "PNG")
    return buffer.getvalue()
