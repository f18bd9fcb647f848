"""What differs between two graphs, and between two manifests."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.unit.workflows.corpus import graphs
from workflows.compare import compare, compare_manifests
from workflows.graph import Graph, is_link
from workflows.load import load
from workflows.loras import Lora, insert_loras


def clip() -> Graph:
    return copy.deepcopy(load("wan22_i2v").graph)


def renumbered(graph: Graph, by: int) -> Graph:
    """The same graph with every number ``by`` higher."""
    ids = {node: str(int(node) + by) for node in graph}
    return {
        ids[node]: {
            **content,
            "inputs": {
                name: [ids[value[0]], value[1]] if isinstance(value, list) else value
                for name, value in content["inputs"].items()
            },
        }
        for node, content in copy.deepcopy(graph).items()
    }


def test_a_graph_does_not_differ_from_itself() -> None:
    diff = compare(clip(), clip())

    assert not diff
    assert diff.unchanged == 15
    assert diff.text() == ""


def test_values_and_links_that_change_are_named() -> None:
    after = clip()
    after["11"]["inputs"]["steps"] = 30
    after["11"]["inputs"]["model"] = ["10", 0]
    after["11"]["inputs"]["cfg"] = ["14", 0]
    del after["11"]["inputs"]["scheduler"]
    after["11"]["inputs"]["more"] = 1
    (change,) = compare(clip(), after).nodes

    assert (change.kind, change.before, change.after) == ("changed", "11", "11")
    assert [(one.input, one.kind, one.before, one.after) for one in change.inputs] == [
        ("model", "link", ["9", 0], ["10", 0]),
        ("steps", "value", 20, 30),
        ("cfg", "linked", 3.5, ["14", 0]),
        ("scheduler", "removed", "simple", None),
        ("more", "added", None, 1),
    ]


def test_titles_are_no_difference() -> None:
    after = clip()
    after["11"]["_meta"]["title"] = "Another"

    assert not compare(clip(), after)


def test_true_is_not_one_but_one_is_one() -> None:
    before: Graph = {"1": {"class_type": "A", "inputs": {"x": 1, "y": 1, "z": float("nan")}}}
    after: Graph = {"1": {"class_type": "A", "inputs": {"x": True, "y": 1.0, "z": float("nan")}}}
    (change,) = compare(before, after).nodes

    assert [one.input for one in change.inputs] == ["x"]


def test_a_graph_exported_with_other_numbers_is_renumbered_and_nothing_else() -> None:
    for by in (100, 3):  # far away, and into each other
        diff = compare(clip(), renumbered(clip(), by))

        assert {node.kind for node in diff.nodes} == {"renumbered"}, by
        assert {(node.before, node.after) for node in diff.nodes} == {
            (str(number), str(number + by)) for number in range(1, 16)
        }
        assert all(not node.inputs for node in diff.nodes)


@pytest.mark.parametrize("name", ["templates-6-key-frames", "flux1_dev_uso_reference_image_gen"])
def test_twins_that_are_numbered_anew_in_another_order_keep_their_links(name: str) -> None:
    graph = graphs()[name]
    ids = dict(zip(graph, reversed([str(1000 + number) for number in range(len(graph))]), strict=True))
    after = {
        ids[node]: {
            **content,
            "inputs": {
                key: [ids[value[0]], value[1]] if is_link(value) else value
                for key, value in content["inputs"].items()
            },
        }
        for node, content in sorted(graph.items(), key=lambda row: ids[row[0]])
    }

    changes = compare(graph, after).nodes
    assert [str(change) for change in changes if change.kind != "renumbered" or change.inputs] == []


def test_a_renumbered_graph_with_another_value_says_both() -> None:
    after = renumbered(clip(), 100)
    after["111"]["inputs"]["noise_seed"] = 5
    diff = compare(clip(), after)
    (changed,) = [node for node in diff.nodes if node.inputs]

    assert {node.kind for node in diff.nodes} == {"renumbered"}
    assert (changed.before, changed.after, changed.inputs[0].input) == ("11", "111", "noise_seed")


def test_a_loader_put_between_is_added_and_its_takers_change() -> None:
    template = load("wan22_i2v")
    after = insert_loras(template.graph, template.manifest.loras, [Lora("a.safetensors", 0.8, "high")])
    diff = compare(template.graph, after)

    assert [node.after for node in diff.of_kind("added")] == ["16"]
    (changed,) = diff.of_kind("changed")
    assert (changed.after, [str(one) for one in changed.inputs]) == ("9", ["model: [1, 0] -> [16, 0]"])
    assert not diff.of_kind("removed")


def test_a_node_that_became_another_class_under_its_number_says_so() -> None:
    after = clip()
    after["13"] = {
        "class_type": "VAEDecodeTiled",
        "inputs": {"samples": ["12", 0], "vae": ["4", 0], "tile_size": 512},
    }
    (change,) = compare(clip(), after).nodes

    assert (change.class_before, change.class_after) == ("VAEDecode", "VAEDecodeTiled")
    assert [one.input for one in change.inputs] == ["tile_size"]


def test_the_text_reads_line_by_line() -> None:
    after = clip()
    after["11"]["inputs"]["steps"] = 30
    del after["15"]
    after["40"] = {"class_type": "PreviewImage", "inputs": {"images": ["13", 0]}}

    assert compare(clip(), after).text() == (
        "~ node 11 (KSamplerAdvanced) 'First half: high noise' changed\n"
        "    steps: 20 -> 30\n"
        "+ node 40 (PreviewImage) added\n"
        "    images: nothing -> [13, 0]\n"
        "- node 15 (SaveVideo) 'Save the clip' removed\n"
        "    video: [14, 0] -> nothing\n"
        "    filename_prefix: 'shotfarm' -> nothing\n"
        "    format: 'mp4' -> nothing\n"
        "    codec: 'h264' -> nothing\n"
    )


def test_two_quite_different_graphs_are_compared_completely() -> None:
    before, after = graphs()["default"], graphs()["video_ltx2_i2v"]
    diff = compare(before, after)

    kinds = [node.kind for node in diff.nodes]
    assert diff.unchanged + len(kinds) - kinds.count("removed") == len(after)
    assert len(before) == diff.unchanged + len(kinds) - kinds.count("added")


def test_manifests_are_compared_field_by_field_and_row_by_row() -> None:
    before = load("wan22_i2v").document
    after: dict[str, Any] = copy.deepcopy(before)
    after["defaults"]["steps"] = 30
    del after["bindings"]["cfg"]
    next(row for row in after["models"] if row["folder"] == "vae")["name"] = "other_vae.safetensors"
    after["vram"][0]["gb"] = 99
    after["title"]["en"] = "Another"
    changes = {field.path: (field.before, field.after) for field in compare_manifests(before, after).fields}

    assert changes["defaults.steps"] == (20, 30)
    assert changes["title.en"] == (before["title"]["en"], "Another")
    assert changes["bindings.cfg"] == (before["bindings"]["cfg"], None)
    assert [path for path in changes if path.startswith("models[vae wan_2.1_vae.safetensors")]
    assert [path for path in changes if path.startswith("models[vae other_vae.safetensors")]
    assert [values for path, values in changes.items() if path.endswith(".gb")] == [
        (before["vram"][0]["gb"], 99)
    ]
    assert len(changes) == 6
    assert not compare_manifests(before, before)
