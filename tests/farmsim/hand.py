"""One order at a simulated node, and the report that ends it."""

from __future__ import annotations

import asyncio
import json
import zlib
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from farm.contracts import (
    ArtifactFact,
    Failure,
    FailureClass,
    Outcome,
    RenderOrder,
    RenderReport,
    RunningAttempt,
    Stage,
    Timings,
)
from tests.farmsim.fates import Fate
from tests.farmsim.models import Model, by_file

ON_GPU: Final = frozenset({Stage.ACCEPTED, Stage.STAGED, Stage.EXECUTING})
"""As workers.hand has it: a collecting order has left the GPU."""
COMFYUI: Final = "farmsim"


@dataclass
class Held:
    """An order in hand. ``epoch``: the life of the node in which it came; ``road``: "own queue", or of a
    tier "tier" (to start now) or "next" (to stage). Times in seconds.
    """

    order: RenderOrder
    epoch: str
    model: Model | None
    road: str = ""
    fate: Fate | None = None
    stage: Stage = Stage.ACCEPTED
    cancelled: bool = False
    granted: bool = False
    executing_since: float = 0.0
    execute_s: float = 0.0
    timer: asyncio.TimerHandle | None = None
    stages: list[Stage] = field(default_factory=list)

    @property
    def attempt_id(self) -> str:
        return self.order.attempt_id

    @property
    def sent_at(self) -> float:
        """When the dispatcher made the attempt, in seconds since 1970: its id is a UUIDv7."""
        return (UUID(self.attempt_id).int >> 80) / 1000

    def running(self, now: float) -> RunningAttempt:
        """How a node report tells it."""
        progress = 1.0 if self.stage is Stage.COLLECTING else 0.0
        if self.stage is Stage.EXECUTING and self.execute_s > 0:
            progress = round(min((now - self.executing_since) / self.execute_s, 1.0), 3)
        return RunningAttempt(
            attempt_id=self.order.attempt_id,
            token=self.order.token,
            stage=self.stage,
            progress=progress,
            doing="KSampler" if self.stage is Stage.EXECUTING else "",
        )

    def report(
        self,
        node: str,
        gpu: str,
        outcome: Outcome,
        *,
        failure: Failure | None = None,
        artifacts: tuple[ArtifactFact, ...] = (),
        reason: str = "",
    ) -> RenderReport:
        """Write and sign how it ended."""
        return RenderReport(
            attempt_id=self.order.attempt_id,
            job_id=self.order.job_id,
            token=self.order.token,
            node=node,
            epoch=self.epoch,
            outcome=outcome,
            failure=failure,
            artifacts=artifacts,
            timings=Timings(execute_s=round(self.execute_s, 4)),
            prompt_id=self.order.attempt_id,
            comfyui_version=COMFYUI,
            gpu=gpu,
            simulated=True,
            reason=reason,
            peak_mib=int(self.model.peak_gb * 1024) if self.model and self.execute_s else None,
        ).signed(self.order.report_key)


def model_of(order: RenderOrder) -> Model | None:
    """The model whose file the order's graph loads; None for graphs of no simulated template."""
    graph = json.loads(zlib.decompress(b64decode(order.graph_z)))
    known = by_file()
    names = (value for node in graph.values() for value in node["inputs"].values() if isinstance(value, str))
    return next((known[name] for name in names if name in known), None)


FAILURES: Final = {
    Fate.OUT_OF_MEMORY: (FailureClass.OUT_OF_MEMORY, "out_of_memory", "CUDA out of memory (simulated)"),
    Fate.OUTPUT_INVALID: (
        FailureClass.OUTPUT_INVALID,
        "output_wrong",
        "width is 1 where another was ordered (simulated)",
    ),
    Fate.STORE_FULL: (
        FailureClass.INFRASTRUCTURE,
        "store_full",
        "the artifact store has no room left: 0 MiB are free (simulated)",
    ),
    Fate.COMFY_CRASH: (
        FailureClass.COMFY_CRASHED,
        "vanished",
        "ComfyUI does not know the prompt any more (simulated)",
    ),
}


def failure_of(fate: Fate) -> Failure:
    """What a node reports where this fate strikes."""
    failure_class, code, message = FAILURES[fate]
    on_sampler = fate is Fate.OUT_OF_MEMORY
    return Failure(
        failure_class=failure_class,
        code=code,
        message=message,
        node_id="5" if on_sampler else "",
        node_type="KSampler" if on_sampler else "",
        exception_type="OutOfMemoryError" if on_sampler else "",
    )
