"""Cleaning, splitting and joining prompt text."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.prompts.text import clean, split_phrases, woven


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  a girl ,,  a boy. ", "a girl, a boy"),
        ("a\u00a0girl\r\n\tsmiles", "a girl smiles"),
        ("1,000 lanterns,2 boats", "1,000 lanterns, 2 boats"),
        ("she waits...", "she waits..."),
        ("who is there?", "who is there?"),
        ("(snow:1.2), \\(frozen\\), T1.4", "(snow:1.2), \\(frozen\\), T1.4"),
        ("그가 걷는다.", "그가 걷는다"),
        (unicodedata.normalize("NFD", "게르다"), "게르다"),
        (" ,. ", ""),
    ],
)
def test_cleaning_touches_space_and_separators_only(typed: str, kept: str) -> None:
    assert clean(typed) == kept


@given(st.text())
def test_cleaning_loses_no_letter_and_settles_at_once(typed: str) -> None:
    def letters(text: str) -> str:
        return re.sub(r"[\s,;.]", "", text)

    assert letters(clean(typed)) == letters(unicodedata.normalize("NFC", typed))
    assert clean(clean(typed)) == clean(typed)


def test_phrases_split_outside_brackets_and_numbers_only() -> None:
    assert split_phrases("crowd, (a, b:1.2), [x, y],1,000 cars,") == [
        "crowd",
        "(a, b:1.2)",
        "[x, y]",
        "1,000 cars",
    ]


def test_sentences_are_parted_by_one_full_stop() -> None:
    parts = [(". ", "Who is there?"), (". ", "a girl"), (", ", "in snow"), (". ", "wide shot")]
    assert woven(parts) == "Who is there? a girl, in snow. wide shot"
