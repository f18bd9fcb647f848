"""Writing a shot's values into a graph."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from workflows.bind import BoundGraph, bind, fill, slate_size
from workflows.errors import MissingRole, UnknownRole, ValueRefused
from workflows.load import canonical_json, load

PREFIX = "sq010/sh0040/a1"


def _wan(**values: Any) -> BoundGraph:
    given = {"positive": "a lighthouse at dusk", "seed": 7, "first_frame": "sha256:ab", **values}
    return bind(load("wan22_i2v"), given, filename_prefix=PREFIX)


def _sd15(**values: Any) -> BoundGraph:
    return bind(load("sd15_t2i"), {"positive": "a door", "seed": 1, **values}, filename_prefix=PREFIX)


def test_every_role_lands_in_its_input() -> None:
    graph = _wan(negative="blur", width=832, height=480, frames=33, cfg=4).graph
    assert graph["5"]["inputs"]["text"] == "a lighthouse at dusk"
    assert graph["6"]["inputs"]["text"] == "blur"
    assert [graph["8"]["inputs"][name] for name in ("width", "height", "length")] == [832, 480, 33]
    assert graph["11"]["inputs"]["noise_seed"] == 7
    assert graph["11"]["inputs"]["cfg"] == graph["12"]["inputs"]["cfg"] == 4.0
    assert graph["15"]["inputs"]["filename_prefix"] == PREFIX


@pytest.mark.parametrize(("steps", "half"), [(20, 10), (5, 2), (2, 1)])
def test_the_two_stages_meet_at_the_same_step(steps: int, half: int) -> None:
    graph = _wan(steps=steps).graph
    assert graph["11"]["inputs"]["steps"] == graph["12"]["inputs"]["steps"] == steps
    assert graph["11"]["inputs"]["end_at_step"] == graph["12"]["inputs"]["start_at_step"] == half


def test_roles_not_given_take_their_defaults_and_are_told() -> None:
    bound = _sd15()
    assert bound.graph["4"]["inputs"]["width"] == 768
    assert bound.values == {
        "positive": "a door",
        "negative": "",
        "seed": 1,
        "precision": "fp16",
        "width": 768,
        "height": 432,
        "steps": 20,
        "cfg": 7.0,
        "filename_prefix": PREFIX,
    }


def test_binding_is_the_same_to_the_byte_whatever_the_order_of_the_values() -> None:
    template = load("flux_t2i")
    values: dict[str, Any] = {"positive": "문 앞의 등대", "negative": "blur", "seed": 3, "cfg": 2}
    first = bind(template, values, filename_prefix=PREFIX)
    second = bind(template, dict(reversed(values.items())) | {"cfg": 2.0}, filename_prefix=PREFIX)
    assert canonical_json(first.graph) == canonical_json(second.graph)


def test_binding_leaves_the_template_as_it_was() -> None:
    template = load("sd15_t2i")
    before = copy.deepcopy(template.graph)
    bind(template, {"positive": "a door", "seed": 1}, filename_prefix=PREFIX)
    assert template.graph == before


def test_a_precision_changes_weights_and_text_encoder_together() -> None:
    graph = bind(
        load("flux_t2i"), {"positive": "x", "seed": 1, "precision": "fp16"}, filename_prefix=PREFIX
    ).graph
    assert graph["1"]["inputs"]["weight_dtype"] == "default"
    assert graph["2"]["inputs"]["clip_name2"] == "t5xxl_fp16.safetensors"


def test_the_largest_seed_is_written_exactly() -> None:
    assert _sd15(seed=2**53 - 1).graph["5"]["inputs"]["seed"] == 9007199254740991


def test_a_file_role_waits_as_a_placeholder_until_its_upload_has_a_name() -> None:
    bound = _wan()
    (wanted,) = bound.inputs
    assert (wanted.role, wanted.node, wanted.input, wanted.source) == (
        "first_frame",
        "7",
        "image",
        "sha256:ab",
    )
    assert bound.graph["7"]["inputs"]["image"] == "shotfarm:first_frame"
    filled = fill(bound.graph, bound.inputs, {"first_frame": "ab (1).png"})
    assert filled["7"]["inputs"]["image"] == "ab (1).png"
    assert bound.graph["7"]["inputs"]["image"] == "shotfarm:first_frame"


def test_a_file_that_was_not_uploaded_is_named() -> None:
    bound = _wan()
    with pytest.raises(MissingRole, match="first_frame: 'sha256:ab' was not uploaded"):
        fill(bound.graph, bound.inputs, {})


def test_the_slate_is_laid_on_its_colour_with_an_even_frame() -> None:
    slate = load("plain_slate")
    values: dict[str, Any] = {"slate_image": "s.png", "color": "#FF8000", "width": 1920, "height": 1080}
    graph = bind(slate, values, filename_prefix=PREFIX).graph
    ground, picture, lay = (graph[node]["inputs"] for node in ("1", "3", "4"))
    assert (ground["width"], ground["height"], ground["color"]) == (1920, 1080, 0xFF8000)
    assert (picture["width"], picture["height"]) == slate_size(slate, width=1920, height=1080) == (1872, 1032)
    assert (lay["x"], lay["y"]) == ((1920 - 1872) // 2, (1080 - 1032) // 2)


def test_only_a_slate_template_has_a_slate_size() -> None:
    with pytest.raises(UnknownRole, match="takes no slate picture"):
        slate_size(load("sd15_t2i"), width=64, height=64)


@pytest.mark.parametrize("missing", ["positive", "seed", "first_frame"])
def test_a_missing_role_is_named(missing: str) -> None:
    values: dict[str, Any] = {"positive": "x", "seed": 1, "first_frame": "a"}
    del values[missing]
    with pytest.raises(MissingRole, match=f"{missing}: None must be given for wan22_i2v"):
        bind(load("wan22_i2v"), values, filename_prefix=PREFIX)


@pytest.mark.parametrize("role", ["frames", "mood", "filename_prefix"])
def test_a_role_the_template_does_not_bind_is_refused(role: str) -> None:
    with pytest.raises(UnknownRole, match=f"{role}: 1 has no place in sd15_t2i; use positive"):
        _sd15(**{role: 1})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"seed": "7"}, "seed: '7' is not a int; give a whole number from 0 to 9007199254740991"),
        ({"seed": True}, "seed: True is not a int"),
        ({"seed": -1}, "seed: -1 is out of range"),
        ({"seed": 2**64}, "seed: 18446744073709551616 is out of range"),
        ({"steps": 1.5}, "steps: 1.5 is not a int"),
        ({"cfg": float("nan")}, "cfg: nan is out of range; give a number from 1 to 20"),
        ({"cfg": float("inf")}, "cfg: inf is out of range"),
        ({"positive": "  "}, "positive: '  ' is not a text; give a text that is not empty"),
        ({"positive": "a\0b"}, "is not a text"),
        ({"precision": "fp8"}, "precision: 'fp8' is not a choice; choose one of fp16"),
        ({"width": 500}, "width: 500 is not a multiple of 8; use 496 or 504"),
        ({"height": 2048}, "height: 2048 is out of range; give a whole number from 256 to 1024 px"),
    ],
)
def test_a_wrong_value_names_the_field_the_value_and_the_remedy(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueRefused) as refused:
        _sd15(**values)
    assert said in str(refused.value)


@pytest.mark.parametrize(("frames", "tried"), [(80, 81), (82, 81), (500, 81), (0, 5), (-3, 5), (4, 5)])
def test_an_illegal_frame_count_names_the_next_legal_one(frames: int, tried: int) -> None:
    with pytest.raises(ValueRefused, match=rf"frames: {frames} breaks the rule 4n\+1, 5 to 81; try {tried}"):
        _wan(frames=frames)


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", 255])
def test_a_colour_must_be_hex(color: object) -> None:
    values: dict[str, Any] = {"slate_image": "s.png", "color": color}
    with pytest.raises(ValueRefused, match="give a colour as #rrggbb"):
        bind(load("plain_slate"), values, filename_prefix=PREFIX)


@pytest.mark.parametrize(
    "prefix", ["../x", "/etc/x", "a//b", "a\\b", "%date%", "", "a/", "a/../b", "..", "a b", "a/..b", None]
)
def test_a_filename_prefix_that_could_leave_its_folder_is_refused(prefix: Any) -> None:
    with pytest.raises(ValueRefused, match="is not a plain relative name"):
        bind(load("sd15_t2i"), {"positive": "x", "seed": 1}, filename_prefix=prefix)
