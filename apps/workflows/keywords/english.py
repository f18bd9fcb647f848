"""The forms of an English word: runs, running, ran. Whole words only, so drunk holds no run."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

TOKEN: Final = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
"""A word; what a hyphen joins (run-down) is another word than its parts."""

NEGATIONS: Final = frozenset(
    {"not", "never", "without", "no", "nobody", "neither", "nor", "cannot", "hardly", "stops", "stopped"}
)
NEGATION_REACH: Final = 3
"""Words between a negation and what it denies: "does not even want to run"."""

_IRREGULAR: Final = {
    "begin": "began begun",
    "bite": "bit bitten",
    "blow": "blew blown",
    "break": "broke broken",
    "burst": "burst",
    "catch": "caught",
    "creep": "crept",
    "dive": "dove",
    "draw": "drew drawn",
    "drive": "drove driven",
    "eat": "ate eaten",
    "fall": "fell fallen",
    "fight": "fought",
    "flee": "fled",
    "fly": "flew flown",
    "give": "gave given",
    "grow": "grew grown",
    "hit": "hit",
    "hold": "held",
    "kneel": "knelt",
    "leap": "leapt",
    "lie": "lay lain lying",
    "ride": "rode ridden",
    "rise": "rose risen",
    "run": "ran",
    "say": "said",
    "shake": "shook shaken",
    "shoot": "shot",
    "sing": "sang sung",
    "sit": "sat",
    "sleep": "slept",
    "slide": "slid",
    "speak": "spoke spoken",
    "spin": "spun",
    "stand": "stood",
    "strike": "struck stricken",
    "sweep": "swept",
    "swim": "swam swum",
    "swing": "swung",
    "take": "took taken",
    "tell": "told",
    "throw": "threw thrown",
    "wake": "woke woken",
    "weep": "wept",
    "wind": "wound",
}
"""Past forms that no rule makes, of verbs that stand in shot lists."""

_VOWELS: Final = "aeiou"


@lru_cache(maxsize=2_000)
def forms(word: str) -> frozenset[str]:
    """Return a word with its -s, -ing and -ed forms and irregular ones, in lower case.

    Both spellings of longer words are kept (travelling, traveling).
    """
    word = word.lower()
    made = {word, *_IRREGULAR.get(word, "").split()}
    if word.endswith(("s", "x", "z", "ch", "sh", "o")):
        made.add(f"{word}es")
    elif word.endswith("y") and word[-2:-1] not in _VOWELS:
        made |= {f"{word[:-1]}ies", f"{word[:-1]}ied"}
    else:
        made.add(f"{word}s")
    if word.endswith("ie"):
        made |= {f"{word[:-2]}ying", f"{word}d"}
    elif word.endswith("e") and not word.endswith(("ee", "oe", "ye")):
        made |= {f"{word[:-1]}ing", f"{word}d"}
    else:
        made |= {f"{word}ing", f"{word}ed"} if not word.endswith("e") else {f"{word}ing", f"{word}d"}
    if re.fullmatch(r"[a-z]*[^aeiou][aeiou][^aeiouwxy]", word):
        if len(re.findall("[aeiouy]+", word)) == 1:
            made -= {f"{word}ing", f"{word}ed"}  # a paned window was never panned
        made |= {f"{word}{word[-1]}ing", f"{word}{word[-1]}ed"}
    return frozenset(made)


def denied(before: list[str]) -> bool:
    """Whether the words before one (the nearest last) deny it: not, n't, never, without."""
    near = [word.lower().replace("’", "'") for word in before[-NEGATION_REACH:]]
    return any(word in NEGATIONS or word.endswith("n't") for word in near)
