"""Find a rule's keywords in a text."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from apps.workflows.keywords import english, korean

_WORD: Final = re.compile(rf"{english.TOKEN.pattern}|{korean.TOKEN.pattern}")
_HANGUL: Final = re.compile(r"[가-힣]")
_SENTENCE_END: Final = re.compile(r"[.!?;\n。…]")

LONGEST_TEXT: Final = 20_000
"""Characters that are read of one text."""


@dataclass(frozen=True, slots=True)
class Match:
    """A keyword found: ``text`` as it stands there. ``denied``: the text says that it does *not* happen."""

    keyword: str
    text: str
    denied: bool = False


@dataclass(frozen=True, slots=True)
class _Keyword:
    """``words``: for each word of the keyword, the forms that stand for it."""

    written: str
    words: tuple[Container[str], ...]


def parse_keywords(text: str) -> list[str]:
    """Return the keywords of a field: one a line, or between commas; each once."""
    return list(dict.fromkeys(part.strip() for part in re.split(r"[\n,]", text) if part.strip()))


def find(text: str, keywords: Iterable[str], *, exceptions: Iterable[str] = ()) -> list[Match]:
    """Return the keywords that a text has, in its order, each spelling once.

    A keyword stands for its forms (run: runs, running, ran; 달리다: 달린다, 달려); with ``=`` before it only
    for itself. Several words are a phrase, whose last word may have any form. ``exceptions`` are texts as
    they stand that are no match, with ``*`` behind the beginning of one ("running gag*", "달려 있*"); the
    keyword may stand anywhere in one ("dry run"), but one bars only what it covers: "달린" not "달린 뒤".
    """
    text = text[:LONGEST_TEXT]
    tokens = [(found.group(), found.start(), found.end()) for found in _WORD.finditer(text)]
    words = [_normal(token) for token, _start, _end in tokens]
    barred = [(_WORD.findall(one), one.endswith("*")) for one in map(_normal, exceptions)]
    found: dict[tuple[str, str, bool], Match] = {}
    for place, keyword in _places(words, [_read(keyword) for keyword in keywords]):
        last = place + len(keyword.words) - 1
        start, end = tokens[place][1], tokens[last][2]
        if any(_bars(words, place, last, *one) for one in barred):
            continue
        match = Match(keyword.written, text[start:end], _denied(text, tokens, place, last))
        found.setdefault((match.keyword, _normal(match.text), match.denied), match)
    return list(found.values())


def _places(words: list[str], keywords: list[_Keyword]) -> Iterator[tuple[int, _Keyword]]:
    for place, first in enumerate(words):
        for keyword in keywords:
            if first not in keyword.words[0]:
                continue
            ahead = words[place : place + len(keyword.words)]
            if len(ahead) == len(keyword.words) and all(
                word in forms for word, forms in zip(ahead, keyword.words, strict=True)
            ):
                yield place, keyword


@lru_cache(maxsize=2_000)
def _read(keyword: str) -> _Keyword:
    exact = keyword.startswith("=")
    words = [_normal(token) for token in _WORD.findall(keyword)]
    forms: list[Container[str]] = [frozenset({word}) for word in words[:-1]]
    if words:
        forms.append(_exactly(words[-1]) if exact else _every_form(words[-1]))
    return _Keyword(keyword.removeprefix("=").strip(), tuple(forms) or (frozenset(),))


def _every_form(word: str) -> Container[str]:
    return korean.forms(word) if _HANGUL.search(word) else english.forms(word)


def _exactly(word: str) -> frozenset[str]:
    return korean.noun_forms(word) if _HANGUL.search(word) else frozenset({word})


def _normal(text: str) -> str:
    return text.lower().replace("’", "'")


def _bars(words: list[str], place: int, last: int, barred: list[str], begins: bool) -> bool:
    """Whether an exception stands around the words from ``place`` to ``last``, and covers them."""
    for start in range(max(0, last - len(barred) + 1), place + 1):
        said = words[start : start + len(barred)]
        if said == barred or (
            begins
            and len(said) == len(barred) > 0
            and said[:-1] == barred[:-1]
            and said[-1].startswith(barred[-1])
        ):
            return True
    return False


def _denied(text: str, tokens: list[tuple[str, int, int]], place: int, last: int) -> bool:
    """A negation counts within its sentence."""
    word, start, end = tokens[place][0], tokens[place][1], tokens[last][2]
    if not _HANGUL.search(word):
        sentence = re.split(_SENTENCE_END, text[:start])[-1]
        return english.denied(english.TOKEN.findall(sentence))
    before = tokens[place - 1] if place else None
    after = tokens[last + 1] if last + 1 < len(tokens) else None
    return korean.denied(
        tokens[last][0],
        before[0] if before and not _SENTENCE_END.search(text[before[2] : start]) else "",
        after[0] if after and not _SENTENCE_END.search(text[end : after[1]]) else "",
    )
