"""One real worker beside one stand-in ComfyUI that can be told to misbehave, and the proofs that it did."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import websocket

from farm.contracts import CONTROL_CANCEL, FailureClass, Outcome, RenderOrder, RenderReport, Stage
from tests.broker_fixture import Broker
from tests.comfysim_fixture import ProcessSim
from tests.integration.workers.coordinator import KEY, coordinator
from tests.integration.workers.node_farm import Farm, result_of
from tests.integration.workers.waiting import until
from tests.integration.workers.worker_process import WorkerProcess

HASTY = "tests.acceptance.hasty_node"
TIMEOUT_S = 10
ARGUMENTS = ("--vram=8", "--model-load-seconds=0", "--seconds-per-step=0", "--test-nodes")


@dataclass
class Sent:
    """An order on its way."""

    order: RenderOrder
    result: Any

    def report(self) -> RenderReport:
        """Wait for its end."""
        report = result_of(self.result)
        assert (report.attempt_id, report.is_signed_with(KEY)) == (self.order.attempt_id, True)
        return report


@dataclass
class Adversity:
    """The farm of one node, in which a fault is armed, proved and cleared away."""

    folder: Path
    version: str
    farm: Farm
    restart_mark: Path
    before: set[str] = field(default_factory=set)

    @property
    def sim(self) -> ProcessSim:
        assert isinstance(self.farm.sim, ProcessSim)
        return self.farm.sim

    def send(self, order: RenderOrder, queue: str = "vram.8") -> Sent:
        """Publish an order."""
        return Sent(order, self.farm.coordinator.send(order, queue))

    def executing(self, sent: Sent) -> None:
        """Wait until the node says that the order executes."""
        self.farm.executing(sent.order)

    def staged(self, sent: Sent) -> None:
        """Wait until the order's prompt stands in ComfyUI's queue."""
        self.farm.coordinator.hears(
            lambda report: any(
                held.attempt_id == sent.order.attempt_id and held.stage is Stage.STAGED
                for held in report.running
            )
        )

    def cancel(self, sent: Sent) -> None:
        """A person cancels."""
        self.farm.coordinator.app.control.broadcast(
            CONTROL_CANCEL,
            arguments={"attempt_id": sent.order.attempt_id},
            destination=[self.farm.worker.celery_name],
        )

    def is_sick(self) -> str:
        """Wait until the node says that it is sick, and return why."""
        return self.farm.coordinator.hears(lambda report: report.state == "sick").reason

    def begin(self) -> None:
        """Wait for an idle node, and remember what ComfyUI has rendered so far."""
        self.farm.coordinator.hears(lambda report: report.state == "idle" and not report.running)
        self.before = set(self.farm.comfy_history())

    def rendered(self) -> dict[str, Any]:
        """The prompts that have ended in ComfyUI since the test began, with how they ended."""
        return {k: v for k, v in self.farm.comfy_history().items() if k not in self.before}

    def queued(self) -> list[str]:
        """The prompt ids that ComfyUI has in hand."""
        queue = self.farm.comfy_queue()
        return [item[1] for name in ("queue_running", "queue_pending") for item in queue[name]]

    @contextmanager
    def suffers(self, *faults: str, times: int = 1) -> Iterator[None]:
        """Arm faults; at the end prove that each kind of them has acted, ``times`` times at least."""
        kinds = [fault.partition(":")[0] for fault in faults]
        already = self.sim.acted()
        self.sim.arm(*faults)
        yield
        acted = self.sim.acted() - already
        if self.sim.process.poll() is None:
            self.sim.arm()
        assert {kind: acted[kind] >= times for kind in kinds} == dict.fromkeys(kinds, True), acted

    def restart_comfyui(self) -> None:
        """Kill ComfyUI, if it lives, and start it again at the same address, knowing nothing."""
        port, base_dir = self.sim.port, self.sim.base_dir
        self.sim.process.kill()
        self.sim.stop()
        self.farm.sim = start_sim(base_dir, self.version, port)
        self.before = set()

    def foreign_prompt(self, seconds: float) -> str:
        """Queue somebody else's prompt."""
        prompt_id = str(uuid.uuid4())
        graph = {
            "1": {
                "class_type": "EmptyImage",
                "inputs": {"width": 64, "height": 48, "batch_size": 1, "color": uuid.uuid4().int % 0xFFFFFF},
            },
            "2": {
                "class_type": "RecSleep",
                "inputs": {"image": ["1", 0], "seconds": seconds, "steps": 20, "nonce": 1},
            },
            "3": {
                "class_type": "SaveImage",
                "inputs": {"images": ["2", 0], "filename_prefix": f"foreign/{prompt_id}"},
            },
        }
        body = {"prompt": graph, "prompt_id": prompt_id, "client_id": "somebody-else"}
        answer = requests.post(f"{self.sim.url}/prompt", json=body, timeout=TIMEOUT_S)
        assert answer.status_code == 200, answer.text
        return prompt_id

    def steal_socket(self, client_id: str) -> websocket.WebSocket:
        """Open a second socket under a client's name: ComfyUI speaks to the newest alone."""
        return websocket.create_connection(f"{self.sim.ws_url}?clientId={client_id}", timeout=TIMEOUT_S)


def start_sim(base_dir: Path, version: str, port: int = 0) -> ProcessSim:
    return ProcessSim(base_dir, [*ARGUMENTS, f"--comfyui-version={version}", f"--port={port}"])


@contextmanager
def adversity(folder: Path, version: str) -> Iterator[Adversity]:
    """Start broker, ComfyUI, tiny coordinator and worker; end them all."""
    broker = Broker(folder / "broker")
    sim = start_sim(folder / "comfyui", version)
    mark = folder / "restarts"
    here = coordinator(broker.url)
    with here.at_work():
        env = {
            "REDIS_URL": broker.url,
            "COMFYUI_URL": sim.url,
            "SHOTFARM_COMFYUI_RESTART": f"sh -c 'echo restarted >> {mark}'",
        }
        worker = WorkerProcess(folder, env, app=HASTY)
        farm = Farm(broker, sim, here, worker)
        try:
            yield Adversity(folder, version, farm, mark)
        finally:
            worker.kill()
            farm.sim.stop()
    broker.stop()


def words_of(report: RenderReport) -> str:
    """What the node says went wrong."""
    assert report.failure is not None, f"the attempt ended as {report.outcome}, without a failure"
    return report.failure.message


def failure_of(report: RenderReport) -> tuple[FailureClass, str]:
    """The class and the code the coordinator is told."""
    assert report.outcome is Outcome.FAILED
    assert report.failure is not None
    return report.failure.failure_class, report.failure.code


def until_gone(here: Adversity) -> None:
    """Wait until ComfyUI has nothing in hand."""
    until(lambda: not here.queued())
