"""A node whose ComfyUI somebody else uses too: their prompts, their clicks."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import requests

from farm.contracts import FailureClass, NodeState, Outcome, RenderReport, Stage
from tests.integration.workers.coordinator import order, slow_picture
from tests.integration.workers.node_farm import Farm, StartFarm, result_of
from tests.integration.workers.waiting import until

VERSIONS = ("0.27.0", "0.3.64")


def post(here: Farm, path: str, body: dict[str, Any]) -> None:
    """What a person's browser sends to ComfyUI."""
    answer = requests.post(f"{here.sim.url}/{path}", json=body, timeout=10)
    assert answer.status_code == 200, answer.text


def somebody_renders(here: Farm, seconds: float) -> str:
    """Let somebody else's prompt execute."""
    prompt_id = str(uuid.uuid4())
    graph = slow_picture("theirs", seconds)
    post(here, "prompt", {"prompt": graph, "prompt_id": prompt_id, "client_id": "an-artist"})
    until(lambda: [item[1] for item in here.comfy_queue()["queue_running"]] == [prompt_id])
    return prompt_id


def failure_of(report: RenderReport) -> tuple[FailureClass, str]:
    assert report.failure is not None, report.outcome
    return report.failure.failure_class, report.failure.message


def staged(here: Farm, what: Any) -> None:
    here.coordinator.hears(
        lambda report: any(
            one.attempt_id == what.attempt_id and one.stage is Stage.STAGED for one in report.running
        )
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_theirs_is_waited_for_as_long_as_the_studio_says_and_is_left_alone(
    farm: StartFarm, version: str
) -> None:
    here = farm(comfyui_version=version, env={"SHOTFARM_OTHERS_SECONDS": "2"})
    theirs = somebody_renders(here, 60)
    what = order()
    sent = here.coordinator.send(what, "vram.8")
    said = here.coordinator.hears(lambda report: "somebody else's prompt executes" in report.reason)
    assert said.state in (NodeState.IDLE, NodeState.BUSY)

    report = result_of(sent)

    assert report.outcome is Outcome.FAILED
    failure_class, words = failure_of(report)
    assert failure_class is FailureClass.INFRASTRUCTURE
    assert words.startswith(
        "Somebody else's prompts have had ComfyUI for longer than SHOTFARM_OTHERS_SECONDS"
    )
    crowded = here.coordinator.hears(lambda report: report.state is NodeState.DEAF)
    assert "have had ComfyUI for more than 2 s (SHOTFARM_OTHERS_SECONDS)" in crowded.reason
    queue = here.comfy_queue()
    assert [item[1] for item in queue["queue_running"]] == [theirs], "it is theirs, and goes on"
    assert queue["queue_pending"] == []

    post(here, "interrupt", {})
    here.coordinator.hears(lambda report: (report.state, report.reason) == (NodeState.IDLE, ""))
    assert here.render(order()).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_person_takes_out_of_the_queue_was_stopped_and_has_not_crashed(
    farm: StartFarm, version: str
) -> None:
    here = farm(comfyui_version=version)
    somebody_renders(here, 60)
    what = order()
    sent = here.coordinator.send(what, "vram.8")
    staged(here, what)

    post(here, "queue", {"clear": True})
    report = result_of(sent)

    assert failure_of(report) == (
        FailureClass.INTERRUPTED,
        "Somebody took the prompt out of ComfyUI's queue before it began",
    )
    post(here, "interrupt", {})


@pytest.mark.parametrize("version", VERSIONS)
def test_an_interrupt_in_comfyuis_own_page_is_told_as_what_it_is(farm: StartFarm, version: str) -> None:
    here = farm(comfyui_version=version)
    what = order(slow_picture("ours", 60))
    sent = here.coordinator.send(what, "vram.8")
    here.executing(what)

    post(here, "interrupt", {})
    report = result_of(sent)

    assert failure_of(report) == (FailureClass.INTERRUPTED, "ComfyUI interrupted the prompt")
    assert here.render(order()).outcome is Outcome.SUCCEEDED


def test_the_second_try_after_running_out_of_memory_comes_before_all_that_waits(farm: StartFarm) -> None:
    """ComfyUI unloads before its next prompt: that has to be the one for which it unloads."""
    here = farm()
    runs, behind = order(slow_picture("runs", 30)), order(slow_picture("behind", 1))
    sent = here.coordinator.send(runs, "vram.8")
    here.executing(runs)
    after = here.coordinator.send(behind, "vram.8.next")
    until(lambda: len(here.comfy_queue()["queue_pending"]) == 1)
    post(here, "prompt", {"prompt": slow_picture("theirs", 30), "client_id": "an-artist"})

    here.sim.arm("oom:at=step,node=RecSleep")
    next_one = result_of(after)
    until(lambda: clients_in(here, "queue_running") == [runs.attempt_id])

    assert here.sim.acted()["oom"] == 1
    assert next_one.outcome is Outcome.SUCCEEDED
    assert clients_in(here, "queue_pending") == ["an-artist"]
    post(here, "queue", {"clear": True})
    post(here, "interrupt", {})
    assert failure_of(result_of(sent))[0] is FailureClass.INTERRUPTED


def clients_in(here: Farm, place: str) -> list[str]:
    """Whose prompts stand there: a node's client id is the attempt's."""
    return [item[3]["client_id"] for item in here.comfy_queue()[place]]
