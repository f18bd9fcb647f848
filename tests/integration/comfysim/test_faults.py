"""Every fault of the stand-in happens where it is armed, as often as it is armed, and is counted."""

from __future__ import annotations

import contextlib
import signal
import time
import uuid
from pathlib import Path
from typing import Any

import av
import pytest
import requests
import websocket
from PIL import Image

from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfysim.replay import (
    Listener,
    get,
    history_of,
    prompt,
    running_in,
    sleeper,
    still,
    submit,
    until,
)
from tests.integration.comfysim.steps import Steps

_CUT = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def _last(sim: ComfySim, prompt_id: str) -> tuple[str, dict[str, Any]]:
    name, data = history_of(sim, prompt_id)[prompt_id]["status"]["messages"][-1]
    return name, data


def _pending(sim: ComfySim) -> list[str]:
    return [row[1] for row in get(sim, "/queue")["queue_pending"]]


def _mp4(frames: int = 5) -> dict[str, Any]:
    return prompt(
        n1=("EmptyImage", {"width": 64, "height": 48, "batch_size": frames, "color": 0x306090}),
        n2=("CreateVideo", {"images": ["1", 0], "fps": 8.0}),
        n3=("SaveVideo", {"video": ["2", 0], "filename_prefix": "v", "format": "auto", "codec": "auto"}),
    )


def _file(sim: ComfySim, graph: dict[str, Any]) -> Path:
    """The first file the graph lists in history, whether it is there or not."""
    prompt_id = submit(sim, graph)
    entry = history_of(sim, prompt_id)[prompt_id]
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    file = next(iter(entry["outputs"].values()))["images"][0]
    path: Path = sim.base_dir / file["type"] / file["subfolder"] / file["filename"]
    return path


@pytest.mark.parametrize(
    "fault", ["node,node=RecSleep", "step,after=2", "shown", "submit", "start", "history"]
)
def test_a_crash_kills_the_server_at_that_point_and_leaves_word(fault: str, comfysim: StartSim) -> None:
    sim = comfysim(process=True, arguments=["--test-nodes"], faults=[f"crash:at={fault}"])
    with contextlib.suppress(*_CUT):  # it may die before it has answered
        submit(sim, sleeper(0.1, steps=5))
    assert sim.process.wait(20) == -signal.SIGKILL
    assert sim.acted() == {"crash": 1}


def test_a_crash_after_two_steps_has_shown_two_steps(comfysim: StartSim) -> None:
    sim = comfysim(process=True, arguments=["--test-nodes"], faults=["crash:at=step,after=2"])
    listener = Listener(sim, "me")
    submit(sim, sleeper(1, steps=5), client_id="me")
    with pytest.raises((ConnectionError, websocket.WebSocketConnectionClosedException)):
        listener.until("executing", node=None)
    steps = [m["text"]["data"]["value"] for m in listener.heard if m["text"]["type"] == "progress"]
    assert steps == [1, 2]


@pytest.mark.parametrize("point", ["node", "step", "shown", "history"])
def test_a_hang_keeps_the_prompt_running_for_ever_while_http_lives(point: str, sim: ComfySim) -> None:
    sim.arm(f"hang:at={point}")
    hung = submit(sim, sleeper(0.05, steps=3))
    until(lambda: sim.acted()["hang"])
    waiting = submit(sim, still(1))
    requests.post(f"{sim.url}/interrupt", timeout=5)
    time.sleep(0.1)
    assert (running_in(sim), _pending(sim)) == ([hung], [waiting])
    assert get(sim, f"/history/{hung}") == {}


def test_a_hang_ends_when_it_is_disarmed(sim: ComfySim) -> None:
    sim.arm("hang:node=SaveImage")
    prompt_id = submit(sim, still(1))
    until(lambda: sim.acted()["hang"])
    sim.arm()
    assert _last(sim, prompt_id)[0] == "execution_success"


def test_a_hang_at_the_start_leaves_everything_pending(sim: ComfySim) -> None:
    sim.arm("hang:at=start")
    waiting = submit(sim, still(1))
    until(lambda: sim.acted()["hang"])
    assert (running_in(sim), _pending(sim)) == ([], [waiting])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_exit_kills_the_executor_while_http_lives(sim: ComfySim) -> None:
    sim.arm("exit:node=SaveImage")
    dead = submit(sim, still(1))
    until(lambda: sim.acted()["exit"])
    waiting = submit(sim, still(2))
    assert (running_in(sim), _pending(sim)) == ([dead], [waiting])


