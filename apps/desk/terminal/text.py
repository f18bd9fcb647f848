"""Tables for a terminal: aligned by what letters take on a screen, coloured only where somebody looks."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Final

Paint = Callable[[str, str], str]
"""Give a text a tone of apps.common.show (green, amber, red …); what has no colour gives it back."""

_CODES: Final[Mapping[str, str]] = {
    "green": "32",
    "amber": "33",
    "red": "31",
    "blue": "34",
    "violet": "35",
    "grey": "90",
    "bold": "1",
}
_PAINTED: Final = re.compile(r"\x1b\[[0-9;]*m")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
GAP: Final = "  "


def painted(text: str, tone: str) -> str:
    """Colour a text for a terminal."""
    return f"\x1b[{_CODES[tone]}m{text}\x1b[0m" if text and tone in _CODES else text


def plain(text: str, tone: str) -> str:
    """Leave a text without colour."""
    return text


def width(text: str) -> int:
    """How many columns a text takes: Korean, Chinese and Japanese letters two, marks on letters none."""
    return sum(_columns(letter) for letter in _PAINTED.sub("", text))


def clean(text: str) -> str:
    """One line without control characters: what a node or ComfyUI says must not move the cursor."""
    return _UNPRINTABLE.sub("", " ".join(str(text).split()))


def table(rows: Sequence[Sequence[str]], headings: Sequence[str], *, right: Sequence[int] = ()) -> list[str]:
    """Lay rows out in columns below their headings. ``right``: columns of figures, aligned to the right.

    The last column is as long as what it says; columns that are empty in every row are left out.
    """
    used = [place for place in range(len(headings)) if any(row[place] for row in rows)]
    lines = [[headings[place].upper() for place in used], *([row[place] for place in used] for row in rows)]
    widths = [max(width(line[place]) for line in lines) for place in range(len(used))]
    return [
        GAP.join(
            _set(cell, widths[place], right=used[place] in right, last=place == len(used) - 1)
            for place, cell in enumerate(line)
        ).rstrip()
        for line in lines
    ]


def _set(text: str, columns: int, *, right: bool, last: bool) -> str:
    room = " " * (columns - width(text))
    if right:
        return room + text
    return text if last else text + room


def _columns(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
