"""The stand-in ComfyUI for tests: `comfysim(vram=8)` starts one and stops it afterwards."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from workers.comfysim.faults import Fault
from workers.comfysim.knobs import Knobs
from workers.comfysim.server import create_app

_START_S = 20


class ComfySim:
    """A running stand-in: `url` without a trailing slash, its `base_dir`, and `stop()`."""

    def __init__(self, base_dir: Path) -> None:
        self.base_dir = base_dir
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws"

    def arm(self, *faults: str) -> None:
        """Let these faults happen instead of those armed before, `crash:at=step,after=3`; none disarms."""
        answer = requests.post(f"{self.url}/simulated/knobs", json={"faults": faults}, timeout=_START_S)
        assert answer.status_code == 200, answer.text

    def acted(self) -> Counter[str]:
        """How often each kind of fault has acted here, also in a server that has crashed since."""
        journal = self.base_dir / "simulated_faults.jsonl"
        lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
        return Counter(json.loads(line)["fault"] for line in lines)

    def stop(self) -> None:
        raise NotImplementedError


class ThreadedSim(ComfySim):
    """In this process: starts in milliseconds, cannot be killed."""

    def __init__(self, knobs: Knobs) -> None:
        super().__init__(knobs.base_dir)
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(knobs,), name="comfysim", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise TimeoutError(f"the stand-in ComfyUI did not start within {_START_S} s")

    def _run(self, knobs: Knobs) -> None:
        self._loop.run_until_complete(self._serve(knobs))
        self._loop.close()

    async def _serve(self, knobs: Knobs) -> None:
        runner = web.AppRunner(create_app(knobs), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        self._ready.set()
        await self._stopped.wait()
        await runner.cleanup()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(_START_S)


class ProcessSim(ComfySim):
    """A process of its own, for tests that kill it: `process` is its Popen."""

    def __init__(self, base_dir: Path, arguments: list[str]) -> None:
        super().__init__(base_dir)
        command = [sys.executable, "-m", "workers.comfysim", "--port=0", f"--base-dir={base_dir}", "--faults"]
        self.process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if "http://" in line:
                self.port = int(line.rsplit(":", 1)[1])
                return
        raise RuntimeError(f"the stand-in ComfyUI ended with {self.process.wait()} before it listened")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(_START_S)
        if self.process.stdout is not None:
            self.process.stdout.close()


StartSim = Callable[..., Any]


def free_port() -> int:
    """A port nobody listens on: for a server that is not there."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def comfysim(tmp_path: Path) -> Iterator[StartSim]:
    """Start servers: `comfysim(vram=24, **knobs)` with the fields of Knobs, quick unless told otherwise.

    `faults=["hang:at=step"]` arms faults from the start; `sim.arm(…)` later, `sim.acted()` counts.
    `process=True` gives one of its own process; it takes `arguments=[…]` instead of knobs.
    """
    started: list[ComfySim] = []

    def start(
        vram: float = 24,
        *,
        process: bool = False,
        arguments: tuple[str, ...] = (),
        faults: tuple[str, ...] = (),
        **knobs: Any,
    ) -> ComfySim:
        base_dir = knobs.pop("base_dir", tmp_path / f"comfysim-{len(started)}")
        sim: ComfySim
        if process:
            armed = [f"--fault={fault}" for fault in faults]
            sim = ProcessSim(base_dir, [f"--vram={vram}", "--model-load-seconds=0", *armed, *arguments])
        else:
            quick: dict[str, Any] = {"seconds_per_step": 0.0, "model_load_seconds": 0.0, "test_nodes": True}
            quick |= {"faults_open": True, "faults": tuple(map(Fault.parse, faults))}
            sim = ThreadedSim(Knobs(base_dir=base_dir, vram_gb=vram, **{**quick, **knobs}))
        started.append(sim)
        return sim

    yield start
    for sim in started:
        sim.stop()
