"""What a job of a template needs: VRAM, frames, models."""

from __future__ import annotations

from fractions import Fraction

import pytest

from workflows.bind import frames_for, models_needed, need_gb, size_for
from workflows.conforming import Length
from workflows.errors import NeedUnknown, ValueRefused
from workflows.load import Template, all_templates, load
from workflows.rates import exact_fps


@pytest.mark.parametrize(
    ("slug", "precision", "size", "gb"),
    [
        ("plain_slate", None, (4096, 4096, 1), 0),
        ("sd15_t2i", None, (768, 432, 1), 4),
        ("flux_t2i", None, (1280, 720, 1), 16),
        ("flux_t2i", "fp16", (1024, 1024, 1), 24),
        ("wan22_i2v", None, (640, 640, 81), 24),
        ("wan22_i2v", "fp8", (832, 480, 33), 24),
        ("wan22_i2v", "fp8", (1280, 720, 81), 32),
    ],
)
def test_the_declared_need_follows_precision_and_size(
    slug: str, precision: str | None, size: tuple[int, int, int], gb: float
) -> None:
    width, height, frames = size
    need = need_gb(load(slug), precision=precision, width=width, height=height, frames=frames)
    assert need.gb == gb
    assert (need.row is None) == (gb == 0)


def test_a_size_without_a_figure_names_the_largest_that_has_one() -> None:
    with pytest.raises(NeedUnknown, match=r"1280x1280, 81 frames.*stay within 921600 pixels.* 81 frames"):
        need_gb(load("wan22_i2v"), width=1280, height=1280, frames=81)


def test_a_precision_that_is_shown_but_not_offered_is_refused() -> None:
    flux = load("flux_t2i")
    assert "gguf_q4" in {row.precision for row in flux.manifest.vram}
    with pytest.raises(NeedUnknown, match="'gguf_q4' is not offered by flux_t2i; choose fp8, fp16"):
        need_gb(flux, precision="gguf_q4", width=1024, height=1024)


def test_every_figure_says_where_it_is_from() -> None:
    for slug in ("sd15_t2i", "flux_t2i", "wan22_i2v"):
        assert all(row.evidence and row.source for row in load(slug).manifest.vram)
    assert load("sd15_t2i").manifest.vram[0].source_kind == "estimate"


@pytest.mark.parametrize(
    ("wanted", "fps", "frames"),
    [
        (1, None, 5),
        (5, None, 5),
        (6, None, 9),
        (80, None, 81),
        (81, None, 81),
        (48, 24, 33),
        (120, 24, 81),
        (121, 24, 81),
        (48, 23.976, 33),
        (100, 25, 65),
    ],
)
def test_a_clip_gets_the_next_legal_frame_count_that_covers_the_shot(
    wanted: int, fps: float | None, frames: int
) -> None:
    wan = load("wan22_i2v")
    choice = frames_for(wan, Length(wanted, exact_fps(fps or 16)))
    assert (choice.frames, choice.fps) == (frames, 16)
    assert choice.frames / choice.fps >= wanted / (fps or 16)


def test_a_shot_longer_than_one_clip_says_how_long_a_clip_may_be() -> None:
    with pytest.raises(ValueRefused, match=r"frames: 122 at 24 fps is longer .* one clip holds 121 frames"):
        frames_for(load("wan22_i2v"), Length(122, Fraction(24)))


@pytest.mark.parametrize(("wanted", "fps"), [(0, 24), (-4, 24), (10, 0.0)])
def test_a_shot_without_length_is_refused(wanted: int, fps: float) -> None:
    with pytest.raises(ValueRefused, match=r"is no (length|frame rate)"):
        Length(wanted, exact_fps(fps))


def test_a_picture_template_makes_no_clip() -> None:
    with pytest.raises(ValueRefused, match="choose a clip template"):
        frames_for(load("flux_t2i"), Length(24, Fraction(24)))


def test_the_models_follow_the_precision() -> None:
    flux = load("flux_t2i")
    default, full = ({m.name for m in models_needed(flux, p)} for p in (None, "fp16"))
    assert default - full == {"t5xxl_fp8_e4m3fn_scaled.safetensors"}
    assert full - default == {"t5xxl_fp16.safetensors"}


SIZED = [template for template in all_templates() if "width" in template.manifest.defaults]


@pytest.mark.parametrize("aspect", [16 / 9, 1.0, 2.39, 9 / 16])
@pytest.mark.parametrize("template", SIZED, ids=lambda template: template.slug)
def test_a_size_in_the_films_format_keeps_to_the_default_area(template: Template, aspect: float) -> None:
    size = size_for(template, aspect)
    assert size is not None
    width, height = size
    area = int(template.manifest.defaults["width"]) * int(template.manifest.defaults["height"])
    assert 0.7 * area <= width * height <= area
    assert abs(width / height - aspect) / aspect < 0.02
    assert width % template.manifest.dim_step == height % template.manifest.dim_step == 0
