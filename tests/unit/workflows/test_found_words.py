"""What a search says can be said in every language, and says the same in English."""

from __future__ import annotations

from django.utils import translation

from apps.workflows.foundwords import SENTENCES, in_words, picture_words
from workflows.drawing import Words
from workflows.finding import Why, words


def test_every_sentence_of_a_search_stands_where_translators_find_it() -> None:
    with translation.override("en"):
        assert {code: str(sentence) for code, sentence in SENTENCES.items()} == words.SENTENCES
        assert picture_words() == Words()


def test_a_reason_is_said_with_its_node() -> None:
    with translation.override("en"):
        assert in_words(words.why("noise", sampler="3 (KSampler)")) == (
            "It decides the noise of node 3 (KSampler)."
        )
        assert in_words(Why("of_a_later_version", {}, "Something new.")) == "Something new."
