"""What differs between two values of an object, as its history shows it."""

from __future__ import annotations

import pytest

from apps.ledger.words import diff, value_text


def test_a_long_text_is_compared_word_by_word() -> None:
    old = "Gerda and Kai sit knee to knee among the roses, a book across their laps."
    new = "Gerda and Kai stand knee to knee among the roses, a book across their laps."
    assert diff("shot", "description", old, new) == old.replace("sit", "<del>sit</del><ins>stand</ins>")


@pytest.mark.parametrize("new", ("카이가 얼음 조각을 들여다본다. 눈이 온다.", "Deep winter; a sledge."))
def test_another_text_in_its_place_is_shown_whole(new: str) -> None:
    old = "Gerda and Kai sit knee to knee among the roses, a book across their laps."
    assert diff("shot", "description", old, new) == f"<del>{old}</del> → <ins>{new}</ins>"


def test_what_is_added_to_a_short_text_is_marked_alone() -> None:
    new = "She runs through the snow that has fallen since the morning, and calls for him."
    told = diff("shot", "description", "She runs.", new)
    assert told.startswith("She runs")
    assert "<del>" not in told


def test_a_list_is_compared_row_by_row() -> None:
    """Words that two rows share by chance join nothing: each row is there, gone, or come."""
    presets = ("colour_palette/monochrome", "mood/ominous", "lighting_style/low-key")
    told = diff("shot", "presets", list(presets), ["colour_palette/warm-earth"])
    assert told.split("\n") == [
        *(f"<del>{one}</del>" for one in presets),
        "<ins>colour_palette/warm-earth</ins>",
    ]
    kept = diff("shot", "presets", list(presets), [*presets[:2], "mood/calm"])
    assert kept.split("\n")[:2] == list(presets[:2])


def test_what_holds_other_values_is_told_in_words_and_a_long_list_is_cut() -> None:
    mapping = {"list": {"sheet": "Shots", "columns": ["shot", ""], "remembered": True}}
    told = value_text("import", "mapping", mapping)
    assert told == "list: (sheet: Shots, columns: shot –, remembered: yes)"
    left_out = {"left_out": [["list", row] for row in range(1000)]}
    told = value_text("import", "options", left_out)
    assert told.startswith("left_out: list 0 list 1 ") and told.endswith(" … + 950")


def test_of_values_with_entries_those_that_differ_are_told() -> None:
    old = {"slug": "portrait20", "steps": 20, "vram": [], "timeouts": {"hang_s": 300}}
    new = {"slug": "portrait", "steps": 20, "vram": [{"gb": 8}], "timeouts": {"hang_s": 300}, "dim_step": 8}
    assert diff("workflow_import", "manifest", old, new).split("\n") == [
        "slug: <del>portrait20</del> → <ins>portrait</ins>",
        "vram: <ins>(gb: 8)</ins>",
        "dim_step: <ins>8</ins>",
    ]
