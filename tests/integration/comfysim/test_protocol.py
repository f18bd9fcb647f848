"""What a client may rely on beyond single exchanges: queue, history, cancel, sockets, cache, process."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import requests
from aiohttp import web
from PIL import Image

from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfysim.replay import (
    get,
    history_of,
    prompt,
    running_in,
    sleeper,
    still,
    submit,
    until,
)
from workers.comfysim.knobs import Knobs
from workers.comfysim.server import create_app

_LONG = 30.0


def _post(sim: ComfySim, path: str, **body: Any) -> requests.Response:
    return requests.post(f"{sim.url}{path}", json=body, timeout=10)


def _terminal(entry: dict[str, Any]) -> str:
    name: str = next(iter(entry.values()))["status"]["messages"][-1][0]
    return name


def test_waiting_prompts_are_ordered_by_number_and_front_goes_first(sim: ComfySim) -> None:
    first = submit(sim, sleeper(_LONG))
    until(lambda: running_in(sim) == [first])
    later = submit(sim, still(1))
    numbered = submit(sim, still(2), number=-50)
    front = submit(sim, still(3), front=True)
    pending = get(sim, "/queue")["queue_pending"]
    assert [row[1] for row in sorted(pending)] == [numbered, front, later]
    assert sorted(row[0] for row in pending) == [-50.0, -2, 1]
    assert get(sim, "/prompt") == {"exec_info": {"queue_remaining": 4}}


def test_a_deleted_or_cleared_prompt_never_runs_and_a_running_one_stays(sim: ComfySim) -> None:
    running = submit(sim, sleeper(_LONG))
    until(lambda: running_in(sim) == [running])
    waiting = [submit(sim, still(color)) for color in (1, 2)]
    assert _post(sim, "/queue", delete=[waiting[0], running, str(uuid.uuid4())]).status_code == 200
    assert [row[1] for row in get(sim, "/queue")["queue_pending"]] == waiting[1:]
    _post(sim, "/queue", clear=True)
    assert get(sim, "/queue")["queue_pending"] == []
    assert running_in(sim) == [running]
    assert get(sim, f"/history/{waiting[0]}") == {}


def test_a_prompt_that_waits_or_runs_is_not_in_history(sim: ComfySim) -> None:
    running, waiting = submit(sim, sleeper(_LONG)), submit(sim, still(1))
    until(lambda: running_in(sim) == [running])
    assert get(sim, f"/history/{running}") == get(sim, f"/history/{waiting}") == {}


def test_history_keeps_its_limit_and_one_and_drops_the_oldest(comfysim: StartSim) -> None:
    sim = comfysim(max_history=5)
    recorded = [1, 2, 3, 4, 5, 6, 6, 6, 6]
    ids, counts = [], []
    for color in range(len(recorded)):
        ids.append(submit(sim, still(color)))
        history_of(sim, ids[-1])
        counts.append(len(get(sim, "/history")))
    assert counts == recorded
    assert list(get(sim, "/history")) == ids[3:]
    assert list(get(sim, "/history?max_items=2")) == ids[-2:]
    assert list(get(sim, "/history?max_items=2&offset=0")) == ids[3:5]
    assert requests.get(f"{sim.url}/history?max_items=x", timeout=5).status_code == 500
    _post(sim, "/history", delete=[ids[-1]])
    assert get(sim, f"/history/{ids[-1]}") == {}
    _post(sim, "/history", clear=True)
    assert get(sim, "/history") == {}


@pytest.mark.parametrize("body", ["", "{x", "{}"])
def test_an_interrupt_without_an_id_stops_whatever_runs(body: str, sim: ComfySim) -> None:
    prompt_id = submit(sim, sleeper(_LONG, steps=1000))
    until(lambda: running_in(sim) == [prompt_id])
    assert requests.post(f"{sim.url}/interrupt", data=body, timeout=5).status_code == 200
    assert _terminal(history_of(sim, prompt_id)) == "execution_interrupted"


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
    until(lambda: running_in(sim) == [running])
    states = {job["id"]: job["status"] for job in get(sim, "/api/jobs")["jobs"]}
    assert states == {done: "completed", failed: "failed", running: "in_progress", waiting: "pending"}
    assert get(sim, f"/api/jobs/{failed}")["execution_error"]["exception_type"] == "ValueError"
    preview = get(sim, f"/api/jobs/{done}")["preview_output"]
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
    assert get(sim, f"/api/jobs/{running}")["status"] == "cancelled"
    assert _post(sim, f"/api/jobs/{uuid.uuid4()}/cancel").json() == {"cancelled": False}
    page = get(sim, "/api/jobs?limit=1&status=completed,cancelled")
    assert [job["id"] for job in page["jobs"]] == [running]
    assert page["pagination"] == {"offset": 0, "limit": 1, "total": 2, "has_more": True}
    refused = _post(sim, "/api/jobs/cancel", job_ids=["zz"])
    assert (refused.status_code, refused.json()["invalid_ids"]) == (400, ["zz"])


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


def test_a_server_that_ends_waits_for_no_websocket(tmp_path: Path) -> None:
    """aiohttp waits for whoever is still served; here it would for longer than a test may take."""

    async def end_while_somebody_listens() -> list[int | None]:
        runner = web.AppRunner(create_app(Knobs(base_dir=tmp_path)), shutdown_timeout=3600)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/ws?clientId=me"
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
            assert "status" in await socket.receive_str()
            await runner.cleanup()
            said = await socket.receive()
            return [said.type, socket.close_code]

    assert asyncio.run(end_while_somebody_listens()) == [aiohttp.WSMsgType.CLOSED, 1006]
