"""What cannot be converted is refused in sentences that name the node by id and title."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.workflows.corpus import object_info
from tests.unit.workflows.drawing import Drawing
from workflows.convert import to_api
from workflows.errors import CannotConvert
from workflows.problems import Problem


def problems(document: object) -> tuple[Problem, ...]:
    with pytest.raises(CannotConvert) as refused:
        to_api(document, object_info())
    assert str(refused.value)
    return refused.value.problems


def only(drawing: Drawing) -> Problem:
    [problem] = problems(drawing.saved())
    return problem


def test_a_circle_of_nodes_is_told_all_the_way_round() -> None:
    drawing = Drawing()
    one, two = drawing.node("ImageInvert", title="There"), drawing.node("ImageInvert", title="Back")
    drawing.link(one, two, "image")
    drawing.link(two, one, "image")
    problem = only(drawing)
    assert problem.code == "dependency_cycle"
    assert "Node 1 (There) -> Node 2 (Back) -> Node 1 (There)" in problem.message


def test_a_circle_of_reroutes_is_refused() -> None:
    drawing = Drawing()
    one, two = drawing.node("Reroute", outputs=["*"]), drawing.node("Reroute", outputs=["*"])
    invert = drawing.node("ImageInvert")
    drawing.link(one, two, "")
    drawing.link(two, one, "")
    drawing.link(two, invert, "image")
    problem = only(drawing)
    assert problem.code == "dependency_cycle"
    assert "(Reroute) is linked to itself" in problem.message


def test_a_link_that_is_not_there_is_refused() -> None:
    drawing = Drawing()
    drawing.node("ImageInvert", title="Mine", inputs=[{"name": "image", "type": "IMAGE", "link": 77}])
    problem = only(drawing)
    assert (problem.node, problem.input, problem.code) == ("1", "image", "dangling_link")
    assert problem.message == ("Node 1 (Mine): 'image' is linked to link 77, which the file does not have.")


def test_a_link_from_a_node_that_is_not_there_is_refused() -> None:
    drawing = Drawing()
    invert = drawing.node("ImageInvert")
    drawing.node("EmptyImage", id=5)
    drawing.link(5, invert, "image")
    drawing.nodes.pop()
    problem = only(drawing)
    assert problem.code == "dangling_link"
    assert "Node 1 (ImageInvert): 'image' is linked to node 5" in problem.message


@pytest.mark.parametrize("mode", [0, 4])
@pytest.mark.parametrize("slot", [1, 99, -1])
def test_a_link_from_an_output_that_is_not_there_is_refused(slot: int, mode: int) -> None:
    drawing = Drawing()
    empty, invert = drawing.node("EmptyImage", title="Grey", mode=mode), drawing.node("ImageInvert")
    drawing.link(empty, invert, "image", slot=slot)
    problem = only(drawing)
    assert (problem.node, problem.code) == ("1", "missing_slot")
    assert "Node 1 (Grey) has 1 output; a link takes number" in problem.message


def test_an_unknown_class_is_refused_with_the_nearest_names() -> None:
    drawing = Drawing()
    drawing.node("KSamplr", title="Main")
    problem = only(drawing)
    assert (problem.node, problem.code) == ("1", "missing_node_type")
    assert problem.message.startswith("Node 1 (Main): this ComfyUI has no node class 'KSamplr'.")
    assert "KSampler" in problem.message


def test_an_id_used_twice_is_refused_with_both_titles() -> None:
    drawing = Drawing()
    drawing.node("EmptyImage", id=4, title="One")
    drawing.node("EmptyImage", id=4, title="Other")
    problem = only(drawing)
    assert (problem.node, problem.code) == ("4", "duplicate_node_id")
    assert "Node 4 (Other) has the id of 'One'" in problem.message


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [1, {"deep": float("-inf")}], 10**400])
def test_what_is_no_number_is_refused(value: Any) -> None:
    drawing = Drawing()
    drawing.node("PrimitiveFloat", [value], title="Half")
    problem = only(drawing)
    assert (problem.node, problem.input) == ("1", "value")
    assert "Node 1 (Half): 'value' holds" in problem.message


def test_nan_in_api_format_is_refused_too() -> None:
    [problem] = problems({"3": {"class_type": "EmptyImage", "inputs": {"width": float("nan")}}})
    assert (problem.node, problem.input) == ("3", "width")


@pytest.mark.parametrize("link", [["9", 0], [], [1, 2, 3], ["2"]])
def test_a_link_that_leads_nowhere_in_api_format_is_refused_too(link: list[Any]) -> None:
    meta = {"title": "Mine"}
    [problem] = problems({"3": {"class_type": "ImageInvert", "inputs": {"image": link}, "_meta": meta}})
    assert (problem.node, problem.input, problem.code) == ("3", "image", "bad_linked_input")
    assert problem.message.startswith("Node 3 (Mine): 'image' is ")


def test_a_group_node_that_the_file_does_not_describe_is_refused_with_what_to_do() -> None:
    drawing = Drawing()
    drawing.node("workflow>Upscaling", title="Bigger")
    assert only(drawing).message == (
        "Node 1 (Bigger) is a group node that the file does not describe, or that stands in another; "
        "open the file in ComfyUI and convert it to a subgraph."
    )


@pytest.mark.parametrize(("nodes", "hosts"), [(501, 1), (500, 60)])
def test_more_in_group_nodes_than_anybody_draws_is_refused(nodes: int, hosts: int) -> None:
    drawing = Drawing()
    for _ in range(hosts):
        drawing.node("workflow>Many")
    group = {"nodes": [{"type": "EmptyImage"}] * nodes, "links": []}
    [problem] = problems(drawing.saved() | {"extra": {"groupNodes": {"Many": group}}})
    assert problem.code == "too_large"


def test_a_subgraph_that_stands_in_itself_is_refused() -> None:
    drawing, inner = Drawing(), Drawing(objects=True)
    subgraph = drawing.define("Snake", inner)
    inner.node(subgraph, id=7, title="Tail")
    drawing.node(subgraph)
    problem = only(drawing)
    assert (problem.node, problem.code) == ("1:7", "self_containing_subgraph")
    assert "Node 1:7 (Tail) stands in itself" in problem.message


def chain_of_subgraphs(length: int, width: int) -> Drawing:
    """Subgraphs each of which holds the next one ``width`` times."""
    drawing = Drawing()
    for number in range(length):
        inner = Drawing(objects=True)
        for place in range(width):
            kind = f"{number + 1:08d}-0000-4000-8000-000000000000" if number + 1 < length else "EmptyImage"
            inner.node(kind, id=1000 * number + place + 10)
        drawing.define(f"Level {number}", inner)
    drawing.node(drawing.definitions[0]["id"])
    return drawing


def test_subgraphs_in_subgraphs_end_somewhere() -> None:
    problem = only(chain_of_subgraphs(3_000, 1))
    assert problem.code == "too_large"
    assert "deeper than 100 subgraphs" in problem.message


def test_a_small_file_that_unfolds_to_more_nodes_than_anyone_draws_is_refused() -> None:
    problem = only(chain_of_subgraphs(60, 2))
    assert problem.code == "too_large"
    assert "more than 10000 nodes" in problem.message


def test_a_subgraph_that_the_file_does_not_define_is_an_unknown_class() -> None:
    drawing = Drawing()
    drawing.node("5f1b0a2e-0000-4000-8000-000000000000", title="Lost")
    assert only(drawing).message.startswith("Node 1 (Lost): this ComfyUI has no node class '5f1b0a2e-")


def test_every_problem_is_told_at_once() -> None:
    drawing = Drawing()
    drawing.node("Nonesuch")
    drawing.node("ImageInvert", inputs=[{"name": "image", "type": "IMAGE", "link": 77}])
    assert [problem.code for problem in problems(drawing.saved())] == ["missing_node_type", "dangling_link"]


def test_ten_thousand_problems_are_not_told_one_by_one() -> None:
    drawing = Drawing()
    drawing.nodes = [{"id": number, "type": f"Nonesuch{number}"} for number in range(10_000)]
    told = problems(drawing.saved())
    assert len(told) == 101
    assert told[-1].message == "9900 more problems of this file are not listed."


def test_what_a_file_says_cannot_write_into_a_terminal() -> None:
    drawing = Drawing()
    drawing.node("Evil\x1b[2J\nclass", title="\x1b]0;owned\x07" + "x" * 500)
    [problem] = problems(drawing.saved())
    assert problem.message.isprintable()
    assert len(problem.message) < 400


@pytest.mark.parametrize(
    "document",
    [
        None, [], 3, "text", {"nodes": "many"}, {"1": {"inputs": {}}}, {"nodes": [3], "links": []},
        {"nodes": [{"id": [], "type": "KSampler"}]}, {"nodes": [{"id": 1, "type": 3}]},
        {"nodes": [], "links": [[1, 2]]}, {"nodes": [], "links": ["x"]},
    ],
)  # fmt: skip
def test_what_is_no_workflow_is_refused(document: object) -> None:
    assert all(problem.code in {"unreadable", "not_api_format"} for problem in problems(document))


def test_a_graph_of_ten_megabytes_becomes_a_graph() -> None:
    drawing = Drawing()
    drawing.node("EmptyImage", [16, 16, 1, 0])
    for number in range(2, 5_000):
        drawing.nodes.append(
            {
                "id": number,
                "type": "ImageInvert",
                "inputs": [{"name": "image", "type": "IMAGE", "link": number}],
                "outputs": [],
                "properties": {"ballast": "x" * 2_000},
            }
        )
        drawing.links.append([number, number - 1, 0, number, 0, "IMAGE"])
    document = drawing.saved()
    assert len(json.dumps(document)) > 10_000_000
    graph = to_api(document, object_info())
    assert graph["4999"]["inputs"] == {"image": ["4998", 0]}


def test_a_chain_of_thousands_of_reroutes_is_followed_to_its_end() -> None:
    drawing = Drawing()
    drawing.nodes = [{"id": 0, "type": "EmptyImage", "outputs": [{"type": "IMAGE"}]}]
    for number in range(1, 5_000):
        drawing.nodes.append({"id": number, "type": "Reroute", "inputs": [{"name": "", "link": number}]})
        drawing.links.append([number, number - 1, 0, number, 0, "*"])
    invert = drawing.node("ImageInvert", id=9_000, inputs=[{"name": "image", "type": "IMAGE", "link": 9_000}])
    drawing.links.append([9_000, 4_999, 0, invert, 0, "*"])
    assert to_api(drawing.saved(), object_info())["9000"]["inputs"] == {"image": ["0", 0]}
