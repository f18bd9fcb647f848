"""Drawings are checked to the last number before they are kept."""

from __future__ import annotations

from typing import Any

import pytest

from apps.common.errors import Refused
from apps.review.drawings import MOST_POINTS, MOST_STROKES, clean_drawing


def stroke(**told: Any) -> dict[str, Any]:
    return {"tool": "pen", "colour": "#FF3B30", "width": 0.004, "points": [[0.1, 0.2], [0.3, 0.4]]} | told


def test_a_stroke_is_kept_with_four_digits_and_its_colour_in_small_letters() -> None:
    kept = clean_drawing([stroke(points=[[0.123456, 1], [0, 0.5]])])
    assert kept == [stroke(colour="#ff3b30", points=[[0.1235, 1.0], [0.0, 0.5]])]


def test_nothing_is_an_empty_drawing() -> None:
    assert clean_drawing(None) == []
    assert clean_drawing([]) == []


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ("a circle", "drawing “a circle”"),
        ({"strokes": []}, "drawing"),
        ([stroke()] * (MOST_STROKES + 1), "at most 200 strokes"),
        ([stroke(points=[[0.5, 0.5]] * MOST_POINTS)] * 30, "at most 10000 points"),
        ([stroke(), "line"], r"drawing\[1\]"),
        ([stroke(extra=1)], "exactly: colour, points, tool, width"),
        ([{"tool": "pen"}], "exactly"),
        ([stroke(tool="spray")], r"drawing\[0\].tool “spray”: choose one of: pen, arrow"),
        ([stroke(colour="red")], "write a colour as #ff3b30"),
        ([stroke(colour="#ff3b30;url(x)")], "write a colour"),
        ([stroke(colour=7)], "write a colour"),
        ([stroke(width=0.5)], r"width “0.5”: write a number from 0 to 0.1"),
        ([stroke(width=True)], "write a number"),
        ([stroke(width="0.01")], "write a number"),
        ([stroke(points=[])], "1 to 500 points"),
        ([stroke(points=[[0.1, 0.2, 0.3]])], r"points\[0\].*as \[x, y\]"),
        ([stroke(points=[[0.1, 1.2]])], "from 0 to 1"),
        ([stroke(points=[[0.1, float("nan")]])], "from 0 to 1"),
        ([stroke(points=[[0.1, 10**400]])], "from 0 to 1"),
        ([stroke(width=-(10**400))], "from 0 to 0.1"),
    ],
)
def test_what_is_no_drawing_is_refused_by_its_place(told: Any, place: str) -> None:
    with pytest.raises(Refused, match=place):
        clean_drawing(told)