def test_memory_runs_out_once_and_the_next_prompt_succeeds(sim: ComfySim) -> None:
    sim.arm("oom:node=SaveImage")
    name, data = _last(sim, submit(sim, still(1)))
    assert (name, data["exception_type"], data["node_type"]) == (
        "execution_error",
        "torch.OutOfMemoryError",
        "SaveImage",
    )
    assert "ran out of memory" in data["exception_message"]
    assert _last(sim, submit(sim, still(2)))[0] == "execution_success"
    assert sim.acted() == {"oom": 1}


def test_memory_runs_out_always_and_another_node_is_spared(sim: ComfySim) -> None:
    sim.arm("oom:node=RecSleep,times=always")
    for _ in range(3):
        assert _last(sim, submit(sim, sleeper(0)))[0] == "execution_error"
    assert _last(sim, submit(sim, still(1)))[0] == "execution_success"
    assert sim.acted() == {"oom": 3}


def test_a_failure_after_the_first_output_leaves_partial_outputs(sim: ComfySim) -> None:
    sim.arm("fail:at=shown")
    prompt_id = submit(sim, still(1))
    assert _last(sim, prompt_id)[0] == "execution_error"
    outputs = history_of(sim, prompt_id)[prompt_id]["outputs"]
    assert outputs["2"]["images"][0]["filename"] == "t_00001_.png"


def test_a_deaf_node_finishes_and_the_interrupt_bites_at_the_next(sim: ComfySim, steps: Steps) -> None:
    sim.arm("deaf:node=RecSleep")
    steps.hold(after=1)
    listener = Listener(sim, "me")
    prompt_id = submit(sim, sleeper(0.3, steps=3), client_id="me")
    listener.until("progress", value=1)
    requests.post(f"{sim.url}/interrupt", json={"prompt_id": prompt_id}, timeout=5)
    steps.go()
    name, data = _last(sim, prompt_id)
    assert (name, data["node_type"]) == ("execution_interrupted", "SaveImage")
    assert sim.acted() == {"deaf": 1}


def test_an_ignored_interrupt_stops_nothing_and_the_next_one_does(sim: ComfySim) -> None:
    sim.arm("ignore-interrupt:times=2")
    listener = Listener(sim, "me")
    prompt_id = submit(sim, sleeper(30, steps=300), client_id="me")
    listener.until("progress")
    assert requests.post(f"{sim.url}/interrupt", json={"prompt_id": prompt_id}, timeout=5).ok
    assert requests.post(f"{sim.url}/api/jobs/{prompt_id}/cancel", timeout=5).json() == {"cancelled": True}
    listener.until("progress")
    assert sim.acted() == {"ignore-interrupt": 2}
    requests.post(f"{sim.url}/interrupt", json={"prompt_id": prompt_id}, timeout=5)
    assert _last(sim, prompt_id)[0] == "execution_interrupted"


def test_a_post_cut_before_is_not_taken_and_one_cut_after_is(sim: ComfySim) -> None:
    lost, taken = str(uuid.uuid4()), str(uuid.uuid4())
    sim.arm("cut:at=before", "cut:at=after")
    for prompt_id in (lost, taken):
        with pytest.raises(_CUT):
            submit(sim, still(1), prompt_id=prompt_id)
    assert _last(sim, taken)[0] == "execution_success"
    assert get(sim, f"/history/{lost}") == {}
    assert sim.acted() == {"cut": 2}
    submit(sim, still(2))


def test_a_slow_path_takes_its_time_and_others_do_not_wait(sim: ComfySim) -> None:
    sim.arm("slow:path=/history,ms=5000")
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sim.url}/history", timeout=0.3)
    assert requests.get(f"{sim.url}/queue", timeout=10).ok
    assert requests.get(f"{sim.url}/api/history", timeout=10).ok
    assert sim.acted() == {"slow": 1}
    sim.arm("slow:path=/history,ms=300,times=always")
    started = time.monotonic()
    assert requests.get(f"{sim.url}/api/history", timeout=10).ok
    assert time.monotonic() - started > 0.3


