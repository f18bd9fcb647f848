"""What a client may rely on beyond single exchanges: queue, history, cancel, sockets, cache, process."""

from __future__ import annotations

import contextlib
import signal
import uuid
from typing import Any

import pytest
import requests
import websocket
from PIL import Image

from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfysim.replay import (
    Listener,
    history_of,
    prompt,
    recording,
    sleeper,
    still,
    submit,
    until,
)
from tests.integration.comfysim.sameness import neutral

_LONG = 30.0


@pytest.fixture
def sim(comfysim: StartSim) -> ComfySim:
    started: ComfySim = comfysim()
    return started


def _get(sim: ComfySim, path: str) -> Any:
    return requests.get(f"{sim.url}{path}", timeout=10).json()


def _post(sim: ComfySim, path: str, **body: Any) -> requests.Response:
    return requests.post(f"{sim.url}{path}", json=body, timeout=10)


def _running(sim: ComfySim) -> list[str]:
    return [row[1] for row in _get(sim, "/queue")["queue_running"]]


def _terminal(entry: dict[str, Any]) -> str:
    name: str = next(iter(entry.values()))["status"]["messages"][-1][0]
    return name


def test_waiting_prompts_are_ordered_by_number_and_front_goes_first(sim: ComfySim) -> None:
    first = submit(sim, sleeper(_LONG))
    until(lambda: _running(sim) == [first])
    later = submit(sim, still(1))
    numbered = submit(sim, still(2), number=-50)
    front = submit(sim, still(3), front=True)
    pending = _get(sim, "/queue")["queue_pending"]
    assert [row[1] for row in sorted(pending)] == [numbered, front, later]
    assert sorted(row[0] for row in pending) == [-50.0, -2, 1]
    assert _get(sim, "/prompt") == {"exec_info": {"queue_remaining": 4}}


def test_a_deleted_or_cleared_prompt_never_runs_and_a_running_one_stays(sim: ComfySim) -> None:
    running = submit(sim, sleeper(_LONG))
    until(lambda: _running(sim) == [running])
    waiting = [submit(sim, still(color)) for color in (1, 2)]
    assert _post(sim, "/queue", delete=[waiting[0], running, str(uuid.uuid4())]).status_code == 200
    assert [row[1] for row in _get(sim, "/queue")["queue_pending"]] == waiting[1:]
    _post(sim, "/queue", clear=True)
    assert _get(sim, "/queue")["queue_pending"] == []
    assert _running(sim) == [running]
    assert _get(sim, f"/history/{waiting[0]}") == {}


def test_a_prompt_that_waits_or_runs_is_not_in_history(sim: ComfySim) -> None:
    running, waiting = submit(sim, sleeper(_LONG)), submit(sim, still(1))
    until(lambda: _running(sim) == [running])
    assert _get(sim, f"/history/{running}") == _get(sim, f"/history/{waiting}") == {}


def test_the_same_prompt_id_runs_again_and_overwrites_history(sim: ComfySim) -> None:
    prompt_id = str(uuid.uuid4())
    for color in (1, 2):
        submit(sim, still(color), prompt_id=prompt_id)
    until(lambda: _get(sim, "/prompt")["exec_info"]["queue_remaining"] == 0)
    entry = history_of(sim, prompt_id)[prompt_id]
    assert entry["prompt"][2]["1"]["inputs"]["color"] == 2
    assert len(list((sim.base_dir / "output").glob("t_*.png"))) == 2


def test_history_keeps_its_limit_and_one_and_drops_the_oldest(comfysim: StartSim) -> None:
    sim = comfysim(max_history=5)
    recorded = [1, 2, 3, 4, 5, 6, 6, 6, 6]
    ids, counts = [], []
    for color in range(len(recorded)):
        ids.append(submit(sim, still(color)))
        history_of(sim, ids[-1])
        counts.append(len(_get(sim, "/history")))
    assert counts == recorded
    assert list(_get(sim, "/history")) == ids[3:]
    assert list(_get(sim, "/history?max_items=2")) == ids[-2:]
    assert list(_get(sim, "/history?max_items=2&offset=0")) == ids[3:5]
    assert requests.get(f"{sim.url}/history?max_items=x", timeout=5).status_code == 500
    _post(sim, "/history", delete=[ids[-1]])
    assert _get(sim, f"/history/{ids[-1]}") == {}
    _post(sim, "/history", clear=True)
    assert _get(sim, "/history") == {}


def test_an_interrupt_by_id_stops_that_prompt_as_recorded(sim: ComfySim) -> None:
    recorded = recording("interrupt_by_id")
    submit(sim, still(5))
    listener = Listener(sim, "me")
    prompt_id = submit(sim, recorded["post"]["request"]["json"]["prompt"], client_id="me")
    listener.until("progress", value=1)
    _post(sim, "/interrupt", prompt_id=prompt_id)
    told = listener.until("execution_interrupted")
    listener.until("executing", node=None)
    assert told["node_id"] == "2"
    assert told["node_type"] == "RecSleep"
    entry = history_of(sim, prompt_id)
    assert _terminal(entry) == "execution_interrupted"
    status = entry[prompt_id]["status"]
    assert (status["status_str"], status["completed"], entry[prompt_id]["outputs"]) == ("error", False, {})


