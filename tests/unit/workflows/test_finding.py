"""What a graph can be told, found by type and links; measured on ComfyUI's own templates."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pytest

from tests.unit.workflows.corpus import DATA, graphs, object_info, searched
from workflows.catalogue import with_packs
from workflows.finding import Candidate, Found, find
from workflows.graph import Graph
from workflows.load import Template, all_templates, load
from workflows.manifest import Target


@cache
def by_hand() -> dict[str, dict[str, Any]]:
    """The true roles of ninety-six templates."""
    table: dict[str, dict[str, Any]] = json.loads((DATA / "workflows" / "roles_by_hand.json").read_text())
    return table


def written(target: Target) -> str:
    share = f" x {target.times:g}" if target.times != 1 else ""
    return f"{target.node}.{target.input}{share}{' (link)' if target.replaces_link else ''}"


def places(candidate: Candidate | None) -> list[str]:
    return [written(target) for target in candidate.targets] if candidate else []


def in_graph(graph: Graph) -> Found:
    return find(graph, object_info())


def in_template(template: Template) -> Found:
    """With the custom classes that the template itself declares."""
    return find(template.graph, with_packs(object_info(), template.manifest))


@pytest.mark.parametrize("name", sorted(by_hand()))
def test_the_roles_of_a_template_are_those_a_person_reads_off_it(name: str) -> None:
    expected, found = by_hand()[name], in_graph(graphs()[name])

    assert {one.role: places(one) for one in found} == expected["roles"]
    assert found.outputs[0].node == expected["primary"]
    assert [
        " ".join(
            [
                "{}.{}".format(*place.model),
                *(["clip {}.{}".format(*place.clip)] if place.clip else []),
                *([place.expert] if place.expert else []),
            ]
        )
        for place in found.loras
    ] == expected["loras"]


def test_every_template_of_the_package_is_searched_and_what_is_found_is_there() -> None:
    for name, found in searched().items():
        graph = graphs()[name]
        for candidate in found:
            for target in candidate.targets:
                assert target.input in graph[target.node]["inputs"], (name, candidate.role)
            assert candidate.why.endswith("."), name
        roles = [candidate.role for candidate in found]
        assert len(roles) == len(set(roles)), name


def test_titles_mean_nothing() -> None:
    graph = copy.deepcopy(graphs()["default"])
    graph["6"]["_meta"] = {"title": "Negative prompt"}
    graph["7"]["_meta"] = {"title": "Positive prompt"}

    assert places(in_graph(graph).candidate("positive")) == ["6.text"]
    assert places(in_graph(graph).candidate("negative")) == ["7.text"]


_SLATE = "the picture is the slate that the farm draws, laid on a ground larger by its margin"
_OF_A_LORA = "this template's strength is that of its LoRA"
_STYLE = "the first picture is restyled, the second gives the style; the prompt that says so stays as it is"
KNOWN_BETTER: dict[str, dict[str, str]] = {
    "plain_slate": dict.fromkeys(("width", "height", "reference"), _SLATE),
    "inpaint": {
        "strength": "what is painted new is decided by denoise, not by the control of its surroundings"
    },
    "telestyle": {**dict.fromkeys(("first_frame", "reference"), _STYLE), "strength": _OF_A_LORA},
    "wan_svi": {"strength": _OF_A_LORA},
    "kling_i2v": {
        "model": "the service's versions are choices, no files",
        "frames": "the service counts in seconds",
    },
}
"""Template → role → why its manifest knows better than the graph tells."""


@pytest.mark.parametrize("template", all_templates(), ids=lambda template: template.slug)
def test_shipped_templates_bind_what_is_found_in_them(template: Template) -> None:
    bindings = template.manifest.bindings
    known = KNOWN_BETTER.get(template.slug, {})
    for candidate in in_template(template):
        if candidate.role in bindings and candidate.role not in known:
            bound = {(target.node, target.input) for target in bindings[candidate.role].targets}
            said = f"{candidate.role} of {template.slug}: mend one of them, or say in KNOWN_BETTER why"
            assert {(target.node, target.input) for target in candidate.targets} == bound, said


@pytest.mark.parametrize("template", all_templates(), ids=lambda template: template.slug)
def test_every_role_of_a_shipped_template_is_found_but_for_what_the_farm_alone_knows(
    template: Template,
) -> None:
    found = {candidate.role for candidate in in_template(template)}
    known = {*KNOWN_BETTER.get(template.slug, {}), "precision", "color", "slate_image", "pictures", "latent"}

    assert template.manifest.bindings.keys() - known <= found


def test_places_for_loras_are_those_of_the_shipped_manifests() -> None:
    for template in all_templates():
        found = [(place.model, place.clip, place.expert) for place in in_template(template).loras]
        if template.manifest.loras:
            shipped = [(place.model, place.clip, place.expert) for place in template.manifest.loras]
            assert found == shipped, template.slug


def test_of_two_samplers_the_one_that_leads_to_the_primary_output_gives_the_prompt() -> None:
    graph = copy.deepcopy(graphs()["default"])
    graph["20"] = {"class_type": "CLIPTextEncode", "inputs": {"text": "another", "clip": ["4", 1]}}
    graph["21"] = copy.deepcopy(graph["3"])
    graph["21"]["inputs"]["positive"] = ["20", 0]
    found = in_graph(graph)

    assert places(found.candidate("positive")) == ["6.text"]
    assert [(sampler.node, sampler.positive) for sampler in found.samplers] == [
        ("3", (("6", "text"),)),
        ("21", (("20", "text"),)),
    ]


def test_stages_with_texts_of_their_own_are_left_for_a_person_to_decide() -> None:
    positive = in_graph(graphs()["sdxl_refiner_prompt_example"]).candidate("positive")

    assert positive is not None
    assert not positive.sure
    assert [places(other) for other in positive.alternatives] == [["15.text"]]


def test_a_prompt_that_comes_by_link_is_bound_where_it_is_written() -> None:
    graph = copy.deepcopy(graphs()["default"])
    graph["20"] = {"class_type": "PrimitiveStringMultiline", "inputs": {"value": "a fox"}}
    graph["6"]["inputs"]["text"] = ["20", 0]

    assert places(in_graph(graph).candidate("positive")) == ["20.value"]


def test_of_a_joined_prompt_every_part_is_offered() -> None:
    graph = copy.deepcopy(graphs()["default"])
    graph["20"] = {"class_type": "PrimitiveStringMultiline", "inputs": {"value": "a fox"}}
    graph["21"] = {
        "class_type": "StringConcatenate",
        "inputs": {"string_a": "masterpiece", "string_b": ["20", 0], "delimiter": ", "},
    }
    graph["6"]["inputs"]["text"] = ["21", 0]
    positive = in_graph(graph).candidate("positive")

    assert positive is not None
    assert not positive.sure
    assert places(positive) == ["20.value"]
    assert [places(other) for other in positive.alternatives] == [["21.string_a"], ["6.text (link)"]]


def test_the_seed_is_written_only_where_noise_is_added() -> None:
    assert places(in_graph(load("wan22_i2v").graph).candidate("seed")) == ["11.noise_seed"]


def test_a_negative_text_that_is_zeroed_is_no_role_and_that_is_said() -> None:
    found = in_graph(graphs()["flux_dev_full_text_to_image"])

    assert found.candidate("negative") is None
    assert any(note.code == "negative_zeroed" for note in found.notes)


def test_a_size_that_follows_a_picture_is_no_role_and_that_is_said() -> None:
    found = in_graph(graphs()["image_flux2_klein_image_edit_9b_base"])

    assert found.candidate("width") is None
    assert any(note.code == "size_follows" for note in found.notes)


def test_a_picture_nobody_takes_is_no_role_and_that_is_said() -> None:
    found = in_graph(graphs()["image_flux2_klein_image_edit_9b_base"])

    assert found.candidate("reference_2") is None
    assert [str(note) for note in found.notes if note.code == "file_untaken"] == [
        "Node 81 (LoadImage) reads a file that nobody takes."
    ]


def test_the_branch_that_a_switch_leaves_out_has_no_say() -> None:
    """Qwen's edit graph samples in 4 steps with a LoRA, in 20 without it."""
    graph = copy.deepcopy(graphs()["image_qwen_image_edit_2509"])
    assert places(in_graph(graph).candidate("steps")) == ["433:436.value"]

    graph["433:443"]["inputs"]["value"] = False
    assert places(in_graph(graph).candidate("steps")) == ["433:438.value"]


