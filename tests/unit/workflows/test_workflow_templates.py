"""The templates that ship with the farm."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from workflows import validate
from workflows.bind import bind, classes_needed, models_needed
from workflows.catalogue import ObjectInfo
from workflows.errors import TemplateInvalid, TemplateNotFound
from workflows.graph import linked_node
from workflows.load import Template, all_templates, canonical_json, load, slugs, template_from
from workflows.manifest import Value

SHIPPED = slugs()


@pytest.fixture(params=SHIPPED)
def template(request: pytest.FixtureRequest) -> Template:
    return load(str(request.param))


def test_the_library_holds_the_four_templates() -> None:
    assert [t.slug for t in all_templates()] == ["flux_t2i", "plain_slate", "sd15_t2i", "wan22_i2v"]


def test_each_graph_is_valid_for_comfyui_0_27_but_for_absent_model_files(
    template: Template, object_info: ObjectInfo
) -> None:
    problems = validate.check_graph(template.graph, object_info)
    assert validate.without_missing_models(problems) == []
    assert {(p.node, p.input) for p in problems} == {(m.node, m.input) for m in models_needed(template)}


def test_each_manifest_fits_its_graph(template: Template, object_info: ObjectInfo) -> None:
    assert validate.check_manifest(template) == []
    assert validate.check_manifest(template, object_info) == []


def test_each_bound_graph_is_valid_too(template: Template, object_info: ObjectInfo) -> None:
    given: dict[str, Value] = {
        "positive": "a lighthouse",
        "seed": 7,
        "first_frame": "a.png",
        "slate_image": "s.png",
    }
    values = {role: given[role] for role in template.manifest.required_roles}
    bound = bind(template, values, filename_prefix="farm/a1")
    assert validate.without_missing_models(validate.check_graph(bound.graph, object_info)) == []


@pytest.mark.parametrize("slug", ["flux_t2i", "sd15_t2i", "wan22_i2v"])
def test_positive_and_negative_reach_the_sampler_by_encoders_of_their_own(slug: str) -> None:
    template = load(slug)
    bindings = template.manifest.bindings
    encoders = {role: {t.node for t in bindings[role].targets} for role in ("positive", "negative")}
    samplers = [node["inputs"] for node in template.graph.values() if "Sampler" in node["class_type"][:8]]
    assert samplers
    for sampler in samplers:
        for role, other in (("positive", "negative"), ("negative", "positive")):
            reached = _upstream(template, sampler[role], via=role)
            assert encoders[role] & reached
            assert not encoders[other] & reached


def _upstream(template: Template, link: list[object], *, via: str) -> set[str]:
    """The nodes a link comes from, following one side where a node has a positive and a negative side."""
    found: set[str] = set()
    waiting = [link]
    while waiting:
        node = linked_node(waiting.pop())
        assert node is not None
        found.add(node)
        inputs = template.graph[node]["inputs"]
        waiting += [inputs[via]] if via in inputs else [v for v in inputs.values() if isinstance(v, list)]
    return found


def test_each_template_has_korean_and_english_titles(template: Template) -> None:
    assert set(template.manifest.title) == set(template.manifest.description) == {"en", "ko"}


def test_the_slate_needs_core_nodes_only_and_no_model() -> None:
    slate = load("plain_slate")
    assert models_needed(slate) == ()
    assert classes_needed(slate) == (
        "EmptyImage",
        "ImageCompositeMasked",
        "ImageScale",
        "LoadImage",
        "SaveImage",
    )


def test_a_template_loads_from_a_folder_elsewhere(tmp_path: Path) -> None:
    shipped = load("sd15_t2i")
    (tmp_path / "graph.json").write_text(json.dumps(shipped.graph), encoding="utf-8")
    (tmp_path / "manifest.json").write_text(json.dumps(shipped.document), encoding="utf-8")
    assert load(tmp_path).sha256 == load(str(tmp_path)).sha256 == shipped.sha256


def test_the_hash_ignores_spacing_and_key_order_and_sees_every_value() -> None:
    shipped = load("sd15_t2i")
    reordered = dict(reversed(shipped.graph.items()))
    assert template_from(reordered, shipped.document).sha256 == shipped.sha256
    changed = copy.deepcopy(shipped.graph)
    changed["5"]["inputs"]["denoise"] = 0.5
    assert template_from(changed, shipped.document).sha256 != shipped.sha256


def test_canonical_json_is_one_text_for_one_content() -> None:
    assert canonical_json({"b": 1, "a": ["샷", 2.0]}) == '{"a":["샷",2.0],"b":1}'.encode()


def test_an_unknown_slug_names_the_known_ones() -> None:
    with pytest.raises(TemplateNotFound, match=r"template: 'nope' .* sd15_t2i"):
        load("nope")


@pytest.mark.parametrize("broken", ["{", None])
def test_a_graph_that_is_no_json_or_is_absent_is_named(tmp_path: Path, broken: str | None) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(load("sd15_t2i").document), encoding="utf-8")
    if broken is not None:
        (tmp_path / "graph.json").write_text(broken, encoding="utf-8")
    with pytest.raises(TemplateInvalid, match=r"graph\.json"):
        load(tmp_path)
