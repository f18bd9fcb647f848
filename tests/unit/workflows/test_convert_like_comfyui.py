"""The measure: what ComfyUI's own web client made of the same workflows."""

from __future__ import annotations

from typing import Any

from tests.unit.workflows.corpus import changed, converted, graphs, object_info, templates
from workflows.convert import convert, to_api


def told(graph: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What must be equal: ids, classes and inputs, but for what only a browser makes."""
    return {
        node_id: (
            node["class_type"],
            {
                name: value
                for name, value in node["inputs"].items()
                if name != "audioUI" and (node["class_type"], name) != ("Load3D", "image")
            },
        )
        for node_id, node in graph.items()
    }


def test_every_template_becomes_the_graph_that_comfyui_makes_of_it() -> None:
    other = {name for name, graph in converted().items() if told(graphs()[name]) != told(graph)}
    assert (other, len(converted())) == (set(), 461)


def test_templates_changed_by_lot_become_what_comfyui_makes_of_them() -> None:
    other = {
        what
        for what, one in changed().items()
        if told(to_api(one["document"], object_info())) != told(one["converted"])
    }
    assert (other, len(changed())) == (set(), 78)


def test_every_node_of_a_graph_has_what_a_server_reads() -> None:
    keys = {tuple(sorted(node)) for graph in graphs().values() for node in graph.values()}
    assert keys == {("_meta", "class_type", "inputs")}


def test_a_scene_in_3d_has_its_camera_and_a_note_that_its_pictures_are_missing() -> None:
    name = "api_hunyuan3d_model2uv"
    conversion = convert(templates()[name], object_info())
    ours, theirs = conversion.graph["13"]["inputs"]["image"], converted()[name]["13"]["inputs"]["image"]
    assert ours["camera_info"]["position"] == theirs["camera_info"]["position"]
    assert ours["image"] == ""
    [note] = conversion.notes
    assert (note.node, note.code) == ("13", "picture_in_browser")
    assert "takes pictures" in note.message


def test_the_same_template_converts_alike_twice_and_is_left_as_it_was() -> None:
    name = "templates-car_product"
    before = repr(templates()[name])
    assert to_api(templates()[name], object_info()) == to_api(templates()[name], object_info())
    assert repr(templates()[name]) == before
