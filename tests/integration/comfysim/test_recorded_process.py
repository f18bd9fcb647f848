"""A server that is ended and started again as recorded; and measurements, with what is checked for them."""

from __future__ import annotations

import itertools
import signal
import subprocess
from typing import Any

import pytest
import requests
import websocket

from tests.comfysim_fixture import StartSim
from tests.integration.comfysim.replay import Listener, get, history_of, recording, sleeper, submit, until
from tests.integration.comfysim.sameness import heard
from tests.integration.comfysim.stories import Stage, measured, story, usual
from workers.comfysim.faults import Fault

_CLOSED = (websocket.WebSocketConnectionClosedException, ConnectionError)


@story("lifecycle_signals")
def test_a_server_that_is_ended_starts_empty(version: str, comfysim: StartSim) -> None:
    recorded = recording("lifecycle_signals", version)
    base_dir = comfysim().base_dir / "own"
    arguments = ["--test-nodes", f"--comfyui-version={version}"]
    sim = comfysim(vram=0, process=True, base_dir=base_dir, arguments=arguments)
    for name in ("SIGTERM", "SIGINT", "SIGKILL"):
        told = recorded[name]
        listener = Listener(sim, "me")
        stays = told["exit_code"] == "still alive 40s"
        running = submit(sim, sleeper(*((1, 4) if stays else (60, 600))), client_id="me")
        waiting = submit(sim, usual("rec"), client_id="me")
        listener.until("progress")
        sim.process.send_signal(signal.Signals[name])
        if stays:
            _works_on(listener, waiting, told["ws_tail"])
            with pytest.raises(subprocess.TimeoutExpired):
                sim.process.wait(1)
            sim.process.kill()
            sim.process.wait(20)
        else:
            assert sim.process.wait(20) == told["exit_code"]
        with pytest.raises(_CLOSED):
            listener.until("execution_success", prompt_id=running)
        assert told["ws_tail"][-1]["closed"] == 1006
        with pytest.raises(requests.ConnectionError):
            get(sim, "/queue")
        sim = comfysim(vram=0, process=True, base_dir=base_dir, arguments=arguments)
        after = {path: get(sim, f"/{path}") for path in ("history", "queue")}
        after["history_id"] = get(sim, f"/history/{running}")
        assert after == told["after_restart"]
        answer = requests.post(f"{sim.url}/prompt", json={"prompt": usual("afterrestart")}, timeout=10).json()
        assert answer["number"] == told["number_after_restart"]
        entry = history_of(sim, answer["prompt_id"])[answer["prompt_id"]]
        assert entry["outputs"] == told["outputs_after_restart"]


def _works_on(listener: Listener, waiting: str, tail: list[dict[str, Any]]) -> None:
    """The server finishes what runs and what waits, as if nobody had asked it to end."""
    listener.until("executing", node=None, prompt_id=waiting)
    recorded = heard(tail)
    assert heard(listener.heard)[-len(recorded) :] == recorded


@measured("timing", "success is told, and the queue left, before history has it; nobody waits for a figure")
def test_success_is_told_before_history_has_it(stage: Stage) -> None:
    recorded = recording("timing", stage.version)
    assert recorded["history_after_ws_success_ms"]["max"] > 0
    stage.sim.arm("hang:at=history")
    listener = Listener(stage.sim, "me")
    prompt_id = submit(stage.sim, usual("t"), client_id="me")
    listener.until("execution_success")
    until(lambda: stage.sim.acted()["hang"])
    assert stage.get(f"/history/{prompt_id}") == {}
    stage.sim.arm()
    assert history_of(stage.sim, prompt_id)[prompt_id]["status"]["status_str"] == "success"


@measured("gc_stall", "a stall of the stand-in is as long as the recorded ones, and recurs")
def test_a_stall_is_as_long_as_recorded(stage: Stage) -> None:
    recorded = recording("gc_stall", stage.version)
    stalls = [stall["stall_ms"] for stall in recorded["http_stalls_over_30ms"]]
    assert min(stalls) <= Fault("freeze").ms <= max(stalls)
    times = [stall["at"] for stall in recorded["http_stalls_over_30ms"]]
    assert {round(later - earlier) for earlier, later in itertools.pairwise(times)} == {10}
    stage.sim.arm("freeze:ms=1,every=0.05,times=always")

    def stalled_twice() -> bool:
        return bool(stage.get("/queue")) and stage.sim.acted()["freeze"] >= 2

    until(stalled_twice)


@measured("object_info_summary", "the same classes, outputs, deprecated and API nodes, and the same bytes")
def test_the_catalogue_is_the_recorded_one(version: str, comfysim: StartSim) -> None:
    recorded = recording("object_info_summary", version)
    sim = comfysim(comfyui_version=version, models={"checkpoints": []})
    response = requests.get(f"{sim.url}/object_info", timeout=20)
    info = response.json()
    assert len(info) == recorded["count"]
    assert sorted(info) == recorded["nodes"]
    assert sorted(name for name in info if info[name]["output_node"]) == recorded["output_nodes"]
    assert sorted(name for name in info if info[name].get("deprecated")) == recorded["deprecated"]
    assert sum(bool(node.get("api_node")) for node in info.values()) == recorded["api_nodes"]
    assert len(response.content) == recorded["bytes"]
