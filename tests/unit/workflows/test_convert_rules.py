"""One rule of ComfyUI's client at a time, each on the smallest drawing that shows it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.workflows.corpus import object_info
from tests.unit.workflows.drawing import Drawing
from workflows.convert import convert, to_api

SAMPLER = [7, "fixed", 20, 8.0, "euler", "normal", 1.0]


def converted(drawing: Drawing) -> dict[str, dict[str, Any]]:
    return to_api(drawing.saved(), object_info())


def pictures(drawing: Drawing) -> tuple[int, int]:
    """Two sources of pictures, told apart by their width."""
    return drawing.node("EmptyImage", [16, 16, 1, 0]), drawing.node("EmptyImage", [32, 32, 1, 0])


# links


@pytest.mark.parametrize("objects", [False, True])
def test_both_forms_of_links_are_read(objects: bool) -> None:
    drawing = Drawing(objects=objects)
    empty, invert = drawing.node("EmptyImage", [16, 16, 1, 0]), drawing.node("ImageInvert")
    drawing.link(empty, invert, "image")
    assert converted(drawing)["2"] == {
        "class_type": "ImageInvert",
        "inputs": {"image": ["1", 0]},
        "_meta": {"title": "Invert Image Colors"},
    }


def test_reroutes_are_gone_and_what_they_carry_arrives() -> None:
    drawing = Drawing()
    empty, invert = drawing.node("EmptyImage", [16, 16, 1, 0]), drawing.node("ImageInvert")
    one, two = drawing.node("Reroute", outputs=["*"]), drawing.node("Reroute", outputs=["*"])
    drawing.link(empty, one, "")
    drawing.link(one, two, "")
    drawing.link(two, invert, "image")
    graph = converted(drawing)
    assert set(graph) == {"1", "2"}
    assert graph["2"]["inputs"] == {"image": ["1", 0]}


def test_a_reroute_carries_nothing_where_its_type_does_not_fit() -> None:
    drawing = Drawing()
    loader = drawing.node("VAELoader", ["a.safetensors"], outputs=["VAE"])
    reroute, invert = drawing.node("Reroute", outputs=["*"]), drawing.node("ImageInvert")
    drawing.link(loader, reroute, "", kind="VAE")
    drawing.link(reroute, invert, "image")
    assert converted(drawing)["3"]["inputs"] == {}


def test_what_a_setter_takes_its_getter_gives() -> None:
    drawing = Drawing()
    empty, invert = drawing.node("EmptyImage", [16, 16, 1, 0]), drawing.node("ImageInvert")
    setter, getter = drawing.node("SetNode", ["picture"]), drawing.node("GetNode", ["picture"])
    drawing.link(empty, setter, "IMAGE")
    drawing.link(getter, invert, "image")
    graph = converted(drawing)
    assert set(graph) == {"1", "2"}
    assert graph["2"]["inputs"] == {"image": ["1", 0]}


def test_notes_are_not_part_of_the_graph() -> None:
    drawing = Drawing()
    drawing.node("Note", ["read me"])
    drawing.node("MarkdownNote", ["# read me"])
    assert converted(drawing) == {}


# muted and bypassed nodes


def test_what_a_muted_node_would_give_is_missing() -> None:
    drawing = Drawing()
    empty, invert = drawing.node("EmptyImage", [16, 16, 1, 0], mode=2), drawing.node("ImageInvert")
    drawing.link(empty, invert, "image")
    assert converted(drawing) == {
        "2": {"class_type": "ImageInvert", "inputs": {}, "_meta": {"title": "Invert Image Colors"}}
    }


def test_a_value_linked_to_a_muted_node_is_the_one_of_its_widget() -> None:
    drawing = Drawing()
    number = drawing.node("PrimitiveInt", [99, "fixed"], outputs=["INT"], mode=2)
    empty = drawing.node("EmptyImage", [16, 24, 1, 0])
    drawing.link(number, empty, "width", kind="INT", widget=True)
    assert converted(drawing)["2"]["inputs"]["width"] == 16


def test_a_bypassed_node_hands_on_the_input_of_the_same_number_if_its_type_fits() -> None:
    drawing = Drawing()
    one, two = pictures(drawing)
    joined = drawing.node("ImageBatch", mode=4)
    invert = drawing.node("ImageInvert")
    drawing.link(one, joined, "image1")
    drawing.link(two, joined, "image2")
    drawing.link(joined, invert, "image")
    assert converted(drawing)["4"]["inputs"] == {"image": ["1", 0]}


def test_a_bypassed_node_else_hands_on_the_first_input_of_a_fitting_type() -> None:
    drawing = Drawing()
    latent = drawing.node("EmptyLatentImage", [64, 64, 1], outputs=["LATENT"])
    sampler = drawing.node("KSampler", SAMPLER, outputs=["LATENT"], mode=4)
    decode = drawing.node("VAEDecode")
    drawing.link(latent, sampler, "latent_image", kind="LATENT")
    drawing.link(sampler, decode, "samples", kind="LATENT")
    assert converted(drawing)["3"]["inputs"] == {"samples": ["1", 0]}


def test_a_bypassed_node_without_a_fitting_input_gives_nothing() -> None:
    drawing = Drawing()
    decode, invert = drawing.node("VAEDecode", mode=4), drawing.node("ImageInvert")
    drawing.link(decode, invert, "image")
    assert converted(drawing)["2"]["inputs"] == {}


def test_a_bypassed_switch_hands_on_what_its_matched_types_say() -> None:
    drawing = Drawing()
    one, _ = pictures(drawing)
    switch = drawing.node("ComfySwitchNode", [False], outputs=["*"], mode=4)
    invert = drawing.node("ImageInvert")
    drawing.link(one, switch, "on_true", kind="*")
    drawing.link(switch, invert, "image")
    assert converted(drawing)["4"]["inputs"] == {}  # output 0 prefers input 0, on_false, which has no link


def test_what_goes_through_a_bypassed_node_into_a_switch_is_of_its_other_inputs_type() -> None:
    drawing = Drawing()
    latent = drawing.node("EmptyLatentImage", [64, 64, 1], outputs=["LATENT"])
    sampler = drawing.node("KSampler", SAMPLER, outputs=["LATENT"], mode=4)
    switch = drawing.node("ComfySwitchNode", [False], outputs=["*"])
    drawing.link(latent, sampler, "latent_image", kind="LATENT")
    drawing.link(sampler, switch, "on_false", kind="*")
    drawing.link(latent, switch, "on_true", kind="*")
    assert converted(drawing)["3"]["inputs"] == {"on_false": ["1", 0], "on_true": ["1", 0], "switch": False}


# values


def test_values_are_given_by_place_and_the_seeds_control_has_one_but_is_not_sent() -> None:
    drawing = Drawing()
    drawing.node("KSampler", [7, "randomize", 21, 6.5, "sample_euler", "karras", 0.8])
    assert converted(drawing)["1"]["inputs"] == {
        "seed": 7,
        "steps": 21,
        "cfg": 6.5,
        "sampler_name": "euler",
        "scheduler": "karras",
        "denoise": 0.8,
    }


def test_values_that_the_file_lacks_are_the_declared_ones_as_a_browser_writes_them() -> None:
    drawing = Drawing()
    drawing.node("KSampler", [7])
    inputs = converted(drawing)["1"]["inputs"]
    assert (inputs["steps"], inputs["denoise"]) == (20, 1)
    assert isinstance(inputs["denoise"], int)


def test_values_by_name_are_read_too() -> None:
    drawing = Drawing()
    drawing.node("KSampler", {"steps": 5, "videopreview": {"hidden": True}})
    inputs = converted(drawing)["1"]["inputs"]
    assert inputs["steps"] == 5
    assert "videopreview" not in inputs


def test_a_list_is_wrapped_so_that_nobody_takes_it_for_a_link() -> None:
    drawing = Drawing()
    drawing.node("CurveEditor", [[[0, 0], [1, 1]]])
    assert converted(drawing)["1"]["inputs"]["curve"] == {
        "__type__": "CURVE",
        "__value__": [[0, 0], [1, 1]],
    }


def test_a_choice_brings_the_inputs_it_declares() -> None:
    drawing = Drawing()
    drawing.node("ResizeImageMaskNode", ["scale by multiplier", 2.5, "lanczos"])
    inputs = converted(drawing)["1"]["inputs"]
    assert inputs["resize_type"] == "scale by multiplier"
    assert inputs["resize_type.multiplier"] == 2.5
    assert inputs["scale_method"] == "lanczos"


def test_a_custom_combo_sends_its_choices_and_the_number_of_the_chosen() -> None:
    drawing = Drawing()
    drawing.node("CustomCombo", ["b", 1, "a", "b"])
    assert converted(drawing)["1"]["inputs"] == {
        "choice": "b",
        "index": 1,
        "option1": "a",
        "option2": "b",
        "option3": "",
    }


def test_a_growing_list_keeps_the_links_of_all_its_inputs() -> None:
    drawing = Drawing()
    one, two = pictures(drawing)
    batch = drawing.node("BatchImagesNode")
    for number, origin in enumerate([one, two, one]):
        drawing.link(origin, batch, f"images.image{number}")
    assert converted(drawing)["3"]["inputs"] == {
        "images.image0": ["1", 0],
        "images.image1": ["2", 0],
        "images.image2": ["1", 0],
    }


def test_an_old_files_values_of_inputs_that_only_links_fill_are_left_out() -> None:
    drawing = Drawing()
    drawing.node("GrownUp", ["never sent", "kept"])
    text: list[Any] = ["STRING", {}]
    catalogue = {"GrownUp": {"input": {"required": {"link": ["STRING", {"forceInput": True}], "text": text}}}}
    assert to_api(drawing.saved(), catalogue)["1"]["inputs"] == {"text": "kept"}


def test_dynamic_prompts_lose_comments_and_always_take_the_first_choice() -> None:
    drawing = Drawing()
    drawing.node(
        "CLIPTextEncode", ["a {red|green {big|small}} cat \\{kept\\} // aside\n/* and\nthis */on {a mat"]
    )
    text = converted(drawing)["1"]["inputs"]["text"]
    assert text == "a red cat {kept} \non a mat"


def test_a_file_name_takes_in_values_of_other_nodes() -> None:
    drawing = Drawing()
    drawing.node("KSampler", SAMPLER, title="Main")
    drawing.node("SaveImage", ["%KSampler.seed%_%Main.scheduler%_%Nobody.x%_%date:yyyy%"])
    assert converted(drawing)["2"]["inputs"]["filename_prefix"] == "7_normal_%Nobody.x%_%date:yyyy%"


# primitives


def test_a_primitive_writes_its_value_into_every_widget_it_is_linked_to() -> None:
    drawing = Drawing()
    primitive = drawing.node("PrimitiveNode", [48, "fixed"], outputs=["INT"])
    one, two = pictures(drawing)
    drawing.link(primitive, one, "width", kind="INT", widget=True)
    drawing.link(primitive, two, "height", kind="INT", widget=True)
    graph = converted(drawing)
    assert graph["2"]["inputs"]["width"] == 48
    assert graph["3"]["inputs"]["height"] == 48


def test_a_primitive_writes_also_where_the_input_has_forgotten_the_link() -> None:
    drawing = Drawing()
    primitive, empty = drawing.node("PrimitiveNode", [48], outputs=["INT"]), drawing.node("EmptyImage")
    drawing.link(primitive, empty, "width", kind="INT", widget=True)
    drawing.at(empty)["inputs"] = []
    assert converted(drawing)["2"]["inputs"]["width"] == 48


def test_a_primitives_number_is_rounded_to_the_step_of_the_widget() -> None:
    drawing = Drawing()
    primitive = drawing.node("PrimitiveNode", [101, "fixed"], outputs=["INT"])
    latent = drawing.node("EmptyLatentImage", [64, 64, 1], outputs=["LATENT"])
    drawing.link(primitive, latent, "width", kind="INT", widget=True)
    assert converted(drawing)["2"]["inputs"]["width"] == 104


def test_a_primitives_number_is_kept_within_the_limits_of_all_it_is_linked_to() -> None:
    drawing = Drawing()
    primitive = drawing.node("PrimitiveNode", [5, "fixed"], outputs=["INT"])
    latent = drawing.node("EmptyLatentImage", [64, 64, 1], outputs=["LATENT"])
    empty = drawing.node("EmptyImage", [16, 16, 1, 0])
    drawing.link(primitive, empty, "width", kind="INT", widget=True)
    drawing.link(primitive, latent, "width", kind="INT", widget=True)
    graph = converted(drawing)
    assert [graph[node]["inputs"]["width"] for node in ("2", "3")] == [16, 16]


def test_a_primitives_fraction_is_rounded_to_the_precision_of_the_widget() -> None:
    drawing = Drawing()
    primitive = drawing.node("PrimitiveNode", [6.54321, "fixed"], outputs=["FLOAT"])
    sampler = drawing.node("KSampler", SAMPLER)
    drawing.link(primitive, sampler, "cfg", kind="FLOAT", widget=True)
    assert converted(drawing)["2"]["inputs"]["cfg"] == 6.5


@pytest.mark.parametrize("value", [1e308, -1e308, 10**300, 10**18])
def test_a_primitives_number_that_no_browser_can_round_stays(value: float) -> None:
    drawing = Drawing()
    primitive = drawing.node("PrimitiveNode", [value, "fixed"], outputs=["FLOAT"])
    sampler = drawing.node("KSampler", SAMPLER)
    drawing.link(primitive, sampler, "cfg", kind="FLOAT", widget=True)
    assert converted(drawing)["2"]["inputs"]["cfg"] == value


# subgraphs


def inverting() -> tuple[Drawing, list[tuple[str, str, list[int]]], list[tuple[str, str, list[int]]]]:
    """A subgraph of one node that inverts its input."""
    inner = Drawing(objects=True)
    invert = inner.node("ImageInvert", id=8)
    enters = inner.link(-10, invert, "image")
    leaves = inner.link(invert, -20, "")
    return inner, [("image", "IMAGE", [enters])], [("IMAGE", "IMAGE", [leaves])]


def test_a_subgraph_unfolds_to_ids_with_its_hosts_id_before_them() -> None:
    drawing = Drawing()
    inner, inputs, outputs = inverting()
    empty = drawing.node("EmptyImage", [16, 16, 1, 0])
    host = drawing.node(drawing.define("Inverting", inner, inputs=inputs, outputs=outputs), id=68)
    save = drawing.node("SaveImage", ["x"])
    drawing.link(empty, host, "image")
    drawing.link(host, save, "images")
    graph = converted(drawing)
    assert graph["68:8"]["inputs"] == {"image": ["1", 0]}
    assert graph["3"]["inputs"]["images"] == ["68:8", 0]
    assert "68" not in graph


def test_a_subgraph_within_a_subgraph_unfolds_too() -> None:
    drawing = Drawing()
    inner, inputs, outputs = inverting()
    inmost = drawing.define("Inverting", inner, inputs=inputs, outputs=outputs)
    middle = Drawing(objects=True)
    nested = middle.node(inmost, id=5)
    enters, leaves = middle.link(-10, nested, "image"), middle.link(nested, -20, "")
    outer = drawing.define(
        "Outer",
        middle,
        inputs=[("image", "IMAGE", [enters])],
        outputs=[("IMAGE", "IMAGE", [leaves])],
    )
    empty, host = drawing.node("EmptyImage", [16, 16, 1, 0]), drawing.node(outer)
    save = drawing.node("SaveImage", ["x"])
    drawing.link(empty, host, "image")
    drawing.link(host, save, "images")
    graph = converted(drawing)
    assert graph["2:5:8"]["inputs"] == {"image": ["1", 0]}
    assert graph["3"]["inputs"]["images"] == ["2:5:8", 0]


@pytest.mark.parametrize("mode", [2, 4])
def test_nothing_in_a_muted_or_bypassed_subgraph_runs(mode: int) -> None:
    drawing = Drawing()
    inner, inputs, outputs = inverting()
    empty = drawing.node("EmptyImage", [16, 16, 1, 0])
    host = drawing.node(drawing.define("Inverting", inner, inputs=inputs, outputs=outputs), mode=mode)
    save = drawing.node("SaveImage", ["x"])
    drawing.link(empty, host, "image")
    drawing.link(host, save, "images")
    graph = converted(drawing)
    assert set(graph) == {"1", "3"}
    assert graph["3"]["inputs"].get("images") == (["1", 0] if mode == 4 else None)


def test_the_first_nodes_value_holds_for_all_that_share_an_input_of_a_subgraph() -> None:
    drawing = Drawing()
    inner = Drawing(objects=True)
    one, two = inner.node("EmptyImage", [16, 1, 1, 0]), inner.node("EmptyImage", [32, 2, 1, 0])
    links = [inner.link(-10, node, "width", kind="INT", widget=True) for node in (one, two)]
    subgraph = drawing.define("Two", inner, inputs=[("width", "INT", links)])
    drawing.node(subgraph, ["99"], id=9, inputs=[{"name": "width", "type": "INT", "link": None}])
    graph = converted(drawing)
    assert [graph[node]["inputs"]["width"] for node in ("9:1", "9:2")] == [16, 16]


def test_a_value_from_outside_goes_to_all_that_share_an_input_of_a_subgraph() -> None:
    drawing = Drawing()
    inner = Drawing(objects=True)
    one, two = inner.node("EmptyImage", [16, 1, 1, 0], id=11), inner.node("EmptyImage", [32, 2, 1, 0], id=12)
    links = [inner.link(-10, node, "width", kind="INT", widget=True) for node in (one, two)]
    host = drawing.node(drawing.define("Two", inner, inputs=[("width", "INT", links)]))
    primitive = drawing.node("PrimitiveNode", [48, "fixed"], outputs=["INT"])
    drawing.link(primitive, host, "width", kind="INT", widget=True)
    graph = converted(drawing)
    assert [graph[node]["inputs"]["width"] for node in ("1:11", "1:12")] == [48, 48]


def test_numbers_that_two_graphs_use_are_given_anew_in_the_subgraph() -> None:
    drawing = Drawing()
    inner, inputs, outputs = inverting()
    for node_id in (1, 8):
        drawing.node("EmptyImage", [16, 16, 1, 0], id=node_id)
    host = drawing.node(drawing.define("Inverting", inner, inputs=inputs, outputs=outputs), id=20)
    drawing.link(8, host, "image")
    assert converted(drawing)["20:21"]["inputs"] == {"image": ["8", 0]}


# classes that the catalogue lacks


def test_a_class_that_the_files_own_comfyui_had_is_noted_and_left_open() -> None:
    drawing = Drawing()
    empty = drawing.node("EmptyImage", [16, 16, 1, 0])
    custom = drawing.node("ImageInvertt", [1], title="Mine", properties={"Node name for S&R": "ImageInvertt"})
    drawing.link(empty, custom, "image")
    conversion = convert(drawing.saved(), object_info())
    assert conversion.graph["2"]["inputs"] == {"image": ["1", 0], "UNKNOWN": 1}
    assert conversion.graph["2"]["class_type"] is None
    [note] = conversion.notes
    assert note.code == "missing_node_type"
    assert "Node 2 (Mine)" in note.message
    assert "ImageInvert" in note.message


@pytest.mark.parametrize(
    ("values", "sent"),
    [
        (["a", 7, "randomize"], {"UNKNOWN": "randomize"}),
        ([1, {"on": True, "lora": "ä"}], {"UNKNOWN": '{"on":true,"lora":"ä"}'}),
        ([], {}),
        ({"frame_rate": 24}, {}),
    ],
)
def test_of_the_values_of_an_unknown_class_the_client_sends_the_last(
    values: list[Any] | dict[str, Any], sent: dict[str, Any]
) -> None:
    drawing = Drawing()
    drawing.node("Mine", values, properties={"Node name for S&R": "Mine"})
    assert converted(drawing)["1"]["inputs"] == sent


@pytest.mark.parametrize("pack", ["cnr_id", "aux_id"])
def test_a_class_that_the_file_says_the_pack_of_is_noted_too(pack: str) -> None:
    drawing = Drawing()
    drawing.node("Mine", properties={pack: "somebodys-nodes"})
    assert [note.code for note in convert(drawing.saved(), object_info()).notes] == ["missing_node_type"]


def test_an_unknown_class_that_does_not_run_is_no_matter() -> None:
    drawing = Drawing()
    drawing.node("Nonesuch", mode=2)
    assert converted(drawing) == {}


# what is in API format already


def test_a_graph_in_api_format_comes_back_without_what_comfyui_wrote_while_running() -> None:
    node = {"class_type": "EmptyImage", "inputs": {"width": 16}, "_meta": {"title": "x"}}
    assert to_api({"1": {**node, "is_changed": [float("nan")]}}, {}) == {"1": node}
