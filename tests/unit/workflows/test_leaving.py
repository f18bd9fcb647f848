"""What a graph would be without a role is worked out, and a server takes what is left."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from workflows.catalogue import ObjectInfo, recorded, with_packs
from workflows.finding import find
from workflows.finding.leaving import leaving
from workflows.finding.packs import draft_packs
from workflows.load import Template, all_templates, load, template_from
from workflows.manifest import Without
from workflows.optional import without
from workflows.validate import check_graph, without_missing_models

SHIPPED = {template.slug: template for template in all_templates()}
FILES = [
    (slug, role)
    for slug, template in SHIPPED.items()
    for role, binding in template.manifest.bindings.items()
    if binding.type == "file"
]


def info_of(template: Template) -> ObjectInfo:
    return with_packs(recorded(), template.manifest)


def rule_of(template: Template, role: str) -> Without | None:
    readers = [target.node for target in template.manifest.bindings[role].targets]
    needed = [output.node for output in template.manifest.outputs]
    needed += [sampler.node for sampler in find(template.graph, info_of(template)).samplers]
    return leaving(template.graph, info_of(template), readers, needed)


@pytest.mark.parametrize(("slug", "role"), FILES)
def test_what_is_left_of_a_shipped_graph_renders_or_the_role_must_be_given(slug: str, role: str) -> None:
    template = SHIPPED[slug]
    rule, binding = rule_of(template, role), template.manifest.bindings[role]
    if rule is None:
        assert binding.optional is None
        return
    bindings = {**template.manifest.bindings, role: replace(binding, optional=rule)}
    left = without(template.graph, replace(template.manifest, bindings=bindings), [role])
    assert without_missing_models(check_graph(left, info_of(template))) == []
    if binding.optional is not None:
        assert set(rule.remove) == set(binding.optional.remove), "as people wrote it"


def test_a_control_net_is_passed_by_and_what_only_served_it_goes_too() -> None:
    template = load("controlnet_pose")
    rule = rule_of(template, "control")
    assert rule is not None
    gone = {template.graph[node]["class_type"] for node in rule.remove}
    assert {"LoadImage", "ControlNetLoader", "ControlNetApplyAdvanced"} <= gone
    givers = {template.graph[giver]["class_type"] for giver, _slot in rule.relink.values()}
    assert givers == {"CLIPTextEncode"}
    assert {name for _node, name in rule.relink} == {"positive", "negative"}


def test_a_picture_that_everything_starts_from_must_be_given() -> None:
    assert rule_of(load("flux_i2i"), "first_frame") is None


@pytest.mark.parametrize("missing", list(permutations(["control", "reference"])))
def test_of_two_in_a_row_both_may_be_left_out(missing: tuple[str, ...]) -> None:
    template = load("controlnet_pose")
    graph = copy.deepcopy(template.graph)
    graph["20"] = {"class_type": "LoadImage", "inputs": {"image": "b.png"}}
    graph["21"] = copy.deepcopy(graph["9"])
    graph["21"]["inputs"] |= {"positive": ["9", 0], "negative": ["9", 1], "image": ["20", 0]}
    graph["12"]["inputs"] |= {"positive": ["21", 0], "negative": ["21", 1]}
    control = template.manifest.bindings["control"]
    bindings = {
        role: replace(control, role=role, optional=leaving(graph, recorded(), [reader], ["12", "14"]))
        for role, reader in (("control", "7"), ("reference", "20"))
    }
    left = without(graph, replace(template.manifest, bindings=bindings), missing)
    assert (left["12"]["inputs"]["positive"], left["12"]["inputs"]["negative"]) == (["5", 0], ["6", 0])
    assert without_missing_models(check_graph(left, recorded())) == []


def test_what_was_to_stand_in_and_goes_too_is_nowhere_linked_to() -> None:
    graph = copy.deepcopy(load("wan22_i2v").graph)
    [taker] = [node for node, body in graph.items() if body["class_type"] == "WanImageToVideo"]
    graph |= {
        "a": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "b": {"class_type": "LoadImage", "inputs": {"image": "b.png"}},
        "both": {"class_type": "ImageBatch", "inputs": {"image1": ["a", 0], "image2": ["b", 0]}},
    }
    graph[taker]["inputs"]["start_image"] = ["both", 0]
    manifest = load("wan22_i2v").manifest
    binding = manifest.bindings["first_frame"]
    bindings = {
        role: replace(binding, role=role, optional=leaving(graph, recorded(), [reader], []))
        for role, reader in (("first_frame", "a"), ("last_frame", "b"))
    }
    left = without(graph, replace(manifest, bindings=bindings), list(bindings))
    assert "start_image" not in left[taker]["inputs"]
    alone = without(graph, replace(manifest, bindings=bindings), ["last_frame"])
    assert alone[taker]["inputs"]["start_image"] == ["a", 0]


def test_a_circle_of_links_ends() -> None:
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["3", 0]}},
        "3": {"class_type": "ImageBlend", "inputs": {"image1": ["2", 0], "image2": ["1", 0]}},
        "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "x"}},
    }
    rule = leaving(graph, recorded(), ["1"], ["4"])
    assert rule is not None
    assert rule.remove == ("1", "3")


def server(**classes: Any) -> ObjectInfo:
    return {**recorded(), **classes}


FANCY: dict[str, Any] = {
    "input": {"required": {"image": ["IMAGE"], "model": [["here.safetensors", "there.safetensors"], {}]}},
    "output": ["IMAGE"],
    "output_node": False,
    "python_module": "custom_nodes.ComfyUI-Fancy",
}
GRAPH: dict[str, Any] = {"5": {"class_type": "Fancy", "inputs": {"model": "here.safetensors"}}}


def test_a_pack_is_what_the_file_says_of_its_nodes_with_the_class_as_the_server_has_it() -> None:
    node = {
        "id": 5,
        "type": "Fancy",
        "properties": {"cnr_id": "fancy", "aux_id": "me/ComfyUI-Fancy", "ver": "1.2"},
    }
    core = {"id": 6, "type": "KSampler", "properties": {"cnr_id": "comfy-core", "ver": "0.3"}}
    document = {"nodes": [core], "definitions": {"subgraphs": [{"nodes": [node, None, 5]}]}}
    (pack,) = draft_packs(GRAPH, server(Fancy=FANCY), document)
    assert pack["name"] == "ComfyUI-Fancy"
    assert pack["repository"] == "https://github.com/me/ComfyUI-Fancy"
    assert pack["version"] == "1.2"
    assert pack["classes"]["Fancy"]["input"]["required"]["model"][0] == [], "no file of that server"


def test_the_nodes_of_a_group_node_say_it_too() -> None:
    node = {"type": "Fancy", "properties": {"aux_id": "me/ComfyUI-Fancy", "ver": "1.2"}}
    document = {"nodes": [{"type": "workflow/both"}], "extra": {"groupNodes": {"both": {"nodes": [node]}}}}
    (pack,) = draft_packs(GRAPH, recorded(), document)
    assert (pack["repository"], pack["version"]) == ("https://github.com/me/ComfyUI-Fancy", "1.2")


def test_of_a_file_that_says_nothing_the_server_tells_the_folder() -> None:
    (pack,) = draft_packs(GRAPH, server(Fancy=FANCY), GRAPH)
    assert (pack["name"], pack["repository"], pack["version"]) == ("ComfyUI-Fancy", "", "")


def test_a_registry_entry_without_a_source_is_named_by_its_page_and_core_nodes_by_nothing() -> None:
    nodes = [
        {"type": "Fancy", "properties": {"cnr_id": "fancy", "ver": 5}},
        {"type": "KSampler", "properties": {"cnr_id": "comfy-core"}},
    ]
    (pack,) = draft_packs(GRAPH, recorded(), {"nodes": nodes})
    assert pack == {
        "name": "fancy",
        "repository": "https://registry.comfy.org/nodes/fancy",
        "version": "",
        "classes": {"Fancy": {}},
    }
    assert draft_packs(load("sd15_t2i").graph, recorded(), {"nodes": "no"}) == []


def test_a_class_in_a_form_that_no_server_writes_is_refused_at_its_pack() -> None:
    template = load("wan_svi")
    document = copy.deepcopy(template.document)
    document["packs"][0]["classes"] = {"Odd": {"input": 5}}
    with pytest.raises(Exception, match=r"manifest\.packs\[0\]\.classes: 'Odd' is described in a form"):
        template_from(template.graph, document)
