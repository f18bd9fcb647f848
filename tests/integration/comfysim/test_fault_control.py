"""How faults are armed: text, command line and control route; what is refused, and with which sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfysim.replay import get, history_of, still, submit
from workers.comfysim.faults import KINDS, Fault
from workers.comfysim.knobs import Knobs


def test_faults_are_read_armed_and_counted_over_http(sim: ComfySim) -> None:
    knobs = f"{sim.url}/simulated/knobs"
    armed = requests.post(
        knobs, json={"faults": ["oom:times=2", {"kind": "slow", "ms": 5}]}, timeout=5
    ).json()
    assert armed["simulated"] is True
    assert [fault["kind"] for fault in armed["faults"]] == ["oom", "slow"]
    requests.post(knobs, json={"add": [{"kind": "fail", "at": "shown", "times": "always"}]}, timeout=5)
    shown = requests.get(knobs, timeout=5).json()["faults"]
    assert [(fault["kind"], fault["at"], fault["times"]) for fault in shown] == [
        ("oom", "node", 2),
        ("slow", "", 1),
        ("fail", "shown", None),
    ]
    history_of(sim, submit(sim, still(1)))
    counts = get(sim, "/simulated/faults")
    assert set(counts) == set(KINDS)
    assert (counts["oom"], counts["slow"], counts["crash"]) == (1, 1, 0)


def test_faults_are_closed_unless_the_server_was_started_with_them(comfysim: StartSim) -> None:
    sim = comfysim(faults_open=False)
    for method, path in (("GET", "faults"), ("GET", "knobs"), ("POST", "knobs")):
        response = requests.request(
            method, f"{sim.url}/simulated/{path}", json={"faults": ["oom"]}, timeout=5
        )
        assert response.status_code == 404
    prompt_id = submit(sim, still(1))
    assert history_of(sim, prompt_id)[prompt_id]["status"]["status_str"] == "success"


_BAD = [
    ("boom", "fault 'boom' is unknown; the faults are crash, hang"),
    ("crash:at=lunch", "fault crash: at is 'lunch'; it must be one of node, step"),
    ("slow:at=node", "fault slow: at is 'node'; it is not for this fault"),
    ("oom:ms=5", "fault oom: ms is 5; it is not for this fault; it reads node"),
    ("hang:at=start,node=KSampler", "fault hang: node is 'KSampler'; it goes with at=node, step, shown"),
    ("hang:at", "fault hang: 'at' has no value; write name=value"),
    ("hang:wehn=step", "fault hang: unknown field 'wehn'"),
    ("oom:times=often", "fault oom: times is 'often'; it must be a number"),
    ("oom:times=0", "fault oom: times is 0; it must be a number of at least 1"),
    ("slow:ms=0", "fault slow: ms is 0; it must be a number of at least 1"),
    ("slow:every=-1", "fault slow: every is -1.0; it must be a number of at least 0"),
    ("slow:every=nan", "fault slow: every is nan; it must be a number of at least 0"),
]


@pytest.mark.parametrize(("text", "told"), _BAD)
def test_a_fault_that_makes_no_sense_is_refused_by_field_and_value(
    text: str, told: str, sim: ComfySim
) -> None:
    with pytest.raises(ValueError) as caught:
        Fault.parse(text)
    assert told in str(caught.value)
    response = requests.post(f"{sim.url}/simulated/knobs", json={"faults": ["oom", text]}, timeout=5)
    assert response.status_code == 400
    assert told in response.json()["error"]
    assert get(sim, "/simulated/knobs")["faults"] == []


@pytest.mark.parametrize("body", ["{x", "[]", '{"faults": {}}', '{"faults": [3]}', '{"fault": []}', "{}"])
def test_knobs_of_another_shape_are_refused(body: str, sim: ComfySim) -> None:
    response = requests.post(f"{sim.url}/simulated/knobs", data=body, timeout=5)
    assert response.status_code == 400
    assert response.json()["error"]


def test_a_server_inside_another_process_refuses_to_crash(sim: ComfySim) -> None:
    response = requests.post(f"{sim.url}/simulated/knobs", json={"faults": ["crash"]}, timeout=5)
    assert (response.status_code, response.json()["error"]) == (
        400,
        "fault crash: only a server with a process of its own may crash",
    )


def test_an_unknown_version_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"comfyui_version is '9'; it must be 0\.27\.0 or 0\.3\.64"):
        Knobs(base_dir=tmp_path, comfyui_version="9")


def test_a_bad_fault_on_the_command_line_ends_the_start_with_a_sentence() -> None:
    command = [sys.executable, "-m", "workers.comfysim", "--port=0", "--fault=crash:at=lunch"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (
        2,
        "fault crash: at is 'lunch'; it must be one of node, step, shown, submit, start, history\n",
    )
