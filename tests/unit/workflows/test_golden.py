"""The golden render: small, fixed, and legal for every template."""

from __future__ import annotations

import copy

import pytest

from workflows.bind import bind
from workflows.errors import TemplateInvalid
from workflows.golden import LEAST_SIDE, golden_files, golden_values
from workflows.load import Template, all_templates, template_from
from workflows.validate import check_manifest

TEMPLATES = all_templates()
SHA256 = "a" * 64


def with_manifest(template: Template, **fields: object) -> Template:
    return template_from(template.graph, {**copy.deepcopy(dict(template.document)), **fields})


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.slug)
def test_every_shipped_template_has_a_golden_render_that_binds(template: Template) -> None:
    values = golden_values(template.manifest)
    files = dict.fromkeys(golden_files(template.manifest), "test.png")
    bound = bind(template, {**values, **files}, filename_prefix="golden/x")
    assert bound.values.items() >= values.items()


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.slug)
def test_it_is_not_larger_than_the_default_render(template: Template) -> None:
    values, defaults = golden_values(template.manifest), template.manifest.defaults
    for role in {"width", "height", "frames", "steps"} & values.keys() & defaults.keys():
        assert float(values[role]) <= float(defaults[role]), role
    assert all(int(values[role]) >= LEAST_SIDE for role in {"width", "height"} & values.keys())


def test_the_same_template_gives_the_same_values() -> None:
    assert golden_values(TEMPLATES[0].manifest) == golden_values(TEMPLATES[0].manifest)


def test_what_the_manifest_states_stands() -> None:
    template = next(one for one in TEMPLATES if one.slug == "sd15_t2i")
    stated = with_manifest(template, golden={"steps": 5, "positive": "a cat"})
    assert golden_values(stated.manifest).items() >= {"steps": 5, "positive": "a cat"}.items()
    assert not [one for one in check_manifest(stated) if one.code == "golden_value"]


@pytest.mark.parametrize("golden", [{"frames": 5}, {"width": 7}, {"filename_prefix": "x"}])
def test_a_golden_value_without_a_place_or_against_its_rule_is_found(golden: dict[str, object]) -> None:
    template = next(one for one in TEMPLATES if one.slug == "sd15_t2i")
    found = check_manifest(with_manifest(template, golden=golden))
    assert [one.code for one in found] == ["golden_value"]


def test_a_manifest_may_say_which_file_a_model_must_be() -> None:
    template = next(one for one in TEMPLATES if one.slug == "sd15_t2i")
    models = copy.deepcopy(template.document["models"])
    models[0] |= {"sha256": SHA256, "size": 2_132_696_762}
    stated = with_manifest(template, models=models).manifest.models[0]
    assert (stated.sha256, stated.size) == (SHA256, 2_132_696_762)


@pytest.mark.parametrize("said", [{"sha256": "abc"}, {"sha256": "A" * 64}, {"size": 0}, {"size": "2 GB"}])
def test_a_hash_or_size_that_is_none_is_refused_by_name(said: dict[str, object]) -> None:
    template = next(one for one in TEMPLATES if one.slug == "sd15_t2i")
    models = copy.deepcopy(template.document["models"])
    models[0] |= said
    with pytest.raises(TemplateInvalid, match=next(iter(said))):
        with_manifest(template, models=models)
