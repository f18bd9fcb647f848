"""docs/feature-map.csv: tests that exist show each feature of the predecessor, or it says what is missing."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
REVIEWED: Final = (
    *("3.1", "3.2", "3.3", "3.4", "3.5"),
    *("4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "4.7"),
    *("5.1a", "5.1b", "5.1c", "5.2a", "5.2b", "5.2c", "5.2d", "5.2e", "5.2f"),
    *("5.3a", "5.3b", "5.3c", "5.4a", "5.4b", "5.4c"),
    *("6a", "6b", "6c", "6d", "6e", "6f", "6g", "7", "8", "9"),
)
"""Findings of the review of the predecessor, by its chapters."""
IDS: Final = (
    *(f"C{number:02}" for number in range(1, 40)),
    *(f"S{number}" for number in range(1, 9)),
    *REVIEWED,
    *(f"N{number}" for number in range(1, 11)),
)
SHOWN_ELSEWHERE: Final = ("make check", "make demo", "make chaos", "make bench", "make screenshots")


def rows() -> list[dict[str, str]]:
    with (ROOT / "docs" / "feature-map.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def shown_by() -> Iterator[tuple[str, str]]:
    """The id of each row with each test that shows it."""
    return ((row["id"], test) for row in rows() for test in row["shown_by"].split("\n") if test)


@cache
def named_in(path: str) -> frozenset[str]:
    """The names of a file's tests, as pytest says them; empty if there is no such file."""
    if not (ROOT / path).is_file():
        return frozenset()
    found = ast.parse((ROOT / path).read_text(encoding="utf-8")).body
    classes = [(f"{one.name}::", one.body) for one in found if isinstance(one, ast.ClassDef)]
    return frozenset(
        f"{inside}{one.name}"
        for inside, body in [("", found), *classes]
        for one in body
        if isinstance(one, ast.FunctionDef)
    )


def test_every_feature_has_its_row_in_order() -> None:
    assert tuple(row["id"] for row in rows()) == IDS


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["id"])
def test_each_is_shown_or_says_what_is_missing(row: dict[str, str]) -> None:
    assert row["feature"]
    assert row["shown_by"] or row["missing"]


@pytest.mark.parametrize(("number", "test"), list(shown_by()), ids=lambda told: told)
def test_the_tests_it_names_exist(number: str, test: str) -> None:
    if test in SHOWN_ELSEWHERE:
        return
    path, _colons, name = test.partition("::")
    assert name.partition("[")[0] in named_in(path), f"{number}: there is no {test}"
