"""Fixed sentences that one process wrote in English, said in the language of whoever reads them later."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from django.utils.translation import gettext

_PLACE: Final = re.compile(r"%\\\((\w+)\\\)s")


class Phrases:
    """Sentences with places for facts (``no report for %(seconds)s s``), marked by ``gettext_noop``.

    ``fact`` is the pattern of what stands in a place; a narrow one leaves what people write alone.
    """

    def __init__(self, sentences: Iterable[str], fact: str = ".*?") -> None:
        def place(found: re.Match[str]) -> str:
            return f"(?P<{found[1]}>{fact})"

        self._known = {re.compile(_PLACE.sub(place, re.escape(told)), re.DOTALL): told for told in sentences}

    def find(self, words: str, translate: Callable[[str], str] = gettext) -> str:
        """Say these words in the reader's language; "" for what is none of the sentences."""
        for pattern, told in self._known.items():
            if found := pattern.fullmatch(words):
                return translate(told) % found.groupdict()
        return ""

    def say(self, words: str, translate: Callable[[str], str] = gettext) -> str:
        """The same, but what is none of the sentences stays as it is."""
        return self.find(words, translate) or words
