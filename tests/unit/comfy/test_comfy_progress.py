"""Recorded websocket messages as events, and how far the graph is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from workers.comfy.fraction import STEP_WEIGHT, GraphProgress, weight
from workers.comfy.progress import (
    Cached,
    Ended,
    Event,
    Executed,
    Executing,
    Nodes,
    Started,
    Step,
    parse_event,
)

Recording = Callable[..., dict[str, Any]]


def _events(messages: list[dict[str, Any]], prompt_id: str) -> Iterator[Event]:
    for message in messages:
        event = parse_event(message.get("text"), prompt_id)
        if event is not None:
            yield event


def _replayed(recorded: dict[str, Any]) -> tuple[dict[str, Any], list[Event]]:
    prompt_id = recorded["post"]["body"]["prompt_id"]
    return recorded["post"]["request"]["json"]["prompt"], list(_events(recorded["ws"], prompt_id))


def test_a_prompt_starts_shows_its_nodes_and_ends(recording: Recording) -> None:
    _, events = _replayed(recording("prompt_ok_trivial"))

    assert events[0] == Started()
    assert events[1] == Cached(())
    assert [event.node for event in events if isinstance(event, Executing)] == ["1", "2", "3"]
    assert [event.node for event in events if isinstance(event, Executed)] == ["3"]
    assert events[-1] == Ended()


@pytest.mark.parametrize("name", ["exec_error_oom", "interrupt_by_id"])
def test_failure_and_interruption_are_ends_too(recording: Recording, name: str) -> None:
    _, events = _replayed(recording(name))

    assert events[-1] == Ended()


def test_another_prompts_messages_are_not_events(recording: Recording) -> None:
    messages = recording("prompt_ok_trivial")["ws"]

    assert list(_events(messages, "00000000-0000-0000-0000-000000000000")) == []


def test_the_executing_that_opens_a_reconnection_is_not_believed(recording: Recording) -> None:
    second = recording("ws_reconnect_midrun")["second"]

    assert second[1]["text"] == {"type": "executing", "data": {"node": "2"}}
    first = next(_events(second, "a342d87f-6ef8-4832-9083-eafdd117cac3"))
    assert isinstance(first, Nodes)
    assert first.nodes["2"].value == 3


@pytest.mark.parametrize("message", [None, [], "x", {}, {"type": "progress"}, {"data": {"prompt_id": "p"}}])
def test_messages_of_an_odd_shape_are_not_events(message: object) -> None:
    assert parse_event(message, "p") is None


@pytest.mark.parametrize("steps", [None, "3", -1, 10**400, [3]])
def test_steps_that_are_no_number_count_as_none_done(steps: object) -> None:
    data = {"prompt_id": "p", "node": "3", "value": steps, "max": steps}

    assert parse_event({"type": "progress", "data": data}, "p") == Step("3", 0, 0)


@pytest.mark.parametrize("nodes", [None, 7, ["3"], {"3": None}])
@pytest.mark.parametrize("kind", ["execution_cached", "progress_state"])
def test_nodes_of_an_odd_shape_are_passed_over(kind: str, nodes: object) -> None:
    event = parse_event({"type": kind, "data": {"prompt_id": "p", "nodes": nodes}}, "p")

    assert event in (None, Cached(("3",)), Nodes({}))


@pytest.mark.parametrize("name", ["prompt_ok_trivial", "prompt_ok_progress", "ksampler_warm_new_seed"])
def test_a_graphs_progress_never_falls_and_ends_whole(recording: Recording, name: str) -> None:
    graph, events = _replayed(recording(name))
    progress = GraphProgress(graph)
    fractions = []
    for event in events:
        progress.take(event)
        fractions.append(progress.fraction)

    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == pytest.approx(1)


def test_the_node_at_work_is_named_with_its_steps(recording: Recording) -> None:
    graph, events = _replayed(recording("ksampler_warm_new_seed"))
    progress = GraphProgress(graph)
    said = []
    for event in events:
        progress.take(event)
        said.append(progress.doing)

    assert "KSampler 3/4" in said
    assert "VAEDecode" in said


def test_a_title_given_in_the_graph_names_the_node() -> None:
    progress = GraphProgress({"3": {"class_type": "KSampler", "inputs": {}, "_meta": {"title": "Base pass"}}})
    progress.take(Step("3", 2, 8))

    assert progress.doing == "Base pass 2/8"


def test_nodes_made_at_run_time_do_not_count() -> None:
    progress = GraphProgress({"1": {"class_type": "Loop", "inputs": {}}})
    progress.take(Executed("1.0.0.4"))

    assert progress.fraction == 0


SCHEDULED = {
    "1": {"class_type": "BasicScheduler", "inputs": {"steps": 20, "model": ["9", 0]}},
    "2": {"class_type": "SamplerCustomAdvanced", "inputs": {"sigmas": ["1", 0]}},
    "3": {"class_type": "PrimitiveInt", "inputs": {"value": 8}},
    "4": {"class_type": "KSampler", "inputs": {"steps": ["3", 0]}},
    "5": {
        "class_type": "KSamplerAdvanced",
        "inputs": {"steps": 20, "start_at_step": 10, "end_at_step": 10000},
    },
    "6": {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}},
}


@pytest.mark.parametrize(("node_id", "steps"), [("2", 20), ("4", 8), ("5", 10)])
def test_a_sampler_weighs_by_the_steps_it_will_take(node_id: str, steps: int) -> None:
    assert weight(SCHEDULED, SCHEDULED[node_id]) == STEP_WEIGHT * steps


@pytest.mark.parametrize("node_id", ["1", "3", "6"])
def test_other_nodes_weigh_one(node_id: str) -> None:
    assert weight(SCHEDULED, SCHEDULED[node_id]) == 1
