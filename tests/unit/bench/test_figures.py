"""A figure says honestly whether its aim is met."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tests.bench.figures import Figure
from tests.bench.gap import require
from tests.bench.thousand import require_lives


@pytest.mark.parametrize(
    ("value", "against", "goal", "ratio", "met"),
    [
        (2.0, 1.0, 2.0, 2.0, True),
        (2.1, 1.0, 2.0, 2.1, False),
        (5.0, 10.0, None, 0.5, None),
        (5.0, 0.0, 1.1, None, None),  # nothing to divide by is no success
    ],
)
def test_a_figure_is_met_when_its_ratio_stays_within_the_goal(
    value: float, against: float, goal: float | None, ratio: float | None, met: bool | None
) -> None:
    figure = Figure(figure="a", value=value, unit="ms", against=against, goal=goal)
    assert json.loads(figure.line()) == {
        "figure": "a",
        "value": value,
        "unit": "ms",
        "against": against,
        "ratio": ratio,
        "goal": goal,
        "met": met,
    }


@pytest.mark.parametrize("sides", [([1.0], [1.0]), ([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0])])
def test_sides_of_other_lengths_are_no_figure(sides: tuple[list[float], list[float]]) -> None:
    require([1.0, 2.0], [3.0, 4.0], count=2)
    with pytest.raises(RuntimeError, match="2 were expected"):
        require(*sides, count=2)


def test_memory_of_a_process_that_died_meanwhile_is_no_figure() -> None:
    children: dict[str, Any] = {"web": SimpleNamespace(deaths=[])}
    require_lives(children)
    children["ticker"] = SimpleNamespace(deaths=["was killed by SIGKILL"])
    with pytest.raises(RuntimeError, match=r"^ticker died"):
        require_lives(children)


@pytest.mark.parametrize(("value", "met"), [(99.0, False), (100.0, True), (130.0, True)])
def test_a_figure_that_is_to_be_large_is_met_from_its_goal_on(value: float, met: bool) -> None:
    figure = Figure(figure="a", value=value, unit="1/s", against=100.0, goal=1.0, at_least=True)
    assert figure.met is met
    assert "at_least" not in json.loads(figure.line())
