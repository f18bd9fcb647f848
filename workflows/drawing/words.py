"""Text on a picture: cut to the room there is, printable, escaped."""

from __future__ import annotations

import re
import unicodedata
from html import escape
from typing import Final

from workflows.convert.saying import fault_of, shown
from workflows.graph import linked_node, plain_value

_WIDE: Final = frozenset("WF")
_NARROW: Final = frozenset(" .,:;'|!iljtfrI()[]{}/\\-")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_:.-]|_(?=x)")


def fitted(text: str, room: float, size: float) -> str:
    """Cut a text to ``room`` pixels at this font size, with "…"; then escape it."""
    clean = "".join(letter if letter.isprintable() else " " for letter in text[:200])
    if width_of(clean, size) > room:
        left, kept = room - size * 0.9, []
        for letter in clean:
            left -= _width(letter) * size
            if left < 0:
                break
            kept.append(letter)
        clean = f"{''.join(kept).rstrip()}…"
    return escape(clean)


def width_of(text: str, size: float) -> float:
    """About how wide a text is in pixels; nobody has measured the reader's font."""
    return sum(_width(letter) for letter in text) * size


def attribute(text: object) -> str:
    """A text as an attribute's value."""
    return escape("".join(letter if letter.isprintable() else "?" for letter in str(text)[:300]))


def value_text(value: object) -> str:
    """A value as people read it: texts without quotes, whole numbers without a point."""
    plain = plain_value(value)
    if linked_node(plain) is not None:
        return ""
    if isinstance(plain, str):
        return " ".join(plain[:200].split())
    if isinstance(plain, float) and fault_of(plain) is None and plain.is_integer() and abs(plain) < 1e15:
        return str(int(plain))
    return shown(plain, quoted=False)


def safe_id(text: str) -> str:
    """A part of an element's id: other letters than plain ones by their number."""
    return _UNSAFE.sub(lambda match: f"_x{ord(match.group()):x}_", text[:200])


def _width(letter: str) -> float:
    if letter in _NARROW:
        return 0.33
    if unicodedata.east_asian_width(letter) in _WIDE:
        return 1.0
    return 0.66 if letter.isupper() or letter in "mw%@" else 0.54
