"""Graphs made to take long: time, memory and what is said of them stay in bounds."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.unit.workflows.corpus import object_info
from workflows.convert import convert
from workflows.convert.files import read_stream
from workflows.errors import CannotConvert
from workflows.finding import find
from workflows.finding import view as looking
from workflows.finding.samplers import MOST_SAMPLERS
from workflows.graph import Graph
from workflows.load import load


def graph() -> Graph:
    made: Graph = json.loads(json.dumps(load("sd15_t2i").graph))
    return made


def node_of(made: Graph, kind: str) -> str:
    return next(node for node, body in made.items() if body["class_type"] == kind)


def refused(document: object) -> str:
    with pytest.raises(CannotConvert) as caught:
        convert(document, object_info())
    (problem,) = caught.value.problems
    return problem.message


def stages(count: int) -> Graph:
    """So many samplers, each going on from the picture of the one before."""
    made = graph()
    last = node_of(made, "KSampler")
    first = made[last]
    for number in range(count):
        inputs = {**first["inputs"], "latent_image": [last, 0]}
        last = f"stage{number}"
        made[last] = {"class_type": "KSampler", "inputs": inputs}
    made[node_of(made, "VAEDecode")]["inputs"]["samples"] = [last, 0]
    return made


def test_thousands_of_samplers_in_a_row_are_searched_in_bounded_steps(monkeypatch: Any) -> None:
    made = stages(2_000)
    walked = 0
    step = looking.View.step

    def counted(view: looking.View) -> bool:
        nonlocal walked
        walked += 1
        return step(view)

    monkeypatch.setattr(looking.View, "step", counted)
    found = find(made, object_info())
    assert {"positive", "seed", "steps", "width"} <= {candidate.role for candidate in found}
    assert "too_large" in {note.code for note in found.notes}
    assert walked < 1.2 * looking.MOST_STEPS
    assert len(found.samplers) == MOST_SAMPLERS


def test_a_graph_of_a_few_stages_is_searched_to_its_end() -> None:
    assert "too_large" not in {note.code for note in find(stages(20), object_info()).notes}


@pytest.mark.parametrize("slot", [1, 7, -1, True, False])
def test_an_output_that_a_node_does_not_have_is_refused_in_api_format_too(slot: int) -> None:
    made = graph()
    decode, sampler = node_of(made, "VAEDecode"), node_of(made, "KSampler")
    made[decode]["inputs"]["samples"] = [sampler, slot]
    told = refused(made)
    assert told.startswith(f"Node {decode} (")
    assert f"takes output {slot} of Node {sampler} (" in told


def test_outputs_of_a_class_that_nobody_knows_are_not_counted() -> None:
    made = graph()
    made[node_of(made, "KSampler")]["class_type"] = "SamplerOfAPack"
    made[node_of(made, "VAEDecode")]["inputs"]["samples"] = [node_of(graph(), "KSampler"), 7]
    assert convert(made, object_info()).graph == made


def test_two_nodes_of_one_id_are_refused_where_json_readers_drop_the_first() -> None:
    first, second = (f'{{"class_type": "{name}", "inputs": {{}}}}' for name in ("LoadImage", "SaveImage"))
    text = f'{{"7": {first}, "7": {second}}}'
    with pytest.raises(CannotConvert, match=r"^Node 7 \(SaveImage\) has the id of another") as caught:
        read_stream(io.BytesIO(text.encode()))
    assert caught.value.problems[0].code == "duplicate_node_id"


def test_a_number_of_thousands_of_digits_is_refused_without_advice_for_programmers() -> None:
    text = '{"1": {"class_type": "KSampler", "inputs": {"seed": ' + "9" * 5_000 + "}}}"
    with pytest.raises(CannotConvert, match="a number of 5000 digits is larger than any") as caught:
        read_stream(io.BytesIO(text.encode()))
    assert "sys." not in str(caught.value)


@pytest.mark.parametrize("part", ["id", "class", "input"])
def test_names_of_megabytes_are_refused_and_not_repeated(part: str) -> None:
    made, huge = graph(), "x" * 1_000_000
    match part:
        case "id":
            made[huge] = {"class_type": "CLIPTextEncode", "inputs": {}}
        case "class":
            made["99"] = {"class_type": huge, "inputs": {}}
        case _:
            made["99"] = {"class_type": "CLIPTextEncode", "inputs": {huge: 1}}
    told = refused(made)
    assert "of more than 500 characters" in told
    assert len(told) < 400
