"""Graphs made to take long: time, memory and what is said of them stay in bounds."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.unit.workflows.corpus import object_info
from workflows.convert import convert
from workflows.convert.files import read_stream
from workflows.drawing import draw
from workflows.drawing.boxes import MOST_ROWS
from workflows.errors import CannotConvert
from workflows.finding import find
from workflows.finding import view as looking
from workflows.finding.samplers import MOST_SAMPLERS
from workflows.graph import MOST_INPUTS_OF_ONE, MOST_NODES, Graph
from workflows.load import load
from workflows.nearest import Search
from workflows.validate import MOST_LOOKED_FOR, check_graph


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


def blends(count: int, **links: Any) -> Graph:
    """So many blends of pictures; ``links`` say from which node, by number, each input comes."""
    made: Graph = {
        str(number): {
            "class_type": "ImageBlend",
            "inputs": {name: [str(giver(number) % count), 0] for name, giver in links.items()},
        }
        for number in range(count)
    }
    return made | {"out": {"class_type": "SaveImage", "inputs": {"images": ["0", 0], "filename_prefix": "x"}}}


def test_every_node_of_circles_that_overlap_is_told_once() -> None:
    made = blends(3_000, image1=lambda number: number + 1, image2=lambda number: number * 7)
    found = check_graph(made, object_info())
    assert found[-1].message.startswith("At least 8")
    assert len(found) < MOST_LOOKED_FOR
    few = blends(5, image1=lambda number: max(number - 1, 0), image2=lambda number: min(number + 1, 3))
    told = [one for one in check_graph(few, object_info()) if one.code == "dependency_cycle"]
    assert [one.node for one in told] == ["0", "1", "2", "3"]
    assert all(f"Node {one.node} (" in one.message for one in told)


def test_nearest_names_are_looked_for_within_a_bound() -> None:
    classes = list(object_info())
    search = Search()
    found = [search.classes(f"KSampler{number}", classes) for number in range(1_000)]
    assert found[0][0] == "KSampler"
    assert found[-1] == ()
    assert search.classes("KSampler0", classes) == found[0]


def test_a_node_of_too_many_inputs_is_refused_by_id_and_title_in_both_formats() -> None:
    inputs = {f"i{number}": number for number in range(MOST_INPUTS_OF_ONE + 1)}
    node = {"class_type": "BatchImagesNode", "inputs": inputs, "_meta": {"title": "Wide"}}
    assert refused({"7": node}).startswith("Node 7 (Wide) has 1001 inputs")
    slots = [{"name": name, "type": "INT", "link": None} for name in inputs]
    drawn = {"id": 7, "type": "BatchImagesNode", "title": "Wide", "inputs": slots}
    assert refused({"nodes": [drawn], "links": []}).startswith("Node 7 (Wide) has 1001 inputs")


def test_what_is_no_number_is_refused_in_a_title_too() -> None:
    made = graph()
    sampler = node_of(made, "KSampler")
    made[sampler]["_meta"] = {"title": "Mine", "size": float("nan")}
    assert refused(made) == f"Node {sampler} (Mine): '_meta' holds nan, which is no number."


def test_a_graph_of_too_many_nodes_is_refused_in_api_format_too() -> None:
    made = {str(number): {"class_type": "ImageInvert", "inputs": {}} for number in range(MOST_NODES + 1)}
    assert refused(made).startswith(f"The graph has more than {MOST_NODES} nodes")


def test_links_through_subgraphs_that_multiply_are_refused() -> None:
    """Each level shows its one link fifty times: eight levels would be 50 to the power of 8."""
    link = {"id": 1, "origin_id": -10, "origin_slot": 0, "target_id": 1, "target_slot": 0, "type": "INT"}
    border = {"name": "seed", "type": "INT", "linkIds": list(range(1_000, 1_050))}
    slot = {"name": "seed", "type": "INT", "link": 1}
    kinds = ["ImageInvert", *(f"level{number}" for number in range(7))]
    levels = [
        {
            "id": f"level{number}",
            "nodes": [{"id": 1, "type": kind, "inputs": [slot]}],
            "links": [link],
            "inputs": [border],
        }
        for number, kind in enumerate(kinds)
    ]
    taker = {"id": 5, "type": "level7", "inputs": [{"name": "seed", "type": "INT", "link": 9}]}
    giver = {
        "id": 6,
        "type": "PrimitiveNode",
        "outputs": [{"type": "INT", "links": [9]}],
        "widgets_values": [1],
    }
    saved = {
        "nodes": [taker, giver],
        "links": [[9, 6, 0, 5, 0, "INT"]],
        "definitions": {"subgraphs": levels},
    }
    assert "too many steps to follow" in refused(saved)


def test_json_of_millions_of_lists_is_refused_unless_they_stand_in_a_text() -> None:
    with pytest.raises(CannotConvert, match="lists and objects"):
        read_stream(io.BytesIO(b"[" + 1_600_000 * b"[]," + b"[]]"))
    text = 1_600_000 * "{"
    made = {"1": {"class_type": "CLIPTextEncode", "inputs": {"text": text}}}
    assert read_stream(io.BytesIO(json.dumps(made).encode())) == made


def test_a_picture_has_no_link_to_an_input_that_it_hides() -> None:
    made: Graph = {
        str(number): {
            "class_type": "Unknown",
            "inputs": {f"i{giver}": [str(giver), 0] for giver in range(number)},
        }
        for number in range(120)
    }
    shown = draw(made, object_info(), {})
    assert shown.count('class="link ') < 120 * MOST_ROWS
