"""What a search says can be said in every language, and says the same in English."""

from __future__ import annotations

from django.utils import translation

from apps.workflows.foundwords import in_words, picture_words
from workflows.drawing import Words
from workflows.finding import words


def test_a_reason_is_said_with_its_node_in_the_readers_language() -> None:
    reason = words.why("noise", sampler="3 (KSampler)")
    with translation.override("en"):
        assert in_words(reason) == str(reason) == "It decides the noise of node 3 (KSampler)."
        assert picture_words() == Words()
    with translation.override("ko"):
        assert "3 (KSampler)" in in_words(reason)
        assert "noise" not in in_words(reason)
