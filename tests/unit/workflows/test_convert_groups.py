"""Group nodes of 2024, which newer files have as subgraphs."""

from __future__ import annotations

from typing import Any

from tests.unit.workflows.corpus import object_info
from tests.unit.workflows.drawing import Drawing
from workflows.convert import to_api


def row(kind: str, values: list[Any], inputs: list[Any], **facts: Any) -> dict[str, Any]:
    """A node of a group. ``inputs``: names of sockets; a pair is a widget made an input, with its type."""
    slots = [
        {"name": name, "type": "*", "link": None}
        if isinstance(name, str)
        else {"name": name[0], "type": name[1], "widget": {"name": name[0]}, "link": None}
        for name in inputs
    ]
    outputs = [{"name": "out", "type": "*", "links": []}]
    return {"id": -1, "type": kind, "widgets_values": values, "inputs": slots, "outputs": outputs, **facts}


def grouped(drawing: Drawing, **groups: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The inputs of all nodes of the graph that becomes of a drawing with groups."""
    graph = to_api(drawing.saved() | {"extra": {"groupNodes": groups}}, object_info())
    return {node_id: node["inputs"] for node_id, node in graph.items()}


INVERTED = {
    "nodes": [row("EmptyImage", [1, 1, 1, 0], []), row("ImageInvert", [], ["image"])],
    "links": [[0, 0, 1, 0, 5, "IMAGE"]],
    "external": [],
}


def test_its_nodes_have_the_values_that_stand_on_the_group_node() -> None:
    drawing = Drawing()
    drawing.node("workflow>Inverted", [16, 32, 1, 0])
    drawing.node("workflow/Inverted", [64, 64, 2, 255])
    inputs = grouped(drawing, Inverted=INVERTED)
    assert inputs["1:0"] == {"width": 16, "height": 32, "batch_size": 1, "color": 0}
    assert inputs["2:0"] == {"width": 64, "height": 64, "batch_size": 2, "color": 255}
    assert inputs["1:1"] == {"image": ["1:0", 0]}
    assert inputs["2:1"] == {"image": ["2:0", 0]}


def test_links_enter_and_leave_it_by_the_names_it_shows() -> None:
    """Two inputs of one name: the second has its node's title before it. Outputs used inside are hidden."""
    nodes = [row("ImageInvert", [], ["image"]), row("ImageInvert", [], ["image"], title="Other")]
    drawing = Drawing()
    one, two = drawing.node("EmptyImage", [16, 16, 1, 0]), drawing.node("EmptyImage", [32, 32, 1, 0])
    both = drawing.node("workflow>Both", outputs=["IMAGE", "IMAGE"])
    last = drawing.node("ImageInvert")
    drawing.link(two, both, "Other image")
    drawing.link(one, both, "image")
    drawing.link(both, last, "image", slot=1)
    inputs = grouped(drawing, Both={"nodes": nodes, "links": [[None, 0, 0, 0, 9, "IMAGE"]]})
    assert inputs["3:0"] == {"image": ["1", 0]}
    assert inputs["3:1"] == {"image": ["2", 0]}
    assert inputs["4"] == {"image": ["3:1", 0]}


def test_a_primitive_in_it_writes_the_group_nodes_value_and_seeds_keep_their_place() -> None:
    sampler = ["euler", "normal"]
    nodes = [
        row("PrimitiveNode", [1, "fixed"], [], title="Seed"),
        row("KSampler", [2, "fixed", 3, 4.0, *sampler, 1.0], ["model", ("seed", "INT")]),
        row("KSampler", [2, "fixed", 3, 4.0, *sampler, 1.0], ["model"], title="Again"),
    ]
    drawing = Drawing()
    first, again = [20, 8.0, *sampler, 0.5], [7, "randomize", 30, 9.0, *sampler, 0.7]
    drawing.node("workflow>Twice", [123, "increment", *first, *again])
    inputs = grouped(drawing, Twice={"nodes": nodes, "links": [[0, 0, 1, 1, 3, "INT"]]})
    assert (inputs["1:1"]["seed"], inputs["1:1"]["steps"], inputs["1:1"]["denoise"]) == (123, 20, 0.5)
    assert (inputs["1:2"]["seed"], inputs["1:2"]["steps"], inputs["1:2"]["denoise"]) == (7, 30, 0.7)


def test_a_widget_made_an_input_takes_the_link_of_the_group_node() -> None:
    drawing = Drawing()
    number = drawing.node("PrimitiveInt", [640, "fixed"], outputs=["INT"])
    group = drawing.node("workflow>Wide", [8, 1, 0, 1])
    drawing.link(number, group, "width", kind="INT", widget=True)
    inputs = grouped(
        drawing, Wide={"nodes": [row("EmptyImage", [1, 1, 1, 0], [("width", "INT")])], "links": []}
    )
    assert inputs["2:0"] == {"width": ["1", 0], "height": 8, "batch_size": 1, "color": 0}


def test_a_bypassed_group_node_hands_its_input_through_and_a_muted_one_gives_nothing() -> None:
    group = {"nodes": [row("ImageInvert", [], ["image"])], "links": []}
    for mode, arrived in ((4, {"image": ["1", 0]}), (2, {})):
        drawing = Drawing()
        empty, last = drawing.node("EmptyImage", [16, 16, 1, 0]), drawing.node("ImageInvert")
        between = drawing.node("workflow>One", mode=mode)
        drawing.link(empty, between, "image")
        drawing.link(between, last, "image")
        assert grouped(drawing, One=group)["2"] == arrived
