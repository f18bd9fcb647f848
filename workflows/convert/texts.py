"""Texts that the client writes anew when a graph is queued: choices in prompts, names of files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from workflows.convert.places import Place

NAMED_FILES: Final = frozenset(
    {
        "SaveImage", "SaveImageAdvanced", "SaveSVGNode", "SaveVideo", "SaveAnimatedWEBP", "SaveWEBM",
        "SaveAudio", "SaveAudioMP3", "SaveAudioOpus", "SaveAudioAdvanced", "SaveGLB", "SaveAnimatedPNG",
        "CLIPSave", "VAESave", "ModelSave", "LoraSave", "SaveLatent",
    }
)  # fmt: skip
"""Classes in whose ``filename_prefix`` ``%Node.widget%`` stands for the value of another node's widget."""

OWN_NAME: Final = "Node name for S&R"
"""The property by which a node is called there; the client sets it to the class at first."""

_UNFIT_FOR_NAMES: Final = re.compile(r'[/?<>\\:*|"\x00-\x1f\x7f]')
_PLACEHOLDER: Final = re.compile("%([^%]+)%")
_MARKS: Final = re.compile(r"[{\\/]")
_LINE_ENDS: Final = re.compile("[\n\r\u2028\u2029]")


def first_choice(text: str) -> str:
    """Write a dynamic prompt: without comments, and of ``{a|b}`` always the first.

    The client takes one at random each time it queues the graph; a farm renders the same graph the same.
    """
    if not _MARKS.search(text):
        return text
    written: list[str] = []
    options: list[int] = []  # how many choices were passed, for each open brace
    passed = 0  # open braces whose first choice is over
    letters = iter(_without_comments(text))
    for letter in letters:
        if letter == "\\":
            escaped = next(letters, "")
            piece = escaped if escaped and escaped in "{}|" else f"\\{escaped}"
        elif letter == "{":
            options.append(0)
            continue
        elif letter == "}" and options:
            passed -= options.pop() > 0
            continue
        elif letter == "|" and options:
            passed += options[-1] == 0
            options[-1] += 1
            continue
        else:
            piece = letter
        if not passed:
            written.append(piece)
    return "".join(written)


def _without_comments(text: str) -> str:
    """Leave out ``/* … */`` and what follows ``//`` in a line."""
    kept: list[str] = []
    at, closes = 0, True
    while True:
        start = text.find("/", at)
        if start < 0:
            return "".join([*kept, text[at:]])
        mark, end = text[start : start + 2], start + 1
        if mark == "//":
            line = _LINE_ENDS.search(text, start)
            end = line.start() if line else len(text)
        elif mark == "/*" and closes:
            close = text.find("*/", start + 2)
            closes = close >= 0
            end = close + 2 if closes else start + 1
        comment = end > start + 1
        kept.append(text[at : start if comment else end])
        at = end


class NamedValues:
    """The values that ``%Node.widget%`` may stand for."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._by_name: dict[str, Place] = {}
        self._by_title: dict[str, Place] = {}
        for place in places:
            own = place.node.properties.get(OWN_NAME)
            if own is None and place.node.type not in NAMED_FILES:
                own = place.node.type
            if isinstance(own, str):
                self._by_name.setdefault(own, place)
            self._by_title.setdefault(place.title, place)

    def written(self, text: str) -> str:
        """Put values where ``text`` names them. Dates (``%date:…%``) and what is not found stay."""
        return _PLACEHOLDER.sub(self._value, text) if "%" in text else text

    def _value(self, match: re.Match[str]) -> str:
        name, _, widget_name = match[1].partition(".")
        if not widget_name or "." in widget_name:
            return match[0]
        place = self._by_name.get(name) or self._by_title.get(name)
        widget = place.panel.widget(widget_name) if place else None
        return match[0] if widget is None else _UNFIT_FOR_NAMES.sub("_", _browser_text(widget.value))


def _browser_text(value: Any) -> str:
    """How a browser writes a value into a text."""
    match value:
        case str():
            return value
        case bool():
            return str(value).lower()
        case float() if value.is_integer() and abs(value) < 1e21:
            return str(int(value))
        case int() | float():
            return str(value)
        case _:
            return ""
