"""Any document is converted or refused in sentences, never anything else; what is converted is a graph."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.workflows.corpus import object_info, templates
from workflows.convert import to_api
from workflows.errors import CannotConvert
from workflows.graph import is_link

NAMES = ["image", "model", "value", "seed", "images.image0", "images.image1", "on_true", "width", "text", ""]
CLASSES = [
    "EmptyImage", "ImageInvert", "KSampler", "CLIPTextEncode", "SaveImage", "BatchImagesNode", "CustomCombo",
    "ComfySwitchNode", "ResizeImageMaskNode", "PrimitiveInt", "LoadImage", "CurveEditor", "Load3D",
    "Reroute", "PrimitiveNode", "Note", "SetNode", "GetNode", "s0", "s1", "s2", "workflow>g", "workflow/g",
]  # fmt: skip

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-30, 30)
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["{a|b}", "%KSampler.seed%", "*", "IMAGE,MASK", "euler", "n"])
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Nearly always the usual, else anything: a document that is all wrong is refused at its door."""
    return st.integers(0, 99).flatmap(lambda number: usual if number < 99 else leaves)


def numbered(rows: list[Any]) -> list[Any]:
    """Number what has no id yet."""
    return [{"id": number, **row} if isinstance(row, dict) else row for number, row in enumerate(rows, 1)]


links = st.fixed_dictionaries(
    {
        "origin_id": mostly(st.integers(1, 8) | st.just(-10)),
        "origin_slot": mostly(st.integers(0, 1)),
        "target_id": mostly(st.integers(1, 8) | st.just(-20)),
        "target_slot": mostly(st.integers(0, 3)),
    },
    optional={"id": mostly(st.integers(9, 12))},
)
link_lists = st.lists(st.integers(1, 8), max_size=3)
slots = st.fixed_dictionaries(
    {
        "name": mostly(st.sampled_from(NAMES)),
        "type": mostly(st.sampled_from(["IMAGE", "*", "INT", "MODEL", "IMAGE,MASK"])),
    },
    optional={
        "link": mostly(st.integers(1, 8)),
        "links": mostly(link_lists),
        "linkIds": mostly(link_lists),
        "widget": mostly(st.fixed_dictionaries({"name": st.sampled_from(NAMES)})),
    },
)
nodes = st.fixed_dictionaries(
    {
        "type": mostly(st.sampled_from(CLASSES)),
        "mode": mostly(st.sampled_from([0, 0, 0, 2, 4])),
        "inputs": mostly(st.lists(slots, max_size=4)),
        "outputs": mostly(st.lists(slots, min_size=2, max_size=2)),
    },
    optional={
        "id": mostly(st.integers(9, 40)),
        "widgets_values": st.lists(values, max_size=8) | values,
        "properties": st.dictionaries(
            st.sampled_from(["Node name for S&R", "Camera Config", "Run widget replace on values"]),
            st.sampled_from(CLASSES) | values,
        ),
        "title": leaves,
    },
)
graphs = {
    "nodes": st.lists(nodes, max_size=8).map(numbered),
    "links": mostly(st.lists(links, min_size=8, max_size=8).map(numbered)),
}
definitions = st.fixed_dictionaries(
    {
        "id": mostly(st.sampled_from(["s0", "s1", "s2"])),
        "inputs": mostly(st.lists(slots, max_size=3)),
        "outputs": mostly(st.lists(slots, max_size=3)),
        **graphs,
    }
)
wires = st.tuples(
    st.none() | st.integers(0, 4), st.integers(0, 1), st.integers(0, 4), st.integers(0, 3), leaves, leaves
)
groups = st.fixed_dictionaries(
    {
        "nodes": mostly(st.lists(nodes | leaves, max_size=5)),
        "links": mostly(st.lists(mostly(wires.map(list)), max_size=6)),
    },
    optional={
        "external": mostly(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1)).map(list), max_size=3)),
        "config": st.dictionaries(st.sampled_from(["0", "1"]), values) | leaves,
    },
)
documents = st.fixed_dictionaries(
    graphs,
    optional={
        "definitions": st.fixed_dictionaries(
            {"subgraphs": st.lists(definitions, max_size=3, unique_by=lambda row: str(row["id"]))}
        ),
        "extra": mostly(st.fixed_dictionaries({"groupNodes": mostly(st.fixed_dictionaries({"g": groups}))})),
        "last_node_id": leaves,
        "state": st.fixed_dictionaries({"lastNodeId": leaves}) | leaves,
    },
)


def converted_or_refused(document: object) -> None:
    """Convert; only CannotConvert may be raised, and all links of a graph lead to its nodes."""
    try:
        graph = to_api(document, object_info())
    except CannotConvert as exc:
        assert exc.problems
        assert all(problem.message.isprintable() for problem in exc.problems)
        return
    json.dumps(graph, allow_nan=False)
    for node in graph.values():
        for value in node["inputs"].values():
            assert not is_link(value) or (value[0] in graph and value[1] >= 0)


@given(values)
def test_any_json_is_converted_or_refused(document: object) -> None:
    converted_or_refused(document)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(documents)
def test_anything_shaped_like_a_workflow_is_converted_or_refused(document: object) -> None:
    converted_or_refused(document)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(templates())), st.data())
def test_a_real_workflow_with_anything_changed_is_converted_or_refused(
    name: str, data: st.DataObject
) -> None:
    document = copy.deepcopy(templates()[name])
    for _ in range(data.draw(st.integers(1, 6))):
        change(document, data)
    converted_or_refused(document)


def change(document: dict[str, Any], data: st.DataObject) -> None:
    """Walk down to some part and replace it, remove it, or put a copy of it beside it."""
    part: Any = document
    for _ in range(12):
        keys = (
            [key for key in part if key not in {"pos", "size", "bgcolor"}]
            if isinstance(part, dict)
            else range(len(part))
        )
        if not keys:
            return
        key = data.draw(st.sampled_from(list(keys)))
        inner = part[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.integers(0, 4)) == 0:
            break
        part = inner
    match data.draw(st.sampled_from(["replace", "remove", "repeat"])):
        case "replace":
            part[key] = data.draw(values)
        case "remove":
            del part[key]
        case _ if isinstance(part, list):
            part.append(copy.deepcopy(part[key]))
