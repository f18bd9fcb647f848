"""Equal makings have one fingerprint; whatever differs is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from apps.recipes.made import Made, differences

WAS = Made(
    version="a" * 64,
    template="flux_t2i v1",
    values={"width": 1280, "steps": 20},
    precision="fp8",
    size=(1280, 720),
    positive="a girl",
    negative="blurry",
    loras=({"file": "gerda.safetensors", "weight": 0.8},),
    seed=7,
    source=UUID(int=1),
)


def test_the_same_things_make_the_same_fingerprint() -> None:
    assert replace(WAS, values={"steps": 20, "width": 1280}).fingerprint == WAS.fingerprint
    assert list(differences(WAS, replace(WAS))) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"version": "b" * 64, "template": "flux_t2i v2"}, "template"),
        ({"values": {"width": 1024, "steps": 20}}, "value width"),
        ({"values": {"width": 1280}}, "value steps"),
        ({"precision": "fp16"}, "value precision"),
        ({"positive": "a boy"}, "prompt"),
        ({"negative": ""}, "negative"),
        ({"loras": ()}, "loras"),
        ({"seed": 8}, "seed"),
        ({"source": UUID(int=2)}, "source"),
        ({"source": None}, "source"),
    ],
)
def test_each_thing_that_differs_is_named_and_changes_the_fingerprint(
    change: dict[str, Any], what: str
) -> None:
    now = replace(WAS, **change)
    assert [f"{one.what} {one.name}".strip() for one in differences(WAS, now)] == [what]
    assert now.fingerprint != WAS.fingerprint


def test_a_seed_that_nobody_chose_is_no_difference() -> None:
    assert list(differences(WAS, replace(WAS, seed=None))) == []
