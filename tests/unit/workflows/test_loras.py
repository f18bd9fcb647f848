"""LoRA loaders in the shipped graphs: where they stand, what they change, what they leave alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from workflows import validate
from workflows.bind import BoundGraph, bind
from workflows.catalogue import ObjectInfo
from workflows.errors import TemplateInvalid, ValueRefused
from workflows.graph import Graph
from workflows.load import Template, load, template_from
from workflows.loras import MODEL_ONLY, WITH_CLIP, Lora, insert_loras, loader_classes
from workflows.manifest import LoraPlace, Value

GERDA = Lora("characters/gerda.safetensors", 0.8)
KAY = Lora("characters/kay.safetensors", 0.65)
LOADERS = (WITH_CLIP, MODEL_ONLY)


def bound(template: Template, *loras: Lora) -> BoundGraph:
    given: dict[str, Value] = {"positive": "gerda_v2 on the ice", "seed": 7, "first_frame": "a.png"}
    values = {role: given[role] for role in template.manifest.required_roles}
    return bind(template, values, filename_prefix="farm/a1", loras=loras)


def loaders(graph: Graph) -> list[tuple[str, float]]:
    return [
        (node["inputs"]["lora_name"], node["inputs"]["strength_model"])
        for node in graph.values()
        if node["class_type"] in LOADERS
    ]


def way_back(graph: Graph, node: str, name: str) -> list[str]:
    """The classes a sampler's model (or an encoder's CLIP) comes through, down to the loader."""
    classes: list[str] = []
    link = graph[node]["inputs"][name]
    while True:
        source = graph[link[0]]
        classes.append(source["class_type"])
        if name not in source["inputs"]:
            return classes
        link = source["inputs"][name]


def test_sd15_loads_both_loras_between_checkpoint_and_whoever_took_its_model_and_clip() -> None:
    graph = bound(load("sd15_t2i"), GERDA, KAY).graph
    assert loaders(graph) == [("characters/gerda.safetensors", 0.8), ("characters/kay.safetensors", 0.65)]
    for node, name in (("5", "model"), ("2", "clip"), ("3", "clip")):
        assert way_back(graph, node, name) == [WITH_CLIP, WITH_CLIP, "CheckpointLoaderSimple"]
    assert graph["6"]["inputs"]["vae"] == ["1", 2], "the VAE is nobody's business"
    assert {
        node["inputs"]["strength_clip"] for node in graph.values() if "strength_clip" in node["inputs"]
    } == {
        0.8,
        0.65,
    }


def test_the_first_named_stands_next_to_the_checkpoint() -> None:
    graph = bound(load("sd15_t2i"), GERDA, KAY).graph
    first = next(key for key, node in graph.items() if node["inputs"].get("lora_name") == GERDA.file)
    assert graph[first]["inputs"]["model"] == ["1", 0]
    assert graph[first]["inputs"]["clip"] == ["1", 1]


def test_a_file_for_all_experts_and_for_one_is_loaded_once_into_each() -> None:
    both = (Lora(GERDA.file, 0.8), Lora(GERDA.file, 0.5, "high"))
    assert loaders(bound(load("wan22_i2v"), *both).graph) == [(GERDA.file, 0.8), (GERDA.file, 0.8)]
    assert sorted(loaders(bound(load("wan22_i2v"), *reversed(both)).graph)) == [
        (GERDA.file, 0.5),
        (GERDA.file, 0.8),
    ]


def test_flux_loads_a_lora_into_the_model_only() -> None:
    graph = bound(load("flux_t2i"), GERDA).graph
    assert way_back(graph, "8", "model") == [MODEL_ONLY, "UNETLoader"]
    assert way_back(graph, "4", "clip") == ["DualCLIPLoader"]


def test_wan_loads_a_lora_into_both_experts_before_their_sampling_shift() -> None:
    graph = bound(load("wan22_i2v"), GERDA).graph
    for sampler, unet in (("11", "1"), ("12", "2")):
        assert way_back(graph, sampler, "model") == ["ModelSamplingSD3", MODEL_ONLY, "UNETLoader"]
        shift = graph[sampler]["inputs"]["model"][0]
        lora = graph[shift]["inputs"]["model"][0]
        assert graph[lora]["inputs"]["model"] == [unet, 0]


def test_a_pair_of_wan_files_goes_each_to_its_expert() -> None:
    pair = (Lora("gerda_high.safetensors", 0.9, "high"), Lora("gerda_low.safetensors", 0.7, "low"))
    graph = bound(load("wan22_i2v"), *pair).graph
    by_source = {
        node["inputs"]["model"][0]: (node["inputs"]["lora_name"], node["inputs"]["strength_model"])
        for node in graph.values()
        if node["class_type"] == MODEL_ONLY
    }
    assert by_source == {"1": ("gerda_high.safetensors", 0.9), "2": ("gerda_low.safetensors", 0.7)}


@pytest.mark.parametrize("slug", ["flux_t2i", "sd15_t2i", "wan22_i2v"])
def test_each_patched_graph_is_valid_for_comfyui_0_27(slug: str, object_info: ObjectInfo) -> None:
    template = load(slug)
    graph = bound(template, GERDA, KAY).graph
    problems = validate.check_graph(graph, object_info)
    assert validate.without_missing_models(problems) == []
    assert {p.input for p in problems} >= {"lora_name"}, "the catalogue has no such file"
    assert {node["class_type"] for node in graph.values()} >= set(loader_classes(template.manifest))


@pytest.mark.parametrize("slug", ["flux_t2i", "plain_slate", "sd15_t2i", "wan22_i2v"])
def test_without_loras_nothing_changes(slug: str) -> None:
    template = load(slug)
    assert insert_loras(template.graph, template.manifest.loras, ()) == template.graph


@pytest.mark.parametrize("slug", ["flux_t2i", "sd15_t2i", "wan22_i2v"])
def test_inserting_leaves_every_other_input_and_the_template_itself_alone(slug: str) -> None:
    template = load(slug)
    before = copy.deepcopy(template.graph)
    graph = insert_loras(template.graph, template.manifest.loras, (GERDA, KAY))
    assert template.graph == before
    for node, was in before.items():
        changed = {name for name, value in was["inputs"].items() if graph[node]["inputs"][name] != value}
        assert changed <= {"model", "clip"}


def test_the_same_cast_gives_the_same_bytes() -> None:
    assert bound(load("wan22_i2v"), GERDA, KAY) == bound(load("wan22_i2v"), GERDA, KAY)


def test_fresh_ids_collide_with_none_of_a_subgraph_either() -> None:
    graph: dict[str, Any] = {
        "4:98": {"class_type": "UNETLoader", "inputs": {"unet_name": "a.sft", "weight_dtype": "default"}},
        "7": {"class_type": "ModelSamplingSD3", "inputs": {"model": ["4:98", 0], "shift": 3.0}},
    }
    patched = insert_loras(graph, [LoraPlace(("4:98", 0))], (GERDA, KAY))
    assert sorted(patched) == ["100", "4:98", "7", "99"]
    assert patched["7"]["inputs"]["model"] == ["100", 0]


@pytest.mark.parametrize("weight", [4.01, -5, 80, float("nan"), float("inf")])
def test_a_weight_that_is_a_typing_error_is_refused_with_the_file(weight: float) -> None:
    with pytest.raises(ValueRefused, match=r"weight of characters/gerda\.safetensors: .* from -4 to 4"):
        bound(load("sd15_t2i"), Lora(GERDA.file, weight))


@pytest.mark.parametrize("file", ["", "a\nb.safetensors", "a\x00.safetensors"])
def test_a_name_no_file_can_have_is_refused(file: str) -> None:
    with pytest.raises(ValueRefused, match="is no file; name it as ComfyUI lists it"):
        bound(load("sd15_t2i"), Lora(file, 0.8))


def test_a_lora_for_an_expert_the_template_lacks_is_refused() -> None:
    with pytest.raises(ValueRefused, match=r"expert of gerda_high.*'high' has no place.*none"):
        bound(load("flux_t2i"), Lora("gerda_high.safetensors", 0.8, "high"))
    with pytest.raises(ValueRefused, match="no place"):
        bind(
            load("plain_slate"),
            {"slate_image": "s.png"},
            filename_prefix="farm/a1",
            loras=(GERDA,),
        )


def _codes(slug: str, object_info: ObjectInfo, **changes: Any) -> set[str]:
    shipped = load(slug)
    template = template_from(shipped.graph, {**shipped.document, **changes})
    return {problem.code for problem in validate.check_manifest(template, object_info)}


@pytest.mark.parametrize(
    ("slug", "changes", "code"),
    [
        ("sd15_t2i", {"loras": [{"model": ["99", 0]}]}, "unknown_node"),
        ("sd15_t2i", {"loras": [{"model": ["1", 2]}]}, "return_type_mismatch"),
        ("sd15_t2i", {"loras": [{"model": ["1", 9]}]}, "return_type_mismatch"),
        ("sd15_t2i", {"loras": [{"model": ["1", 0], "clip": ["1", 0]}]}, "lora_shared"),
        ("sd15_t2i", {"base_model": None}, "lora_base"),
        ("wan22_i2v", {"loras": [{"model": ["9", 0]}]}, "lora_late"),
        ("wan22_i2v", {"loras": [{"model": ["15", 0]}]}, "lora_untaken"),
        ("wan22_i2v", {"loras": [{"model": ["1", 0]}, {"model": ["2", 0]}]}, "lora_expert"),
    ],
)
def test_a_wrong_place_for_loras_is_found(
    slug: str, changes: dict[str, Any], code: str, object_info: ObjectInfo
) -> None:
    assert code in _codes(slug, object_info, **changes)


@pytest.mark.parametrize("output", [None, "1", ["1"], ["1", -1], [1, 0], ["1", True]])
def test_an_output_that_is_none_is_refused_by_its_field(output: object) -> None:
    shipped = load("sd15_t2i")
    with pytest.raises(TemplateInvalid, match=r"manifest\.loras\[0\]\.model: .* is not an output of a node"):
        template_from(shipped.graph, {**shipped.document, "loras": [{"model": output}]})
