"""Questions about the same thing follow each other."""

from __future__ import annotations

from collections.abc import Sequence

from apps.common.turns import in_turns


def test_questions_about_the_same_thing_follow_each_other_in_their_order() -> None:
    groups: list[list[str]] = []

    def answer(words: Sequence[str]) -> list[str]:
        groups.append(list(words))
        return [word.upper() for word in words]

    words = ["a1", "b1", "a2", "c1", "a3"]
    assert in_turns(words, about=lambda word: word[0], answer_all=answer) == ["A1", "B1", "A2", "C1", "A3"]
    assert groups == [["a1", "b1", "c1"], ["a2"], ["a3"]]