@pytest.mark.parametrize("path", ["/jobs", "/api/jobs", "GET /jobs", "GET /api/jobs"])
def test_a_path_may_be_written_with_or_without_api_and_method(path: str, sim: ComfySim) -> None:
    sim.arm(f"slow:path={path},ms=1,times=always")
    assert requests.get(f"{sim.url}/api/jobs", timeout=10).ok
    requests.post(f"{sim.url}/api/jobs/cancel", json={}, timeout=10)
    assert sim.acted()["slow"] == (1 if path.startswith("GET") else 2)


def test_a_recurring_stall_leaves_its_interval_between_two(sim: ComfySim) -> None:
    sim.arm("slow:ms=1,every=3600,times=always")
    for _ in range(5):
        assert requests.get(f"{sim.url}/queue", timeout=10).ok
    assert sim.acted() == {"slow": 1}


def test_a_frozen_server_answers_nobody_meanwhile(sim: ComfySim) -> None:
    sim.arm("freeze:path=/history,ms=2000")
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sim.url}/history", timeout=0.1)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sim.url}/queue", timeout=0.1)
    assert requests.get(f"{sim.url}/queue", timeout=10).ok


def test_a_dropped_socket_may_come_back_unless_it_is_refused(sim: ComfySim, steps: Steps) -> None:
    steps.hold()
    sim.arm("socket-drop:after=3", "socket-refuse:after=2,times=always")
    first = Listener(sim, "me")
    submit(sim, sleeper(0.3, steps=3), client_id="me")
    with pytest.raises((ConnectionError, websocket.WebSocketConnectionClosedException)):
        first.until("executing", node=None)
    assert len(first.heard) == 3
    second = Listener(sim, "me")
    steps.go()
    second.until("executing", node=None)
    with pytest.raises(websocket.WebSocketBadStatusException):
        Listener(sim, "me")
    assert sim.acted() == {"socket-drop": 1, "socket-refuse": 1}


def test_every_socket_is_dropped_after_its_own_messages_with_times_always(sim: ComfySim) -> None:
    sim.arm("socket-drop:after=1,times=always")
    for _ in range(2):
        listener = Listener(sim, "me")
        submit(sim, still(1), client_id="me")
        with pytest.raises((ConnectionError, websocket.WebSocketConnectionClosedException)):
            listener.until("executing", node=None)
        assert len(listener.heard) == 1


def test_a_silent_socket_stays_open_and_says_nothing_more(sim: ComfySim) -> None:
    sim.arm("socket-silent:after=1")
    listener = Listener(sim, "me")
    history_of(sim, submit(sim, still(1), client_id="me"))
    until(lambda: sim.acted()["socket-silent"])
    other = Listener(sim, "me")
    submit(sim, still(2), client_id="me")
    other.until("executing", node=None)
    listener.ping()
    assert len(listener.heard) == 1


def _decoded(path: Path) -> list[Image.Image]:
    with av.open(str(path)) as container:
        return [frame.to_image() for frame in container.decode(video=0)]  # type: ignore[no-untyped-call]


def test_a_wrong_frame_count_and_a_wrong_size_still_decode(sim: ComfySim) -> None:
    sim.arm("wrong-frames", "wrong-size:after=1")
    assert [picture.size for picture in _decoded(_file(sim, _mp4(5)))] == [(64, 48)] * 4
    assert [picture.size for picture in _decoded(_file(sim, _mp4(6)))] == [(32, 24)] * 6
    assert len(_decoded(_file(sim, _mp4(7)))) == 7
    sim.arm("wrong-frames:node=SaveImage")
    _file(sim, still(3, "two"))
    assert len(list((sim.base_dir / "output").glob("two_*.png"))) == 2


@pytest.mark.parametrize("kind", ["corrupt", "truncate"])
def test_a_spoilt_file_does_not_decode(kind: str, sim: ComfySim) -> None:
    sim.arm(f"{kind}:times=2")
    with pytest.raises((OSError, SyntaxError)):
        Image.open(_file(sim, still(1))).load()
    with pytest.raises((av.FFmpegError, IndexError)):  # half a file may have lost its list of streams
        _decoded(_file(sim, _mp4()))
    assert sim.acted() == {kind: 2}


def test_a_deleted_file_is_listed_and_not_there(sim: ComfySim) -> None:
    sim.arm("delete")
    path = _file(sim, still(1))
    assert not path.exists()
    assert requests.get(f"{sim.url}/view?filename={path.name}", timeout=5).status_code == 404
