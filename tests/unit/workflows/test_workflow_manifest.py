"""Reading manifests, and checking that they fit their graphs."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from workflows.errors import TemplateInvalid
from workflows.load import load, template_from
from workflows.parse import parse
from workflows.validate import check_manifest

Document = dict[str, Any]


def _codes(graph: Document, document: Document) -> set[str]:
    return {problem.code for problem in check_manifest(template_from(graph, document))}


def test_a_small_manifest_is_read(document: Document) -> None:
    manifest = parse(document)
    assert manifest.bindings["width"].maximum == 512
    assert manifest.required_roles == ()
    assert manifest.precisions == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda d: d.update(manifest=2), r"manifest\.manifest: 2 .* version 1"),
        (lambda d: d.pop("slug"), r"manifest\.slug: None is not a text"),
        (lambda d: d["title"].pop("ko"), r"manifest\.title\.ko"),
        (lambda d: d.update(kind="film"), r"'film' is not known; choose one of keyframe"),
        (lambda d: d.update(licence="MIT"), r"manifest\.licence: 'MIT' is a field nobody reads"),
        (lambda d: d["bindings"].update(mood={"type": "text"}), r"manifest\.bindings\.mood.* unknown role"),
        (lambda d: d["bindings"]["width"].update(type="text"), r"bindings\.width\.type: 'text'"),
        (
            lambda d: d["bindings"]["width"].update(targets=[]),
            r"bindings\.width\.targets: \[\] binds nothing",
        ),
        (lambda d: d["bindings"]["width"].update(targets=["1"]), r"targets\[0\]: '1' is not a JSON object"),
        (lambda d: d["bindings"]["width"].update(min=True), r"bindings\.width\.min: True is not a number"),
        (lambda d: d.update(defaults={"width": None}), r"manifest\.defaults.*width"),
        (
            lambda d: d.update(timeouts={"execution_s": 0, "hang_s": 1}),
            r"timeouts\.execution_s: 0 does not fit",
        ),
        (lambda d: d.update(outputs={}), r"manifest\.outputs: \{\} is not a list"),
        (
            lambda d: d.update(frame_rule={"multiple": 4, "plus": 1, "min": 5, "max": 81}),
            r"frame_rule.*frames",
        ),
    ],
)
def test_a_broken_manifest_names_the_field_the_value_and_the_remedy(
    document: Document, change: Callable[[Document], None], named: str
) -> None:
    change(document)
    with pytest.raises(TemplateInvalid, match=named):
        parse(document)


def test_a_manifest_that_fits_has_no_problems(graph: Document, document: Document) -> None:
    assert _codes(graph, document) == set()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d["bindings"]["width"]["targets"][0].update(node="9"), "unknown_node"),
        (lambda d: d["bindings"]["width"]["targets"][0].update(input="depth"), "unknown_input"),
        (lambda d: d["bindings"]["width"]["targets"][0].update(node="2", input="image"), "replaces_link"),
        (lambda d: d["bindings"].update(height=d["bindings"]["width"]), "shared_target"),
        (lambda d: d["defaults"].update(width=12), "bad_default"),
        (lambda d: d["defaults"].update(steps=12), "unbound_default"),
        (lambda d: d.update(outputs=[]), "primary_output"),
        (lambda d: d["outputs"][0].update(node="9"), "unknown_node"),
        (lambda d: d["outputs"][0].update(node="2"), "not_an_output"),
        (lambda d: d.update(produces="video", outputs=[{**d["outputs"][0], "kind": "video"}]), "output_kind"),
        (lambda d: d["bindings"].pop("filename_prefix"), "unnamed_output"),
        (lambda d: d.update(kind="slate"), "slate"),
        (lambda d: d.update(follows={"role": "video"}), "follows"),
        (
            lambda d: d.update(models=[{"folder": "vae", "name": "a.pt", "node": "1", "input": "width"}]),
            "model_differs",
        ),
    ],
)
def test_a_manifest_that_does_not_fit_its_graph_is_found(
    graph: Document, document: Document, change: Callable[[Document], None], code: str
) -> None:
    change(document)
    assert code in _codes(graph, document)


def test_a_link_may_be_replaced_when_the_manifest_means_it(graph: Document, document: Document) -> None:
    target = {"node": "2", "input": "image", "replaces_link": True}
    document["bindings"]["reference"] = {"type": "file", "targets": [target]}
    assert "replaces_link" not in _codes(graph, document)


def test_positive_and_negative_in_one_input_are_found() -> None:
    shipped = load("flux_t2i")
    document = copy.deepcopy(shipped.document)
    document["bindings"]["negative"]["targets"] = document["bindings"]["positive"]["targets"]
    (problem,) = [
        p for p in check_manifest(template_from(shipped.graph, document)) if p.code == "shared_target"
    ]
    assert problem.message == "Roles 'positive' and 'negative' both write 'text' of node 4."


def test_a_picture_that_no_role_uploads_is_found(graph: Document, document: Document) -> None:
    graph["4"] = {"class_type": "LoadImage", "inputs": {"image": "forgotten.png"}}
    assert _codes(graph, document) == {"unbound_file"}


def test_a_model_that_the_manifest_forgets_is_found(graph: Document, document: Document) -> None:
    graph["4"] = {"class_type": "VAELoader", "inputs": {"vae_name": "ae.safetensors"}}
    assert _codes(graph, document) == {"undeclared_model"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d["vram"].reverse(), "vram_order"),
        (lambda d: d.update(vram=[]), "no_vram"),
        (lambda d: d["bindings"].pop("precision"), "no_precision"),
        (lambda d: d["defaults"].update(width=1280, height=1280), "default_uncovered"),
        (lambda d: d["defaults"].update(frames=80), "bad_default"),
        (lambda d: d["bindings"]["precision"].update(choices=["bf16"]), "no_vram"),
    ],
)
def test_figures_that_do_not_hold_are_found(change: Callable[[Document], None], code: str) -> None:
    shipped = load("wan22_i2v")
    document = copy.deepcopy(shipped.document)
    change(document)
    assert code in _codes(shipped.graph, document)


def test_a_choice_that_a_target_does_not_translate_is_found() -> None:
    shipped = load("flux_t2i")
    document = copy.deepcopy(shipped.document)
    document["bindings"]["precision"]["choices"].append("gguf_q4")
    assert "choices_differ" in _codes(shipped.graph, document)