def test_a_number_that_a_node_hands_on_is_bound_where_it_is_written() -> None:
    """The camera's node takes width, height and length, and gives them to the one that makes the clip."""
    found = in_graph(graphs()["video_wan2_2_14B_fun_camera"])

    assert [places(found.candidate(role)) for role in ("width", "frames")] == [["108.width"], ["108.length"]]


def test_an_instruction_to_a_language_model_is_not_the_prompt_beside_it() -> None:
    positive = in_graph(graphs()["image_netayume_lumina_t2i"]).candidate("positive")

    assert places(positive) == ["48:51.value"]


def test_loras_that_are_loaded_already_are_named_at_their_place() -> None:
    (place,) = in_graph(graphs()["video_ltx2_i2v"]).loras

    assert (place.model, place.existing) == (("92:1", 0), ("92:68",))


def test_model_files_are_named_with_folder_and_precision() -> None:
    found = in_graph(load("wan22_i2v").graph)

    assert [(model.folder, model.precision) for model in found.models] == [
        ("diffusion_models", "fp8"),
        ("diffusion_models", "fp8"),
        ("text_encoders", "fp8"),
        ("vae", ""),
    ]


def test_custom_classes_are_judged_by_the_names_of_their_inputs_and_never_sure() -> None:
    graph: Graph = {
        "1": {"class_type": "MagicLoader", "inputs": {"model": "m.safetensors"}},
        "2": {"class_type": "MagicText", "inputs": {"prompt": "a fox", "clip": ["1", 1]}},
        "3": {
            "class_type": "MagicSampler",
            "inputs": {"model": ["1", 0], "positive": ["2", 0], "negative": ["2", 1], "seed": 1, "steps": 4},
        },
        "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "x"}},
    }
    found = in_graph(graph)

    assert places(found.candidate("positive")) == ["2.prompt"]
    assert places(found.candidate("seed")) == ["3.seed"]
    assert not any(one.sure for one in found if one.role in ("positive", "seed", "steps"))
    assert sum(note.code == "unknown_class" for note in found.notes) == 3


