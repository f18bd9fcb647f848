"""A farm of one node: real broker, real worker process, stand-in ComfyUI, tiny coordinator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.broker_fixture import Broker
from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.workers.coordinator import Coordinator, coordinator
from tests.integration.workers.worker_process import WorkerProcess


@dataclass
class Farm:
    """What a test works with."""

    broker: Broker
    sim: ComfySim
    coordinator: Coordinator
    worker: WorkerProcess

    def sim_queue(self) -> dict[str, Any]:
        """ComfyUI's own queue."""
        queue: dict[str, Any] = requests.get(f"{self.sim.url}/queue", timeout=10).json()
        return queue


StartFarm = Callable[..., Farm]


@pytest.fixture
def farm(broker: Broker, comfysim: StartSim, tmp_path: Path) -> Iterator[StartFarm]:
    """Start a farm: ``farm(vram=24, silent=False, env={…}, **knobs)``. Returns once its node is idle."""
    with ExitStack() as ends:

        def start(
            vram: float = 24, *, silent: bool = False, env: dict[str, str] | None = None, **knobs: Any
        ) -> Farm:
            sim = comfysim(vram=vram, **knobs)
            here = coordinator(broker.url)
            if not silent:
                ends.enter_context(here.at_work())
            settings = {"REDIS_URL": broker.url, "COMFYUI_URL": sim.url, **(env or {})}
            process = WorkerProcess(tmp_path, settings)
            ends.callback(process.stop)
            if not silent:
                here.hears(lambda report: report.state == "idle")
            return Farm(broker, sim, here, process)

        yield start