def test_an_interrupt_with_another_id_does_nothing(sim: ComfySim) -> None:
    prompt_id = submit(sim, sleeper(0.3))
    until(lambda: _running(sim) == [prompt_id])
    assert _post(sim, "/interrupt", prompt_id=str(uuid.uuid4())).status_code == 200
    assert _terminal(history_of(sim, prompt_id)) == "execution_success"


@pytest.mark.parametrize("body", ["", "{x", "{}"])
def test_an_interrupt_without_an_id_stops_whatever_runs(body: str, sim: ComfySim) -> None:
    prompt_id = submit(sim, sleeper(_LONG, steps=1000))
    until(lambda: _running(sim) == [prompt_id])
    assert requests.post(f"{sim.url}/interrupt", data=body, timeout=5).status_code == 200
    assert _terminal(history_of(sim, prompt_id)) == "execution_interrupted"


def test_a_node_that_does_not_listen_finishes_and_the_next_one_is_interrupted(sim: ComfySim) -> None:
    listener = Listener(sim, "me")
    prompt_id = submit(sim, sleeper(0.5, deaf=True), client_id="me")
    listener.until("executing", node="2")
    _post(sim, "/interrupt", prompt_id=prompt_id)
    told = listener.until("execution_interrupted")
    assert (told["node_id"], told["node_type"]) == ("3", "SaveImage")
    assert set(told["executed"]) == {"1", "2"}


def test_an_interrupt_while_idle_does_not_hurt_the_next_prompt(sim: ComfySim) -> None:
    _post(sim, "/interrupt")
    assert _terminal(history_of(sim, submit(sim, still(1)))) == "execution_success"


def test_jobs_tell_every_state_and_cancel_both_waiting_and_running(sim: ComfySim) -> None:
    done = submit(sim, still(1))
    history_of(sim, done)
    failing = prompt(
        n1=("EmptyImage", {"width": 8, "height": 8, "batch_size": 1, "color": 9}),
        n2=("RecRaise", {"image": ["1", 0], "kind": "value"}),
        n3=("SaveImage", {"images": ["2", 0], "filename_prefix": "x"}),
    )
    failed = submit(sim, failing)
    running, waiting = submit(sim, sleeper(_LONG, steps=1000)), submit(sim, still(2))
    until(lambda: _running(sim) == [running])
    states = {job["id"]: job["status"] for job in _get(sim, "/api/jobs")["jobs"]}
    assert states == {done: "completed", failed: "failed", running: "in_progress", waiting: "pending"}
    assert _get(sim, f"/api/jobs/{failed}")["execution_error"]["exception_type"] == "ValueError"
    preview = _get(sim, f"/api/jobs/{done}")["preview_output"]
    expected = {
        "filename": "t_00001_.png",
        "subfolder": "",
        "type": "output",
        "nodeId": "2",
        "mediaType": "images",
    }
    assert preview == expected
    assert _post(sim, f"/api/jobs/{waiting}/cancel").json() == {"cancelled": True}
    assert requests.get(f"{sim.url}/api/jobs/{waiting}", timeout=5).status_code == 404
    assert _post(sim, f"/api/jobs/{running}/cancel").json() == {"cancelled": True}
    history_of(sim, running)
    assert _get(sim, f"/api/jobs/{running}")["status"] == "cancelled"
    assert _post(sim, f"/api/jobs/{uuid.uuid4()}/cancel").json() == {"cancelled": False}
    page = _get(sim, "/api/jobs?limit=1&status=completed,cancelled")
    assert [job["id"] for job in page["jobs"]] == [running]
    assert page["pagination"] == {"offset": 0, "limit": 1, "total": 2, "has_more": True}
    refused = _post(sim, "/api/jobs/cancel", job_ids=["zz"])
    assert (refused.status_code, refused.json()["invalid_ids"]) == (400, ["zz"])


def test_another_client_hears_of_the_queue_only(sim: ComfySim) -> None:
    other, mine = Listener(sim, "other"), Listener(sim, "mine")
    submit(sim, still(1), client_id="mine")
    mine.until("executing", node=None)
    other.until("status", status={"exec_info": {"queue_remaining": 0}})
    assert set(other.names()) == {"status"}
    assert "executed" in mine.names()


def test_a_client_that_comes_back_is_told_the_node_and_hears_the_rest(sim: ComfySim) -> None:
    first = Listener(sim, "me")
    submit(sim, sleeper(1, steps=8), client_id="me")
    first.until("progress", value=2)
    first.close()
    second = Listener(sim, "me")
    second.until("executing", node=None)
    assert second.heard[1] == {"text": {"type": "executing", "data": {"node": "2"}}}
    assert "execution_start" not in second.names()
    assert "execution_success" in second.names()


