"""The slate picture. What it looks like was looked at; these guard what a machine can tell."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from PIL import Image, ImageChops

from apps.prompts.fonts import Typeface, find_typeface
from apps.prompts.slate import SlateFacts, draw_slate

LATIN = Typeface(None, None)
FACTS = SlateFacts(
    width=1232,
    height=672,
    project="The Snow Queen",
    sequence="SQ010  The mirror",
    shot="SQ010_SH0040",
    description="Two children face each other on the frozen harbour.",
    description_ko="",
    cast=("Gerda", "Kay"),
    location="Frozen harbour",
    frames=57,
    fps=24.0,
    take=2,
)


def picture(facts: SlateFacts) -> Image.Image:
    return Image.open(io.BytesIO(draw_slate(facts, typeface=LATIN)))


@pytest.mark.parametrize("size", [(1232, 672), (208, 208), (1000, 2000)])
def test_the_slate_is_a_png_of_exactly_the_size_asked_for(size: tuple[int, int]) -> None:
    drawn = picture(replace(FACTS, width=size[0], height=size[1]))
    assert (drawn.format, drawn.size) == ("PNG", size)


def test_the_same_facts_draw_the_same_bytes() -> None:
    assert draw_slate(FACTS, typeface=LATIN) == draw_slate(FACTS, typeface=LATIN)


@pytest.mark.parametrize(
    ("change", "band"),
    [
        ({"project": "Another film"}, (72, 156)),
        ({"sequence": "SQ020"}, (72, 156)),
        ({"shot": "SQ010_SH0050"}, (156, 316)),
        ({"take": 3}, (156, 316)),
        ({"description": "Nobody is there."}, (316, 508)),
        ({"cast": ("Kay",)}, (508, 588)),
        ({"location": "Garden"}, (508, 588)),
        ({"frames": 58}, (588, 672)),
        ({"fps": 25.0}, (588, 672)),
    ],
)
def test_each_fact_shows_in_its_own_row(change: dict[str, Any], band: tuple[int, int]) -> None:
    changed = ImageChops.difference(picture(FACTS), picture(replace(FACTS, **change))).getbbox()
    assert changed is not None
    assert band[0] <= changed[1] < changed[3] <= band[1]


def test_without_hangul_in_the_font_the_english_stays_and_a_note_says_so() -> None:
    korean = picture(replace(FACTS, description_ko="두 아이가 얼어붙은 항구에서 마주 선다"))
    changed = ImageChops.difference(picture(FACTS), korean).getbbox()
    assert changed is not None
    assert changed[1] >= 484 - 8  # only the note at the foot of the description


def test_a_long_description_stays_within_its_panel() -> None:
    long = picture(replace(FACTS, description="and then the ice cracks " * 200))
    changed = ImageChops.difference(picture(FACTS), long).getbbox()
    assert changed is not None
    assert changed[3] <= 508


def test_pillows_own_font_reads_latin_and_not_hangul() -> None:
    assert LATIN.readable("Gerda, 2") == "Gerda, 2"
    assert LATIN.readable("게르다") == ""


def test_a_font_named_in_the_settings_comes_first(settings: Any, tmp_path: Path) -> None:
    settings.SLATE_FONT = tmp_path / "studio.ttf"
    assert find_typeface() == Typeface(tmp_path / "studio.ttf", tmp_path / "studio.ttf")


def test_a_file_that_is_no_font_is_named_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "notes.ttf"
    path.write_text("not a font")
    with pytest.raises(ImproperlyConfigured, match="SHOTFARM_FONT"):
        draw_slate(FACTS, typeface=Typeface(path, path))