def test_circles_and_links_to_nothing_are_searched_like_any_graph() -> None:
    graph = copy.deepcopy(graphs()["default"])
    graph["3"]["inputs"]["latent_image"] = ["8", 0]
    graph["8"]["inputs"]["samples"] = ["3", 0]
    graph["6"]["inputs"]["clip"] = ["99", 7]

    assert places(in_graph(graph).candidate("positive")) == ["6.text"]


def with_nodes(**more: dict[str, Any]) -> Graph:
    """The default graph of Stable Diffusion 1.5, with nodes of packs that the catalogue lacks."""
    graph = copy.deepcopy(graphs()["default"])
    for node, body in more.items():
        graph[node.lstrip("_")] = body
    return graph


def test_a_loader_of_a_pack_that_encodes_both_texts_gives_each_side_its_own() -> None:
    loader = {
        "ckpt_name": "sd_xl_base_1.0.safetensors",
        "UNKNOWN": "fixed",
        "positive": "cat",
        "negative": "dog",
    }
    graph = with_nodes(_20={"class_type": "Efficient Loader", "inputs": loader})
    graph["3"]["inputs"] |= {"model": ["20", 0], "positive": ["20", 1], "negative": ["20", 2]}
    found = in_graph(graph)

    assert places(found.candidate("positive")) == ["20.positive"]
    assert places(found.candidate("negative")) == ["20.negative"]
    assert places(found.candidate("model")) == ["20.ckpt_name"]


def test_loras_go_before_the_node_of_a_pack_that_alters_the_model() -> None:
    graph = with_nodes(
        _20={"class_type": "IPAdapterUnifiedLoader", "inputs": {"preset": "PLUS", "model": ["4", 0]}},
        _21={
            "class_type": "IPAdapter",
            "inputs": {"weight": 0.8, "model": ["20", 0], "ipadapter": ["20", 1]},
        },
    )
    graph["3"]["inputs"]["model"] = ["21", 0]
    (place,) = in_graph(graph).loras

    assert (place.model, place.clip) == (("4", 0), ("4", 1))
