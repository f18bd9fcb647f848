"""Queue, history, interrupts and sockets as recorded, step by step, in both ComfyUI versions."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.comfysim_fixture import StartSim
from tests.integration.comfysim.replay import (
    VERSIONS,
    Listener,
    exchange,
    history_of,
    recording,
    send,
    sleeper,
    submit,
    warm,
)
from tests.integration.comfysim.sameness import heard, neutral
from tests.integration.comfysim.steps import Steps
from tests.integration.comfysim.stories import Stage, by_thread, story, usual

_FAILED_OR_CANCELLED = (
    "exec_error_valueerror",
    "exec_error_after_partial_output",
    "exec_error_corrupt_loadimage",
    "interrupt_global",
    "interrupt_by_id",
    "interrupt_deaf_node",
)


def _interrupt(stage: Stage, steps: Steps, name: str) -> None:
    """Play a prompt that is interrupted as its name says, after its first step."""

    def during(listener: Listener, prompt_id: str) -> None:
        if name == "interrupt_deaf_node":
            listener.until("executing", node="2")
        else:
            listener.until("progress", value=1)
        ids = {
            "interrupt_global": {},
            "ksampler_interrupt": {},
            "interrupt_wrong_id": {"prompt_id": "another"},
        }
        stage.post("/interrupt", **ids.get(name, {"prompt_id": prompt_id}))
        steps.go()

    # A sampler also sleeps for its model, and a deaf node only once.
    steps.hold(after={"interrupt_deaf_node": 0, "ksampler_interrupt": 2}.get(name, 1))
    stage.play(name, during)


@story(
    "interrupt_global", "interrupt_by_id", "interrupt_wrong_id", "interrupt_deaf_node", "ksampler_interrupt"
)
def test_an_interrupt_stops_what_it_stopped_when_it_was_recorded(
    name: str, stage: Stage, steps: Steps
) -> None:
    _interrupt(stage, steps, name)


@story("interrupt_idle_then_prompt")
def test_an_interrupt_while_idle_is_forgotten(stage: Stage) -> None:
    stage.post("/interrupt")
    stage.play("interrupt_idle_then_prompt")


@pytest.mark.parametrize("version", ["0.3.64"])
def test_the_old_version_tells_every_step_however_quick(stage: Stage) -> None:
    recorded = recording("interrupt_wrong_id", stage.version)
    played = stage.play("interrupt_wrong_id")

    def steps_of(messages: list[dict[str, Any]]) -> list[int]:
        texts = [message["text"] for message in messages if "text" in message]
        return [text["data"]["value"] for text in texts if text["type"] == "progress"]

    assert steps_of(played["ws"]) == steps_of(recorded["ws"]) == list(range(1, 21))


def _play_queue(stage: Stage, steps: Steps) -> None:
    """One prompt runs and five wait; all that was asked about them, in its order."""
    recorded = recording("queue_ops", stage.version)
    rows = recorded["queue_running_pending"]["body"]
    row_of = {row[1]: row for row in rows["queue_running"] + rows["queue_pending"]}
    for _ in range(60):  # the recorder had sent enough before for the front to lie before number -50
        requests.post(f"{stage.sim.url}/prompt", json={}, timeout=10)
    steps.hold()
    listener = Listener(stage.sim, "qq")
    for prompt_id in recorded["ids"]:
        number, _, graph, _, _ = row_of[prompt_id]
        request = {"method": "POST", "path": "/prompt", "json": {"prompt": graph, "client_id": "qq"}}
        body = {"prompt_id": prompt_id, "number": number, "node_errors": {}}
        exchange(stage.sim, {"request": request, "body": body}, stage.ledger)
        if prompt_id == recorded["ids"][0]:
            listener.until("executing", node="2")
    for name, step in recorded.items():
        if name in ("ids", "ws"):
            continue
        if name == "history_cancelled_running" and step["body"]:
            steps.go()
            stage.idle()
        if name == "jobs" and step["status"] == 200:
            _same_jobs(stage, step)
        else:
            stage.same(step)
    last = heard(recorded["ws"])[-1]["text"]
    listener.until(
        last["type"], **{key: last["data"][key] for key in last["data"].keys() & {"node", "status"}}
    )
    assert by_thread(stage.heard_by(listener)) == by_thread(recorded["ws"])
    steps.go()
    stage.idle()


def _same_jobs(stage: Stage, recorded: dict[str, Any]) -> None:
    """The jobs of this story among all the recorder had made that day; and so the total is another.

    Newest first, but two that came in the same millisecond may change places.
    """
    played = exchange(stage.sim, recorded, stage.ledger)
    known = [job for job in recorded["body"]["jobs"] if job["id"] in stage.ledger.ids]
    pagination = recorded["body"]["pagination"] | {"total": played["body"]["pagination"]["total"]}
    times = [job["create_time"] for job in played["body"]["jobs"]]
    assert times == sorted(times, reverse=True)
    assert _by_id(played) == _by_id({"body": {"jobs": known}})
    assert played["body"]["pagination"] == pagination
    assert len(known) >= 2


def _by_id(answer: dict[str, Any]) -> dict[str, Any]:
    return {job["id"]: neutral(job) for job in answer["body"]["jobs"]}


@story("queue_ops")
def test_the_queue_is_shown_changed_and_cleared(stage: Stage, steps: Steps) -> None:
    _play_queue(stage, steps)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_refused_prompt_uses_up_a_number(stage: Stage) -> None:
    first, *between, last = (
        recording(f"prompt_fail_{name}", stage.version)["post"]
        for name in (
            "extra_unknown_input_ok",
            "prompt_id_not_uuid",
            "prompt_id_upper",
            "prompt_id_nohyphen",
            "prompt_id_int",
            "prompt_id_null",
        )
    )
    numbers = []
    for recorded in (first, *between, last):
        response = send(stage.sim, recorded["request"])
        assert response.status_code == recorded["status"]
        numbers.append(response.json().get("number"))
    assert numbers[-1] - numbers[0] == last["body"]["number"] - first["body"]["number"] == 5


@story("history_ops")
def test_history_is_paged_and_forgotten(stage: Stage, steps: Steps) -> None:
    recorded = recording("history_ops", stage.version)
    stage.play("prompt_ok_trivial")
    stage.play("prompt_ok_trivial_featureflags")
    _play_queue(stage, steps)
    stage.play("prompt_after_free_not_cached")
    for step in recorded.values():
        stage.same(step)


@story("api_jobs_list")
def test_jobs_are_listed_by_state(stage: Stage, steps: Steps) -> None:
    recorded = recording("api_jobs_list", stage.version)
    if recorded["all"]["status"] != 200:
        for step in recorded.values():
            stage.same(step)
        return
    for name in _FAILED_OR_CANCELLED:
        if name.startswith("interrupt"):
            _interrupt(stage, steps, name)
        else:
            stage.play(name)
    stage.play("interrupt_idle_then_prompt")
    stage.play("prompt_after_free_not_cached")
    for step in recorded.values():
        _same_jobs(stage, step)


@story("duplicate_prompt_id")
def test_a_prompt_id_that_comes_again_runs_again_and_overwrites_history(stage: Stage, steps: Steps) -> None:
    recorded = recording("duplicate_prompt_id", stage.version)
    warm(stage.sim, {"post": recorded["first"], "ws": recorded["ws"]})
    seen = next(iter(recorded["history_after_first"]["body"].values()))
    asked_between = seen["prompt"][0] == recorded["first"]["body"]["number"]
    if asked_between:
        stage.sim.arm("hang:at=start,after=1")  # else the second would be over before anybody asks
    steps.hold()
    listener = Listener(stage.sim, "dup")
    stage.same(recorded["first"])
    listener.until("executing", node="2")
    stage.same(recorded["second_while_running"])
    stage.same(recorded["queue"])
    steps.go()
    listener.until("executing", node=None)
    if asked_between:
        stage.same(recorded["history_after_first"])
        stage.sim.arm()
    listener.until("executing", node=None)
    if not asked_between:
        stage.same(recorded["history_after_first"])
    stage.same(recorded["history_after_second"])
    stage.same(recorded["third_after_done"])
    listener.until("executing", node=None)
    stage.same(recorded["history_after_third"])
    assert by_thread(stage.heard_by(listener)) == by_thread(recorded["ws"])


@story("history_eviction_max5")
def test_history_keeps_its_limit_and_one_more(version: str, comfysim: StartSim) -> None:
    recorded = recording("history_eviction_max5", version)
    stage = Stage(comfysim(vram=0, comfyui_version=version, max_history=5), version)
    ids, counts = [], []
    for color in range(len(recorded["ids"])):
        ids.append(submit(stage.sim, usual("e", color)))
        history_of(stage.sim, ids[-1])
        counts.append(len(stage.get("/history")))
    left = stage.get("/history")
    assert counts == recorded["counts_after_each"]
    assert [ids.index(prompt_id) for prompt_id in left] == recorded["left"]


@story("free")
def test_memory_is_freed_by_a_body_only(stage: Stage) -> None:
    for step in recording("free", stage.version).values():
        stage.same(step)


@story("ws_no_client_id")
def test_a_socket_without_an_id_is_given_one(stage: Stage) -> None:
    listener = Listener(stage.sim, None)
    assert neutral(listener.heard[0]["text"]) == neutral(recording("ws_no_client_id", stage.version))


@story("ws_other_client_sees")
def test_another_client_hears_of_the_queue_only(stage: Stage) -> None:
    recorded = recording("ws_other_client_sees", stage.version)
    listener = Listener(stage.sim, "otherclient")
    stage.same(recorded["post"])
    stage.idle()
    history_of(stage.sim, next(iter(stage.ledger.ids.values())))
    listener.until("status", status={"exec_info": {"queue_remaining": 0}})
    assert heard(stage.heard_by(listener)) == heard(recorded["ws"])


@story("ws_two_sockets_same_client_id")
def test_of_two_sockets_with_one_id_the_newest_hears(stage: Stage) -> None:
    recorded = recording("ws_two_sockets_same_client_id", stage.version)
    older, newer = Listener(stage.sim, "two"), Listener(stage.sim, "two")
    submit(stage.sim, usual("rec"), client_id="two")
    newer.until("executing", node=None)
    older.ping()
    assert heard(older.heard) == heard(recorded["a"])
    assert heard(newer.heard) == heard(recorded["b"])


@story("ws_reconnect_midrun")
def test_a_client_that_comes_back_midrun_is_told_the_node_and_hears_the_rest(
    stage: Stage, steps: Steps
) -> None:
    recorded = recording("ws_reconnect_midrun", stage.version)
    steps.hold(after=1)
    first = Listener(stage.sim, "reconn")
    submit(stage.sim, sleeper(2, steps=8), client_id="reconn")
    first.until("progress", value=1)
    first.close()
    second = Listener(stage.sim, "reconn")
    steps.go()
    second.until("executing", node=None)
    assert heard(first.heard) == heard(recorded["first"])
    assert heard(second.heard) == heard(recorded["second"])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@story("worker_thread_death_systemexit")
def test_a_node_that_exits_kills_the_executor_and_http_lives_on(stage: Stage) -> None:
    recorded = recording("worker_thread_death_systemexit", stage.version)
    listener = Listener(stage.sim, "se")
    stage.same(recorded["post"])
    listener.until("executing", node="2")
    stage.same(recorded["post2"])
    listener.until("status", status={"exec_info": {"queue_remaining": 2}})
    for step in ("queue_3s_later", "history1", "history2"):
        stage.same(recorded[step])
    stats = requests.get(f"{stage.sim.url}/system_stats", timeout=5)
    assert stats.status_code == recorded["system_stats"]
    assert recorded["process_alive"] is True
    assert by_thread(stage.heard_by(listener)) == by_thread(recorded["ws"])
