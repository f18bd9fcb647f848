"""Which text encoders read a template's prompts, and how long a text is for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from apps.prompts.encoders import (
    CHUNK,
    ENCODERS,
    POOLED,
    REFUSED,
    TRAINED,
    encoders_of,
    estimate,
    estimates,
)
from apps.prompts.reader import BY_MODEL, NO_PLACE, negative_ignored, reader_of
from workflows.load import load

GOLDEN = Path(__file__).parents[2] / "data" / "prompts"


def golden(name: str, which: str) -> str:
    text: str = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))[which]["positive"]
    return text


@pytest.mark.parametrize(
    ("template", "encoders"),
    [
        ("sd15_t2i", ("clip",)),
        ("sdxl_t2i", ("clip",)),
        ("flux_t2i", ("clip_pooled", "t5xxl")),
        ("klein_t2i", ("qwen3",)),
        ("qwen_edit", ("qwen2.5-vl",)),
        ("wan22_i2v", ("umt5",)),
        ("wan_animate", ("umt5",)),
        ("ltx2_t2v", ("gemma3",)),
        ("hunyuan15_i2v", ("qwen2.5-vl",)),
        ("kling_i2v", ("kling",)),
        ("plain_slate", ()),
    ],
)
def test_the_encoders_of_a_template_are_those_its_text_goes_to(
    template: str, encoders: tuple[str, ...]
) -> None:
    assert encoders_of(load(template)) == encoders


@pytest.mark.parametrize(
    ("name", "which", "counts"),
    [
        # counted with the encoders' own tokenizers, as ComfyUI 0.8.0 brings them (docs/prompts.md)
        ("shotfarm_three", "image_en", {"clip": 135, "t5xxl": 164, "qwen2.5-vl": 139}),
        ("shotfarm_three", "video_ko", {"clip": 299, "t5xxl": 183, "qwen2.5-vl": 203}),
        ("style_first_one", "video_en", {"clip": 88, "t5xxl": 104, "qwen2.5-vl": 90}),
    ],
)
def test_an_estimate_is_within_a_fifth_of_what_the_encoder_counts(
    name: str, which: str, counts: dict[str, int]
) -> None:
    text = golden(name, which)
    for encoder, counted in counts.items():
        assert estimate(text, ENCODERS[encoder]).tokens == pytest.approx(counted, rel=0.2)


def test_emphasis_costs_no_tokens() -> None:
    clip = ENCODERS["clip"]
    assert estimate("(blurry:1.2), fog", clip).tokens == estimate("blurry, fog", clip).tokens


def test_what_becomes_of_a_long_text_depends_on_the_encoder() -> None:
    long = "word " * 600
    told = {one.encoder: one for one in estimates(long, list(ENCODERS))}
    assert {name: one.beyond for name, one in told.items()} == {
        "clip": CHUNK,
        "clip_pooled": POOLED,
        "t5xxl": TRAINED,
        "umt5": TRAINED,
        "qwen2.5-vl": "",
        "qwen3": TRAINED,
        "gemma3": "",
        "kling": REFUSED,
    }
    assert told["clip"].chunks == 8
    assert told["kling"].tokens == len(long)


def test_an_encoder_that_knows_no_hangul_says_so() -> None:
    told = {one.encoder: one.deaf for one in estimates("눈이 내린다", ["clip", "t5xxl", "umt5", "qwen3"])}
    assert told == {"clip": False, "t5xxl": True, "umt5": False, "qwen3": False}


def test_an_encoder_nobody_knows_any_more_is_passed_over() -> None:
    assert estimates("fog", ["long_forgotten"]) == []


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("sd15_t2i", ""),
        ("wan22_i2v", ""),
        ("kling_i2v", ""),
        ("flux_t2i", BY_MODEL),
        ("wan_animate", BY_MODEL),
        ("klein_t2i", NO_PLACE),
        ("telestyle", NO_PLACE),
    ],
)
def test_whether_negative_text_is_heard_is_a_fact_of_the_template(template: str, why: str) -> None:
    assert reader_of(load(template)).negative_ignored == why


def test_a_template_that_does_not_say_is_judged_by_its_guidance() -> None:
    from dataclasses import replace

    manifest = replace(load("sd15_t2i").manifest, negative_effect=None)
    assert negative_ignored(manifest) == ""
    assert negative_ignored(replace(manifest, defaults={**manifest.defaults, "cfg": 1.0})) == BY_MODEL
