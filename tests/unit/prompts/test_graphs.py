"""Composed texts in graphs: each where its role is bound, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest

from workflows.bind import bind
from workflows.dry_run import Given, Origin, dry_run
from workflows.load import all_templates
from workflows.manifest import Value

TEMPLATES = [one for one in all_templates() if "positive" in one.manifest.bindings]
POSITIVE, NEGATIVE = "a quay in falling snow", "watermark, extra fingers"


def values_of(template: Any) -> dict[str, Value]:
    """Both texts, and a stand-in for each file."""
    manifest = template.manifest
    texts: dict[str, Value] = {"positive": POSITIVE, "negative": NEGATIVE}
    stand_ins: dict[str, Value] = {"text": "…", "file": "picture.png", "int": 0, "float": 1.0}
    needed = {role: stand_ins[manifest.bindings[role].type] for role in manifest.required_roles}
    return needed | {role: text for role, text in texts.items() if role in manifest.bindings}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.slug)
def test_each_text_goes_into_the_inputs_of_its_role_and_into_no_other(template: Any) -> None:
    bound = bind(template, values_of(template), filename_prefix="x")
    for role, text in (("positive", POSITIVE), ("negative", NEGATIVE)):
        holding = {
            (node, name)
            for node, what in bound.graph.items()
            for name, value in what["inputs"].items()
            if value == text
        }
        binding = template.manifest.bindings.get(role)
        assert holding == {(one.node, one.input) for one in (binding.targets if binding else ())}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.slug)
def test_the_difference_to_the_template_names_the_two_texts_by_their_roles(template: Any) -> None:
    origin = Origin("shot", "SQ010_SH0010")
    given = {role: Given(value, origin) for role, value in values_of(template).items()}
    run = dry_run(template, given, filename_prefix=Given("x", Origin("farm", "")), loras=[])
    told = {one.role: one.value for one in run.written if one.value in (POSITIVE, NEGATIVE)}
    expected = {"positive": POSITIVE, "negative": NEGATIVE}
    assert told == {role: text for role, text in expected.items() if role in template.manifest.bindings}
