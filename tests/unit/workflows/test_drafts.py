"""Drafts of manifests: they parse, they fit their graph, and they leave open what nobody can know."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.workflows.corpus import graphs, object_info, searched
from workflows.bind import bind, models_needed
from workflows.finding import draft_manifest, find
from workflows.finding.draft import open_questions
from workflows.load import load, template_from
from workflows.loras import Lora, insert_loras
from workflows.validate import check_graph, check_manifest, without_missing_models

TITLE = {"en": "A draft", "ko": "초안"}


def drafted(name: str, **more: Any) -> dict[str, Any]:
    return draft_manifest(graphs()[name], object_info(), searched()[name], slug="draft", title=TITLE, **more)


def test_every_template_gets_a_draft_that_parses_and_lacks_only_what_a_person_must_say() -> None:
    for name, graph in graphs().items():
        template = template_from(graph, drafted(name))
        codes = {problem.code for problem in check_manifest(template, object_info())}
        assert codes <= {"no_vram", "primary_output", "unbound_file", "not_api_format"}, name


def test_without_a_figure_for_memory_a_draft_is_not_passed() -> None:
    draft = drafted("default")

    assert draft["vram"] == []
    assert [p.code for p in check_manifest(template_from(graphs()["default"], draft), object_info())] == [
        "no_vram"
    ]
    assert open_questions(draft)[0].startswith("How much VRAM")


def test_sizes_of_all_model_files_give_an_estimate_that_is_marked_as_one() -> None:
    draft = drafted("default", model_bytes={"v1-5-pruned-emaonly-fp16.safetensors": 2_100_000_000})
    (row,) = draft["vram"]

    assert (row["gb"], row["source_kind"], row["max_pixels"]) == (2.5, "estimate", 512 * 512)
    assert check_manifest(template_from(graphs()["default"], draft), object_info()) == []
    assert "The VRAM figure is an estimate from the sizes of the model files." in open_questions(draft)


def test_a_size_of_one_file_alone_gives_no_estimate() -> None:
    assert drafted("video_wan2_2_14B_flf2v", model_bytes={"wan_2.1_vae.safetensors": 1})["vram"] == []


@pytest.mark.parametrize(
    ("name", "rule", "fps"),
    [
        ("video_wan2_2_14B_flf2v", {"multiple": 4, "plus": 1, "min": 1, "max": 81}, 16),
        ("ltxv_image_to_video", {"multiple": 8, "plus": 1, "min": 9, "max": 97}, 24),
        ("video_hunyuan_video_1.5_720p_i2v", {"multiple": 4, "plus": 1, "min": 1, "max": 121}, 24),
        ("txt_to_image_to_video", {"multiple": 1, "plus": 0, "min": 1, "max": 25}, 10),
    ],
)
def test_the_frame_rule_is_read_off_the_length_input(name: str, rule: dict[str, int], fps: float) -> None:
    draft = drafted(name)

    assert draft["frame_rule"] == rule
    assert draft["native_fps"] == fps
    assert draft["defaults"]["frames"] == rule["max"]


def test_defaults_are_the_graphs_own_and_limits_the_catalogues() -> None:
    draft = drafted("default")

    assert draft["defaults"] == {
        "negative": "text, watermark",
        "width": 512,
        "height": 512,
        "steps": 20,
        "cfg": 8.0,
        "precision": "fp16",
    }
    assert draft["bindings"]["steps"] == {
        "type": "int",
        "min": 1,
        "max": 10000,
        "targets": [{"node": "3", "input": "steps"}],
    }
    assert draft["bindings"]["seed"]["max"] == 2**53 - 1
    assert (draft["dim_step"], draft["base_model"], draft["kind"]) == (8, "sd15", "keyframe")


def test_limits_of_a_number_that_comes_by_link_are_those_of_its_taker() -> None:
    steps = drafted("image_qwen_Image_2512")["bindings"]["steps"]

    assert (steps["targets"], steps["min"], steps["max"]) == (
        [{"node": "238:224", "input": "value"}],
        1,
        10000,
    )


def test_a_negative_prompt_at_cfg_1_has_no_effect() -> None:
    assert drafted("video_wan_vace_14B_v2v")["negative_effect"] is False
    assert drafted("default")["negative_effect"] is True


def test_a_graph_of_a_service_needs_a_key_and_no_memory() -> None:
    draft = drafted("api_kling_i2v")

    assert draft["remote"] == {"service": "Kling", "key": "comfy.org"}
    assert check_manifest(template_from(graphs()["api_kling_i2v"], draft), object_info()) == []


def test_a_clip_made_of_a_clip_follows_it() -> None:
    assert drafted("utility_video_frame_interpolation")["follows"] == {"role": "video"}


def test_a_drafted_template_binds_a_shot_into_a_graph_that_a_server_takes() -> None:
    template = template_from(graphs()["video_wan2_2_14B_i2v"], drafted("video_wan2_2_14B_i2v"))
    bound = bind(
        template,
        {"positive": "a fox runs", "first_frame": "a.png", "seed": 7, "frames": 49, "steps": 10},
        filename_prefix="x",
    )

    assert bound.graph["129:93"]["inputs"]["text"] == "a fox runs"
    assert bound.graph["129:98"]["inputs"]["length"] == 49
    assert bound.graph["129:127"]["inputs"]["value"] == 5  # where the first stage ends
    assert without_missing_models(check_graph(bound.graph, object_info())) == []


def test_the_shipped_clip_drafted_anew_binds_the_same_inputs() -> None:
    template = load("wan22_i2v")
    found = find(template.graph, object_info())
    draft = draft_manifest(template.graph, object_info(), found, slug="again", title=TITLE)

    del draft["bindings"]["precision"]  # a graph has one; that the files come in others, a person knows
    for role, binding in draft["bindings"].items():
        assert {(t["node"], t["input"], t.get("times", 1)) for t in binding["targets"]} == {
            (t.node, t.input, t.times) for t in template.manifest.bindings[role].targets
        }
    assert draft["loras"] == template.document["loras"]
    own = models_needed(template, str(template.manifest.defaults["precision"]))
    assert {(m["folder"], m["name"]) for m in draft["models"]} == {(m.folder, m.name) for m in own}


@pytest.mark.parametrize(
    ("name", "places"),
    [
        ("sdxl_refiner_prompt_example", [["4", 0]]),
        ("txt_to_image_to_video", [["16", 0]]),
        ("sd3.5_large_depth", [["4", 0]]),
        ("video_wan2_2_14B_t2v", [["128:75", 0], ["128:76", 0]]),
        (
            "templates_mjm_looped_restyler",
            [["89:73:59", 0], ["89:91:47", 0], ["89:73:60", 0], ["89:91:48", 0]],
        ),
    ],
)
def test_a_draft_loads_loras_into_models_of_their_own_family_only(name: str, places: list[list[Any]]) -> None:
    assert [place["model"] for place in drafted(name)["loras"]] == places


def test_a_lora_of_one_expert_goes_to_every_node_that_loads_its_file() -> None:
    draft = drafted("templates_mjm_looped_restyler")
    template = template_from(graphs()["templates_mjm_looped_restyler"], draft)
    hero = Lora("hero_high.safetensors", 0.8, "high")
    graph = insert_loras(template.graph, template.manifest.loras, [hero])
    before = {
        graph[loader["inputs"]["model"][0]]["inputs"]["unet_name"]
        for loader in graph.values()
        if loader["inputs"].get("lora_name") == hero.file
    }

    assert len(graph) == len(template.graph) + 2
    assert before == {"wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors"}
    assert "lora_expert" not in {problem.code for problem in check_manifest(template, object_info())}


def test_a_file_that_no_output_needs_is_asked_of_nobody() -> None:
    graph = graphs()["video_bernini_r_video_editing"]
    draft = drafted("video_bernini_r_video_editing")

    assert "reference" not in draft["bindings"]
    problems = check_manifest(template_from(graph, draft), object_info())
    assert "unbound_file" not in {problem.code for problem in problems}
