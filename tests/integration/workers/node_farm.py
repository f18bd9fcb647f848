"""A farm of one node: real broker, real worker process, stand-in ComfyUI, tiny coordinator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from farm.contracts import NodeReport, RenderFailed, RenderOrder, RenderReport, Stage
from farm.tiers import node_queue
from tests.broker_fixture import Broker
from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.workers.coordinator import KEY, Coordinator, coordinator, report_of
from tests.integration.workers.worker_process import WorkerProcess

PATIENCE_S = 40
BRISK = "tests.integration.workers.brisk_node"


@dataclass
class Farm:
    """What a test works with."""

    broker: Broker
    sim: ComfySim
    coordinator: Coordinator
    worker: WorkerProcess

    def render(self, what: RenderOrder, queue: str = "vram.8") -> RenderReport:
        """Render one order and check what every report must be."""
        report = result_of(self.coordinator.send(what, queue))
        assert report.attempt_id == what.attempt_id
        assert report.is_signed_with(KEY)
        return report

    def own_queue(self) -> str:
        """The queue that only this node reads, in its present life."""
        report = self.coordinator.last
        assert report is not None
        return node_queue(report.node, report.epoch)

    def waiting_in(self, queue: str) -> int:
        """How many orders lie in a queue."""
        with self.broker.client() as broker:
            return int(broker.llen(queue))

    def executing(self, what: RenderOrder) -> NodeReport:
        """Wait until the node says that an order executes."""
        return self.coordinator.hears(
            lambda report: any(
                r.attempt_id == what.attempt_id and r.stage is Stage.EXECUTING for r in report.running
            )
        )

    def comfy_queue(self) -> dict[str, Any]:
        """ComfyUI's own queue."""
        queue: dict[str, Any] = requests.get(f"{self.sim.url}/queue", timeout=10).json()
        return queue

    def comfy_history(self) -> dict[str, Any]:
        """Everything ComfyUI has ever run."""
        ran: dict[str, Any] = requests.get(f"{self.sim.url}/history", timeout=10).json()
        return ran


def result_of(result: Any) -> RenderReport:
    """Return the report an order ended with, however it ended."""
    answer = result.get(timeout=PATIENCE_S, propagate=False, disable_sync_subtasks=False)
    if isinstance(answer, dict):
        return report_of(answer)
    assert isinstance(answer, RenderFailed), f"not a report: {answer!r}"
    return report_of(answer.report)


StartFarm = Callable[..., Farm]


@pytest.fixture
def farm(broker: Broker, comfysim: StartSim, tmp_path: Path) -> Iterator[StartFarm]:
    """Start a farm: ``farm(vram=24, serve=True, idle=True, mounted=True, env={…}, **knobs)``.

    Returns once its node is idle, unless told not to wait for that. Its worker ends as by a power cut.
    """
    with ExitStack() as ends:

        def start(
            vram: float = 24,
            *,
            serve: bool = True,
            idle: bool = True,
            mounted: bool = True,
            env: dict[str, str] | None = None,
            **knobs: Any,
        ) -> Farm:
            sim = comfysim(vram=vram, **knobs)
            here = coordinator(broker.url)
            here.serve = serve
            ends.enter_context(here.at_work())
            settings = {"REDIS_URL": broker.url, "COMFYUI_URL": sim.url, **(env or {})}
            process = WorkerProcess(tmp_path, settings, app=BRISK, mounted=mounted)
            ends.callback(process.kill)
            if idle:
                here.hears(lambda report: report.state == "idle")
            return Farm(broker, sim, here, process)

        yield start
