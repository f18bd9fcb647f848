"""Prompt text: cleaned, split and joined, with nothing a person typed lost but stray separators."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from apps.prompts.facts import Bilingual

LANGUAGES: Final = {"en": "English", "ko": "Korean"}
_HANGUL = re.compile(r"[가-힣]")
_SPACE = re.compile(r"\s+")
_COMMAS = re.compile(r"\s*,(?:\s*,)*\s*")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d)")
_OPENING, _CLOSING = "([{", ")]}"
_ENDS_A_SENTENCE = ("!", "?", "…", "...", "。", "！", "？", '."', '!"', '?"')


@dataclass(frozen=True)
class Phrase:
    """Text in the prompt's language, or in the other where that was missing (``fallback``)."""

    text: str
    language: str = ""
    fallback: bool = False

    def labelled(self, label: str) -> str:
        """Return the label, saying so if the text is in another language than was asked for."""
        return f"{label} ({LANGUAGES[self.language]})" if self.fallback else label


def pick(text: Bilingual, language: str) -> Phrase:
    """Take the text in this language, else in the other: nothing that was written is missing in a prompt."""
    texts = {"en": clean(text.en), "ko": clean(text.ko)}
    written = texts[language] or not any(texts.values())
    other = "en" if language == "ko" else "ko"
    return Phrase(texts[language], language) if written else Phrase(texts[other], other, fallback=True)


def plain(text: str) -> Phrase:
    """A text of a field that has one language only: whichever it is typed in."""
    return Phrase(text, ("ko" if _HANGUL.search(text) else "en") if text else "")


def clean(text: str) -> str:
    """One line, composed Unicode (NFC), single spaces and commas, no separators at the ends.

    A closing full stop goes, since joining sets one; an ellipsis, ! and ? stay. Letters, numbers such
    as 1,000, brackets, weights such as (word:1.2) and backslashes are never touched.
    """
    line = _COMMAS.sub(_comma, _SPACE.sub(" ", unicodedata.normalize("NFC", text)))
    line = line.strip(" ,;")
    while line.endswith(".") and not line.endswith(".."):
        line = line[:-1].rstrip(" ,;")
    return line


def _comma(found: re.Match[str]) -> str:
    return "," if found[0] == "," and _THOUSANDS.match(found.string, found.start()) else ", "


def split_phrases(text: str) -> list[str]:
    """Split at the commas that stand outside brackets: "(a, b:1.2), c" are two phrases."""
    phrases, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        if letter in _OPENING:
            depth += 1
        elif letter in _CLOSING:
            depth = max(0, depth - 1)
        elif letter == "," and depth == 0 and not _THOUSANDS.match(text, place):
            phrases.append(text[start:place])
            start = place + 1
    phrases.append(text[start:])
    return [phrase for phrase in map(clean, phrases) if phrase]


def woven(parts: Iterable[tuple[str, str]]) -> str:
    """Join texts, each behind what parts it from the text before it; nothing stands before the first.

    A full stop is not set behind a sentence that has ended already.
    """
    line = ""
    for between, text in parts:
        if line:
            line += " " if between == ". " and line.endswith(_ENDS_A_SENTENCE) else between
        line += text
    return line
