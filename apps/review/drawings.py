"""Drawings on a picture: strokes in parts of its width and height, so that they fit any size it is shown at.

A stroke is ``{"tool": "pen" | "arrow", "colour": "#rrggbb", "width": part of the picture's width, "points":
[[x, y], …]}`` with x and y from 0 (left, top) to 1. Whatever comes in is checked to the last number and
written anew: a browser draws it, and it is kept for good.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused

TOOLS: Final = ("pen", "arrow")
COLOURS: Final = ("#ff3b30", "#ffcc00", "#34c759", "#32ade6", "#ffffff")
"""What the page offers; any other colour written as #rrggbb is as good."""
MOST_STROKES: Final = 200
MOST_POINTS: Final = 500
"""Of one stroke."""
MOST_POINTS_ALL: Final = 10_000
MOST_BYTES: Final = 200_000
MOST_WIDTH: Final = 0.1
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_KEYS: Final = frozenset({"tool", "colour", "width", "points"})
_DIGITS: Final = 4


def clean_drawing(told: Any, *, field: str = "drawing") -> list[dict[str, Any]]:
    """Return the strokes as they are kept, with four digits. Raises Refused, naming the place."""
    if told is None:
        return []
    if not isinstance(told, list):
        raise _wrong(field, told, _("write a list of strokes"))
    if len(told) > MOST_STROKES:
        raise _wrong(field, len(told), _("at most %d strokes") % MOST_STROKES)
    strokes = [_stroke(stroke, f"{field}[{number}]") for number, stroke in enumerate(told)]
    if sum(len(stroke["points"]) for stroke in strokes) > MOST_POINTS_ALL:
        raise _wrong(field, "", _("at most %d points altogether") % MOST_POINTS_ALL)
    if len(json.dumps(strokes)) > MOST_BYTES:
        raise _wrong(field, "", _("at most %d bytes") % MOST_BYTES)
    return strokes


def _stroke(told: Any, at: str) -> dict[str, Any]:
    if not isinstance(told, dict) or set(told) != _KEYS:
        raise _wrong(at, told, _("write an object with exactly: %s") % ", ".join(sorted(_KEYS)))
    if told["tool"] not in TOOLS:
        raise _wrong(f"{at}.tool", told["tool"], _("choose one of: %s") % ", ".join(TOOLS))
    colour = told["colour"].lower() if isinstance(told["colour"], str) else ""
    if not _COLOUR.fullmatch(colour):
        raise _wrong(f"{at}.colour", told["colour"], _("write a colour as #ff3b30"))
    points = told["points"]
    if not isinstance(points, list) or not 1 <= len(points) <= MOST_POINTS:
        raise _wrong(f"{at}.points", "", _("write 1 to %d points") % MOST_POINTS)
    return {
        "tool": told["tool"],
        "colour": colour,
        "width": _number(told["width"], f"{at}.width", MOST_WIDTH),
        "points": [_point(point, f"{at}.points[{number}]") for number, point in enumerate(points)],
    }


def _point(told: Any, at: str) -> list[float]:
    if not isinstance(told, list) or len(told) != 2:
        raise _wrong(at, told, _("write a point as [x, y]"))
    return [_number(value, at, 1.0) for value in told]


def _number(told: Any, at: str, most: float) -> float:
    known = isinstance(told, int | float) and not isinstance(told, bool)
    if not known or not 0 <= told <= most:  # which no NaN is
        raise _wrong(at, told, _("write a number from 0 to %g") % most)
    return round(float(told), _DIGITS)


def _wrong(field: str, value: Any, message: str) -> Refused:
    return Refused(Problem(field, str(value)[:60], message, code="bad_drawing"))
