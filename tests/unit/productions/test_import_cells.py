"""What a cell may say."""

from __future__ import annotations

from datetime import datetime

import pytest

from apps.productions.importing import cells
from apps.productions.importing.cells import Unreadable


@pytest.mark.parametrize("typed", ["SH0040", "'SH0040", " SH0040 ", "LOC-01"])
def test_a_code_is_taken_with_or_without_the_quote_that_makes_it_text(typed: str) -> None:
    assert cells.code(typed) == typed.strip().lstrip("'")


@pytest.mark.parametrize("typed", ["../etc", "..", "SH/01", "sh0040", "SH 01", "SH_01", "S" * 21, "", "샷01"])
def test_a_code_that_could_not_be_a_folder_name_is_refused(typed: str) -> None:
    with pytest.raises(Unreadable, match="capital letters and digits"):
        cells.code(typed)


@pytest.mark.parametrize("typed", [48, 48.0, "48", "'48"])
def test_a_whole_number_is_read_however_the_spreadsheet_stored_it(typed: object) -> None:
    assert cells.whole(1, 100)(typed) == 48


@pytest.mark.parametrize("typed", [0, 101, 48.5, "many", True, float("inf"), "nan"])
def test_what_is_no_whole_number_within_bounds_is_refused_with_the_bounds(typed: object) -> None:
    with pytest.raises(Unreadable, match="from 1 to 100"):
        cells.whole(1, 100)(typed)


def test_a_number_in_a_text_column_is_taken_as_it_is_shown() -> None:
    assert cells.text_of(10)(1944) == "1944"
    assert cells.text_of(10)(1944.0) == "1944"


def test_a_date_the_spreadsheet_made_of_a_text_is_refused_with_the_remedy() -> None:
    with pytest.raises(Unreadable, match="Format the cell as text"):
        cells.text_of(40)(datetime(2026, 3, 1))


def test_the_quote_of_an_escaped_formula_comes_off_and_other_quotes_stay() -> None:
    read = cells.text_of(None)
    assert read("'=1+1") == "=1+1"
    assert read("'Tis cold") == "'Tis cold"
    assert read("She said '-5'") == "She said '-5'"


def test_text_longer_than_the_column_is_refused_with_both_lengths() -> None:
    with pytest.raises(Unreadable, match="At most 3 characters; these are 4"):
        cells.text_of(3)("abcd")


@pytest.mark.parametrize(
    ("typed", "meant"), [("Yes", True), ("예", True), (1, True), (False, False), ("no", False)]
)
def test_yes_and_no_are_read_in_both_languages(typed: object, meant: bool) -> None:
    assert cells.yes_or_no(typed) is meant


def test_a_word_that_is_neither_yes_nor_no_is_refused() -> None:
    with pytest.raises(Unreadable, match="yes or no"):
        cells.yes_or_no("maybe")


def test_a_choice_is_read_as_people_write_it() -> None:
    read = cells.one_of(("day", "golden_hour"))
    assert read("Golden hour") == "golden_hour"
    with pytest.raises(Unreadable, match="day, golden_hour"):
        read("noon")


def test_a_list_keeps_its_order_and_drops_repeats() -> None:
    assert cells.words("wide-shot, 35mm,\nwide-shot,, low-key") == ["wide-shot", "35mm", "low-key"]


@pytest.mark.parametrize("typed", ["../secret.safetensors", "/etc/passwd", "characters//x", "a\\..\\b"])
def test_a_model_path_that_climbs_out_is_refused(typed: str) -> None:
    with pytest.raises(Unreadable, match="as ComfyUI lists it"):
        cells.model_file(typed)


def test_a_model_path_from_windows_is_turned() -> None:
    assert cells.model_file("characters\\gerda.safetensors") == "characters/gerda.safetensors"
