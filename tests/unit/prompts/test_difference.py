"""What differs between two prompts."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.prompts.composer import compose
from apps.prompts.difference import ADDED, CHANGED, MOVED, REMOVED, SAME, prompt_difference, word_difference
from apps.prompts.facts import Bilingual, ShotFacts
from apps.prompts.order import ORDERS
from apps.prompts.reader import Reader
from tests.unit.prompts.facts import GERDA, SHOT


def built(facts: ShotFacts = SHOT, order: str = "shotfarm") -> Any:
    """Something with a build's columns."""
    composed = compose(facts, Reader("image", "flux"), language="en", order=ORDERS[order])
    facts_of = {"channel": "image", "language": "en", "composer": 3, "by_hand": False, "negative_ignored": ""}
    return SimpleNamespace(**composed.as_json(), **facts_of)


@given(st.text(alphabet="ab ,.\n", max_size=40), st.text(alphabet="ab ,.\n", max_size=40))
def test_the_runs_make_both_texts(was: str, now: str) -> None:
    runs = word_difference(was, now)
    assert "".join(run.text for run in runs if run.what != ADDED) == was
    assert "".join(run.text for run in runs if run.what != REMOVED) == now


def test_words_are_told_apart_and_not_letters() -> None:
    runs = word_difference("A girl walks along the quay", "A girl runs along the quay")
    assert [(run.what, run.text) for run in runs if run.what != SAME] == [(REMOVED, "walks"), (ADDED, "runs")]


def test_a_text_too_long_to_compare_is_told_as_a_whole() -> None:
    runs = word_difference("a " * 5000, "b " * 5000)
    assert [run.what for run in runs] == [REMOVED, ADDED]


def test_a_prompt_does_not_differ_from_itself() -> None:
    assert prompt_difference(built(), built()).same


def test_each_segment_says_what_became_of_it() -> None:
    changed = replace(
        SHOT,
        description=Bilingual("Two children face each other on the empty harbour"),
        cast=(GERDA,),
        weather="fog",
        location=None,
    )
    found = {(one.source, one.label): one.what for one in prompt_difference(built(), built(changed)).segments}
    assert found["scene", "SQ010_SH0040"] == CHANGED
    assert found["character", "Gerda"] == SAME
    assert found["character", "Kay"] == REMOVED
    assert found["location", "Frozen harbour"] == REMOVED
    assert found["weather", "SQ010_SH0040"] == CHANGED


def test_what_stands_elsewhere_was_moved_and_not_rewritten() -> None:
    difference = prompt_difference(built(), built(order="style_first"))
    assert {one.what for one in difference.segments} == {SAME, MOVED}
    assert not difference.same


def test_a_weight_that_changed_is_told() -> None:
    changed = replace(SHOT, cast=(replace(GERDA, lora_weight=1.0),))
    (lora,) = prompt_difference(built(replace(SHOT, cast=(GERDA,))), built(changed)).loras
    assert (lora.what, lora.was, lora.now) == (CHANGED, "0.65", "1")


@pytest.mark.parametrize("name", ["language", "by_hand", "negative_ignored"])
def test_other_facts_that_changed_are_told(name: str) -> None:
    other = built()
    setattr(other, name, "x")
    assert list(prompt_difference(built(), other).facts) == [name]


def test_a_build_of_an_older_composer_can_be_compared() -> None:
    old = built()
    for segment in old.segments:
        for key in ("row", "field", "language", "why"):
            del segment[key]
    assert prompt_difference(old, built()).same
