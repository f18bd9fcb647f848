"""Checking graphs against a node catalogue. Codes are those ComfyUI 0.27 answered to the same graphs."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.workflows import corpus
from workflows import catalogue
from workflows.catalogue import ObjectInfo
from workflows.errors import WorkflowError
from workflows.validate import MODEL, check_graph, without_missing_models

Graph = dict[str, Any]


@pytest.fixture(scope="module")
def object_info() -> ObjectInfo:
    return corpus.object_info()


def _codes(graph: object, object_info: ObjectInfo) -> list[str]:
    return [problem.code for problem in check_graph(graph, object_info)]


def _shown(graph: Graph, *nodes: str) -> Graph:
    """With an output that needs these nodes: only what an output needs is looked at."""
    for node in nodes:
        graph[f"preview {node}"] = {"class_type": "PreviewAny", "inputs": {"source": [node, 0]}}
    return graph


def test_a_sound_graph_has_no_problems(graph: Graph, object_info: ObjectInfo) -> None:
    assert check_graph(graph, object_info) == []


@pytest.mark.parametrize(
    ("at", "value", "code"),
    [
        (("1", "width"), 0, "value_smaller_than_min"),
        (("1", "height"), 99_999_999, "value_bigger_than_max"),
        (("1", "width"), "abc", "invalid_input_type"),
        (("1", "width"), None, "invalid_input_type"),
        (("2", "image"), ["7", 0], "exception_during_inner_validation"),
        (("2", "image"), ["1", 7], "exception_during_inner_validation"),
        (("3", "images"), ["7", 0], "exception_during_validation"),
        (("2", "image"), ["1", -1], "bad_linked_input"),
        (("1", "width"), float("nan"), "invalid_input_type"),
        (("2", "image"), ["1"], "bad_linked_input"),
        (("2", "image"), "a.png", "link_expected"),
        (("1", "width"), ["2", 0], "return_type_mismatch"),
    ],
)
def test_a_wrong_input_is_found(
    graph: Graph, object_info: ObjectInfo, at: tuple[str, str], value: object, code: str
) -> None:
    node, name = at
    graph[node]["inputs"][name] = value
    found = [p for p in check_graph(graph, object_info) if p.code != "dependency_cycle"]
    assert [(p.node, p.input, p.code) for p in found] == [(node, name, code)]


def test_a_numeric_text_and_an_unknown_extra_input_pass_as_they_do_on_a_server(
    graph: Graph, object_info: ObjectInfo
) -> None:
    graph["1"]["inputs"] |= {"width": "64", "mystery": 1}
    assert check_graph(graph, object_info) == []


def test_a_missing_required_input_is_found(graph: Graph, object_info: ObjectInfo) -> None:
    del graph["1"]["inputs"]["height"]
    (problem,) = check_graph(graph, object_info)
    assert problem.message == "Node 1 (EmptyImage), input 'height': is required and missing; it takes INT."


def test_an_unknown_class_is_found_once(graph: Graph, object_info: ObjectInfo) -> None:
    graph["2"]["class_type"] = "ImageTurnInsideOut"
    assert _codes(graph, object_info) == ["missing_node_type"]


def test_a_graph_that_saves_nothing_is_found(graph: Graph, object_info: ObjectInfo) -> None:
    del graph["3"]
    assert _codes(graph, object_info) == ["prompt_no_outputs"]


def test_a_circle_is_found_and_named(graph: Graph, object_info: ObjectInfo) -> None:
    graph["4"] = {"class_type": "ImageInvert", "inputs": {"image": ["2", 0]}}
    graph["2"]["inputs"]["image"] = ["4", 0]
    problems = check_graph(graph, object_info)
    assert [(p.node, p.code) for p in problems] == [("2", "dependency_cycle"), ("4", "dependency_cycle")]
    assert "Node 2 (ImageInvert) -> Node 4 (ImageInvert) -> Node 2 (ImageInvert)" in problems[0].message


def test_two_ways_to_one_node_are_no_circle(graph: Graph, object_info: ObjectInfo) -> None:
    graph["4"] = {"class_type": "ImageBatch", "inputs": {"image1": ["2", 0], "image2": ["1", 0]}}
    assert check_graph(graph, object_info) == []


def test_a_chain_of_thousands_of_nodes_is_checked(object_info: ObjectInfo, graph: Graph) -> None:
    for index in range(10, 5_000):
        graph[str(index)] = {"class_type": "ImageInvert", "inputs": {"image": [str(index + 1), 0]}}
    graph["5000"] = copy.deepcopy(graph["1"])
    assert check_graph(graph, object_info) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"nodes": [], "links": [], "version": 0.4}, "UI format"),
        ({"prompt": {}}, "under 'prompt'"),
        ([], "not a JSON object"),
        (None, "not a JSON object"),
        ({"1": {"inputs": {}}}, "Node 1 has no class_type"),
        ({"1": {"class_type": "EmptyImage"}}, "no inputs object"),
    ],
)
def test_what_is_not_api_format_gets_one_clear_sentence(
    object_info: ObjectInfo, given: object, said: str
) -> None:
    (problem,) = check_graph(given, object_info)
    assert problem.code in ("not_api_format", "missing_node_type")
    assert said in problem.message


def test_a_value_outside_the_list_is_found_in_both_spellings(graph: Graph, object_info: ObjectInfo) -> None:
    scale = {"image": ["1", 0], "upscale_method": "bogus", "width": 8, "height": 8, "crop": "disabled"}
    graph["4"] = {"class_type": "ImageScale", "inputs": scale}
    graph["5"] = {"class_type": "CreateVideo", "inputs": {"images": ["1", 0], "fps": 16.0}}
    video = {"video": ["5", 0], "filename_prefix": "x", "format": "avi", "codec": "auto"}
    graph["6"] = {"class_type": "SaveVideo", "inputs": video}
    problems = check_graph(_shown(graph, "4"), object_info)
    assert [(p.input, p.code) for p in problems] == [
        ("upscale_method", "value_not_in_list"),
        ("format", "value_not_in_list"),
    ]
    assert "'auto', 'mp4'" in problems[1].message


def test_an_absent_model_file_is_told_apart(graph: Graph, object_info: ObjectInfo) -> None:
    graph["4"] = {"class_type": "VAELoader", "inputs": {"vae_name": "ae.safetensors"}}
    problems = check_graph(_shown(graph, "4"), object_info)
    assert [(p.code, p.missing, p.name) for p in problems] == [("value_not_in_list", MODEL, "ae.safetensors")]
    assert without_missing_models(problems) == []


def test_a_model_in_a_windows_folder_is_recognised(graph: Graph, object_info: ObjectInfo) -> None:
    windows = copy.deepcopy(dict(object_info))
    windows["VAELoader"]["input"]["required"]["vae_name"][0] = ["flux\\ae.safetensors"]
    graph["4"] = {"class_type": "VAELoader", "inputs": {"vae_name": "flux/ae.safetensors"}}
    assert check_graph(_shown(graph, "4"), windows) == []


def test_an_input_file_is_not_judged_because_it_is_uploaded_first(
    graph: Graph, object_info: ObjectInfo
) -> None:
    graph["4"] = {"class_type": "LoadImage", "inputs": {"image": "not-there-yet.png"}}
    assert check_graph(_shown(graph, "4"), object_info) == []


def test_a_dynamic_combo_brings_the_inputs_of_its_choice(graph: Graph, object_info: ObjectInfo) -> None:
    inputs: dict[str, Any] = {
        "input": ["1", 0],
        "resize_type": "scale dimensions",
        "resize_type.width": 32,
        "resize_type.height": -1,
        "scale_method": "area",
    }
    graph["4"] = {"class_type": "ResizeImageMaskNode", "inputs": inputs}
    assert [(p.input, p.code) for p in check_graph(_shown(graph, "4"), object_info)] == [
        ("resize_type.height", "value_smaller_than_min"),
        ("resize_type.crop", "required_input_missing"),
    ]


def test_a_growing_list_needs_its_first_input_and_the_right_type(
    graph: Graph, object_info: ObjectInfo
) -> None:
    graph["4"] = {"class_type": "BatchImagesNode", "inputs": {"images.image1": ["2", 0]}}
    graph["5"] = {"class_type": "PrimitiveInt", "inputs": {"value": 1}}
    graph["6"] = {
        "class_type": "BatchImagesNode",
        "inputs": {"images.image0": ["1", 0], "images.image1": ["5", 0]},
    }
    assert [(p.node, p.input, p.code) for p in check_graph(_shown(graph, "4", "6"), object_info)] == [
        ("4", "images.image0", "required_input_missing"),
        ("6", "images.image1", "return_type_mismatch"),
    ]


def test_a_list_wrapped_as_value_is_not_taken_for_a_link(graph: Graph, object_info: ObjectInfo) -> None:
    compare = {"image_a": ["1", 0], "image_b": ["2", 0], "compare_view": {"__value__": ["", ""]}}
    graph["4"] = {"class_type": "ImageCompare", "inputs": compare}
    assert check_graph(graph, object_info) == []


def test_a_catalogue_is_read_plain_or_gzipped(tmp_path: Path, object_info: ObjectInfo) -> None:
    plain, packed = tmp_path / "a.json", tmp_path / "a.json.gz"
    plain.write_text(json.dumps(object_info), encoding="utf-8")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert catalogue.read(plain) == catalogue.read(packed) == object_info


@pytest.mark.parametrize("content", [b"", b"[]", b'{"KSampler": {}}', b"\x1f\x8bnot gzip"])
def test_what_is_no_catalogue_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    with pytest.raises(WorkflowError, match=r"object_info: .*bad\.json.* save the answer"):
        catalogue.read(path)


def test_the_nearest_names_are_told(graph: Graph, object_info: ObjectInfo) -> None:
    node = copy.deepcopy(dict(object_info))
    files = ["wan_2.1_vae.safetensors", "flux/AE.sft", "qwen_image_vae.safetensors"]
    node["VAELoader"]["input"]["required"]["vae_name"][0] = files
    graph["4"] = {"class_type": "VAELoader", "inputs": {"vae_name": "ae.safetensors"}}
    graph["5"] = {"class_type": "ImageInvrt", "inputs": {"image": ["1", 0]}, "_meta": {"title": "Turn"}}
    problems = check_graph(_shown(graph, "4", "5"), node)
    assert [(p.node, p.title, p.missing, p.nearest[0]) for p in problems] == [
        ("4", "VAELoader", "model", "flux/AE.sft"),
        ("5", "Turn", "class", "ImageInvert"),
    ]
    assert problems[1].message == (
        "Node 5 (Turn, ImageInvrt): this ComfyUI has no class 'ImageInvrt'; "
        "nearest: ImageInvert, ImageRotate."
    )


def test_what_no_output_needs_is_not_judged_as_on_a_server(graph: Graph, object_info: ObjectInfo) -> None:
    graph["4"] = {"class_type": "ImageScale", "inputs": {"image": ["99", 0], "width": "x"}}
    assert check_graph(graph, object_info) == []


def test_a_graph_with_ten_thousand_faults_is_told_briefly(object_info: ObjectInfo) -> None:
    node = {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}
    problems = check_graph({str(index): node for index in range(10_000)}, object_info)
    assert len(problems) == 201
    assert problems[-1].message == "At least 800 more problems of this graph are not listed."


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("there.png", []),
        ("", [("custom_validation_failed", True)]),  # the folder itself: a server stumbles over it later
        ("gone.png", [("custom_validation_failed", False)]),
        ({"a": 1}, [("custom_validation_failed", False)]),
    ],
)
def test_an_input_file_is_judged_where_the_folder_is_known(
    graph: Graph, object_info: ObjectInfo, image: object, found: list[tuple[str, bool]]
) -> None:
    graph["4"] = {"class_type": "LoadImage", "inputs": {"image": image}}
    problems = check_graph(_shown(graph, "4"), object_info, uploaded={"there.png"})
    assert [(p.code, p.late) for p in problems] == found