def test_the_newest_of_two_sockets_with_one_id_gets_the_events(sim: ComfySim) -> None:
    older, newer = Listener(sim, "two"), Listener(sim, "two")
    submit(sim, still(1), client_id="two")
    newer.until("executing", node=None)
    older.close()
    assert older.names() == ["status"]


def test_execution_success_is_told_before_history_knows(sim: ComfySim) -> None:
    listener = Listener(sim, "me")
    submit(sim, still(1), client_id="me")
    listener.until("executing", node=None)
    names = listener.names()
    assert names[-3:] == ["execution_success", "status", "executing"]


def test_a_fully_cached_prompt_lists_the_old_file_only_for_a_client(sim: ComfySim) -> None:
    outputs = []
    for body in ({}, {}, {"client_id": "me"}, {}):
        prompt_id = submit(sim, still(7), **body)
        entry = history_of(sim, prompt_id)[prompt_id]
        outputs.append(neutral(entry["outputs"]))
    shown = {"2": {"images": [{"filename": "t_#####_.png", "subfolder": "", "type": "output"}]}}
    assert outputs == [shown, {}, shown, {}]
    assert len(list((sim.base_dir / "output").iterdir())) == 1


def test_the_cache_forgets_what_the_last_prompt_did_not_use_and_everything_on_free(sim: ComfySim) -> None:
    def cached(graph: dict[str, Any]) -> list[str]:
        prompt_id = submit(sim, graph)
        messages = history_of(sim, prompt_id)[prompt_id]["status"]["messages"]
        nodes: list[str] = messages[1][1]["nodes"]
        return nodes

    assert cached(still(1)) == []
    assert cached(still(1, "other")) == ["1"]
    assert cached(still(2)) == []
    assert cached(still(1)) == []
    assert requests.post(f"{sim.url}/free", data="", timeout=5).status_code == 500
    assert _post(sim, "/free", unload_models=True, free_memory=True).status_code == 200
    assert cached(still(1)) == []


def test_a_changed_input_file_of_the_same_name_is_read_again(sim: ComfySim) -> None:
    graph = prompt(
        n1=("LoadImage", {"image": "a.png"}), n2=("SaveImage", {"images": ["1", 0], "filename_prefix": "l"})
    )
    colors = []
    for color in ((250, 0, 0), (0, 250, 0)):
        Image.new("RGB", (16, 16), color).save(sim.base_dir / "input" / "a.png")
        prompt_id = submit(sim, graph)
        entry = history_of(sim, prompt_id)[prompt_id]["outputs"]["2"]["images"][0]
        colors.append(Image.open(sim.base_dir / "output" / entry["filename"]).getpixel((0, 0)))
    assert colors == [(250, 0, 0), (0, 250, 0)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_node_that_exits_kills_the_executor_and_http_lives_on(sim: ComfySim) -> None:
    graph = prompt(
        n1=("EmptyImage", {"width": 8, "height": 8, "batch_size": 1, "color": 1}),
        n2=("RecRaise", {"image": ["1", 0], "kind": "exit"}),
        n3=("SaveImage", {"images": ["2", 0], "filename_prefix": "x"}),
    )
    listener = Listener(sim, "me")
    dead = submit(sim, graph, client_id="me")
    listener.until("executing", node="2")
    waiting = submit(sim, still(1))
    queue = _get(sim, "/queue")
    assert ([row[1] for row in queue["queue_running"]], [row[1] for row in queue["queue_pending"]]) == (
        [dead],
        [waiting],
    )
    assert requests.get(f"{sim.url}/system_stats", timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 200),
        ({}, 200),
    ],
)
def test_pages_of_other_sites_are_refused(headers: dict[str, str], status: int, sim: ComfySim) -> None:
    response = requests.post(f"{sim.url}/prompt", json={"prompt": still(1)}, headers=headers, timeout=5)
    assert response.status_code == status


def test_a_body_over_100_mib_is_refused(sim: ComfySim) -> None:
    response = requests.post(f"{sim.url}/prompt", data=b" " * (101 * 1024**2), timeout=60)
    assert (response.status_code, response.text) == (413, "Maximum request body size 104857600 exceeded.")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -15), (signal.SIGKILL, -9)])
def test_a_killed_server_closes_its_sockets_and_starts_empty(
    number: signal.Signals, code: int, comfysim: StartSim
) -> None:
    sim = comfysim(process=True, arguments=("--test-nodes",))
    listener = websocket.create_connection(f"{sim.ws_url}?clientId=me", timeout=20)
    submit(sim, sleeper(_LONG), client_id="me")
    until(lambda: _running(sim))
    sim.process.send_signal(number)
    assert sim.process.wait(20) == code
    with contextlib.suppress(websocket.WebSocketConnectionClosedException, ConnectionError):
        while listener.recv():
            pass
    again = comfysim(process=True, base_dir=sim.base_dir)
    assert _get(again, "/history") == {}
    assert requests.post(f"{again.url}/prompt", json={"prompt": still(1)}, timeout=5).json()["number"] == 0
