"""A project's order of segments: read, refused with every problem, written back."""

from __future__ import annotations

from typing import Any

import pytest

from apps.common.errors import Refused
from apps.prompts.order import ORDERS, PERSON, SHOTFARM, read_order


def problems_of(told: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        read_order(told)
    return [(problem.field, problem.value) for problem in refused.value.problems]


@pytest.mark.parametrize("base", ORDERS)
def test_a_ready_made_order_is_read_by_its_name_and_written_back_whole(base: str) -> None:
    order = read_order({"base": base})
    assert order == ORDERS[base]
    assert read_order(order.as_json()) == order


def test_nothing_is_our_own_order() -> None:
    assert read_order({}) is SHOTFARM
    assert read_order(None) is SHOTFARM


def test_a_piece_without_a_place_is_off_and_a_family_of_presets_stands_with_the_others() -> None:
    order = read_order({"person": [{"segment": "action"}]})
    assert [(piece.segment, piece.on) for piece in order.person] == [
        ("action", True),
        *((name, False) for name in PERSON if name != "action"),
    ]
    assert order.family_of("light_source") == "presets"
    assert ORDERS["light_first"].family_of("light_source") == "light"
    assert ORDERS["light_first"].family_of("a_studios_own") == "presets"


def test_every_problem_is_told_with_its_place() -> None:
    told = {
        "base": "prototype",
        "people": "semicolon",
        "colour": 1,
        "positive": [
            {"segment": "scene", "on": False},
            {"segment": "cast", "join": "dash"},
            {"segment": "cast"},
            {"segment": "scenery"},
            {"segment": "weather", "on": "yes"},
            "time",
        ],
        "negative": "none",
    }
    assert problems_of(told) == [
        ("composer.colour", ""),
        ("composer.base", "prototype"),
        ("composer.people", "semicolon"),
        ("composer.positive[0].on", "scene"),
        ("composer.positive[1].join", "dash"),
        ("composer.positive[3].segment", "scenery"),
        ("composer.positive[4].on", "yes"),
        ("composer.positive[5]", "time"),
        ("composer.positive", "lora"),
        ("composer.negative", "none"),
    ]


def test_a_piece_stands_once() -> None:
    told = {"negative": [{"segment": "shot"}, {"segment": "shot"}]}
    assert problems_of(told) == [("composer.negative[1].segment", "shot")]


@pytest.mark.parametrize("told", ["text", ["scene"], 7])
def test_what_is_no_object_is_refused(told: Any) -> None:
    assert problems_of(told) == [("composer", str(told))]
