"""What every shipped template keeps to: what a studio reads of it, and what a node is sent of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from workers.comfysim.vram import file_bytes
from workflows import validate
from workflows.bind import bind
from workflows.catalogue import ObjectInfo, inputs_of, with_packs
from workflows.load import Template, load, slugs
from workflows.manifest import Target, Value

HANGUL = re.compile("[가-힣]")


@pytest.fixture(params=slugs())
def template(request: pytest.FixtureRequest) -> Template:
    return load(str(request.param))


@pytest.fixture
def known(template: Template, object_info: ObjectInfo) -> ObjectInfo:
    return with_packs(object_info, template.manifest)


def _given(template: Template, **more: Value) -> dict[str, Value]:
    """A value for every role that has no default, optional ones aside."""
    by_type: dict[str, Value] = {"text": "a lighthouse", "int": 7, "float": 1.0, "file": "a.png"}
    bindings = template.manifest.bindings
    return {role: by_type[bindings[role].type] for role in template.manifest.required_roles} | more


def _sent(template: Template, known: ObjectInfo, values: dict[str, Value]) -> list[validate.Problem]:
    """What a node would say to the graph bound so, absent model files aside."""
    bound = bind(template, values, filename_prefix="farm/a1")
    return validate.without_missing_models(validate.check_graph(bound.graph, known))


def _specs(template: Template, role: str, known: ObjectInfo) -> Iterator[tuple[Target, dict[str, Any]]]:
    """Each target of a role with what its class says of the input: min, max, step."""
    for target in template.manifest.bindings[role].targets:
        node = template.graph[target.node]
        yield target, dict(inputs_of(known[node["class_type"]], node["inputs"])[target.input].facts)


def test_titles_and_descriptions_are_english_and_korean(template: Template) -> None:
    manifest = template.manifest
    for texts in (manifest.title, manifest.description):
        assert HANGUL.search(texts["ko"])
        assert not HANGUL.search(texts["en"])


def test_a_licence_is_named_and_each_model_file_says_its_own(template: Template) -> None:
    manifest = template.manifest
    if not (manifest.models or manifest.remote or manifest.packs):
        return
    assert manifest.license is not None
    assert manifest.license.name
    assert manifest.license.url.startswith("https://")
    for model in manifest.models:
        assert model.license_note, model.name
        assert (model.url or "").startswith("https://"), model.name
        assert (model.url or "").endswith(model.name.rpartition("/")[2]), model.name


def test_a_model_file_is_described_alike_by_all_that_load_it() -> None:
    known: dict[tuple[str, str], tuple[Any, ...]] = {}
    for template in map(load, slugs()):
        for model in template.manifest.models:
            told = (model.sha256, model.size)
            assert known.setdefault((model.folder, model.name), told) == told, (template.slug, model.name)
            assert (model.sha256 is None) == (model.size is None), model.name
            assert model.size in (None, file_bytes(model.name)), "the stand-in has that file"


def test_it_is_said_whether_a_negative_prompt_has_any_effect(template: Template) -> None:
    if "negative" in template.manifest.bindings:
        assert template.manifest.negative_effect is not None


def test_each_figure_of_memory_says_where_it_is_from(template: Template) -> None:
    for row in template.manifest.vram:
        assert re.search(r"\d", row.evidence), row
        assert row.source


def test_each_node_has_a_title(template: Template) -> None:
    untitled = [node for node, content in template.graph.items() if not content["_meta"]["title"]]
    assert untitled == []


def test_each_precision_is_valid_for_a_node(template: Template, known: ObjectInfo) -> None:
    for precision in template.manifest.precisions:
        assert _sent(template, known, _given(template, precision=precision)) == []
    if not template.manifest.precisions:
        assert _sent(template, known, _given(template)) == []


def test_each_set_of_optional_roles_is_valid_for_a_node(template: Template, known: ObjectInfo) -> None:
    optional = [role for role, binding in template.manifest.bindings.items() if binding.optional]
    for count in range(len(optional) + 1):
        for chosen in combinations(optional, count):
            assert all(template.manifest.bindings[role].type == "file" for role in chosen)
            given = _given(template, **dict.fromkeys(chosen, "b.png"))
            assert _sent(template, known, given) == [], chosen


def test_the_least_and_the_most_of_each_number_are_valid_for_a_node(
    template: Template, known: ObjectInfo
) -> None:
    for end in ("minimum", "maximum"):
        bounds = [(role, one, getattr(one, end)) for role, one in template.manifest.bindings.items()]
        numbers: dict[str, Value] = {
            role: int(bound) if one.type == "int" else bound
            for role, one, bound in bounds
            if bound is not None
        }
        assert _sent(template, known, _given(template, **numbers)) == [], numbers


def test_legal_frame_counts_are_those_of_the_node_that_makes_them(
    template: Template, known: ObjectInfo
) -> None:
    rule = template.manifest.frame_rule
    if rule is None:
        return
    assert rule.next_legal(rule.minimum) == rule.minimum
    assert rule.next_legal(rule.maximum) == rule.maximum
    for target, spec in _specs(template, "frames", known):
        least = rule.minimum * target.times + target.plus
        assert spec["min"] <= least
        assert math.floor(rule.maximum * target.times + target.plus) <= spec["max"]
        if target.times == 1 and target.plus == 0 and spec.get("step", 1) > 1:
            assert rule.multiple % spec["step"] == 0
            assert (rule.plus - spec["min"]) % spec["step"] == 0


@pytest.mark.parametrize("role", ["width", "height"])
def test_the_step_of_sizes_is_one_the_node_takes(template: Template, known: ObjectInfo, role: str) -> None:
    manifest = template.manifest
    if role not in manifest.bindings:
        return
    binding = manifest.bindings[role]
    assert binding.minimum is not None
    assert binding.maximum is not None
    assert binding.minimum % manifest.dim_step == binding.maximum % manifest.dim_step == 0
    for target, spec in _specs(template, role, known):
        if target.times == 1:
            assert manifest.dim_step % spec.get("step", 1) == 0
