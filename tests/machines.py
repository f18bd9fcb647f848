"""How long hypothesis plays: bounded and the same every time in CI, long and new every time as a soak.

``HYPOTHESIS_PROFILE=soak`` (``make soak``) plays SOAK_FACTOR times as long, from seeds of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, get_state_machine_test

SOAKING: Final = os.environ.get("HYPOTHESIS_PROFILE", "ci") == "soak"
SOAK_FACTOR: Final = int(os.environ.get("SOAK_FACTOR", "60"))


def register() -> None:
    """Load the profile that the environment names. The machines' clock is their own: no deadlines."""
    unhurried = settings(
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        report_multiple_bugs=False,
        database=None,
    )
    settings.register_profile("ci", unhurried, derandomize=True)
    settings.register_profile("soak", unhurried)
    settings.load_profile("soak" if SOAKING else "ci")


def seeds(count: int, *, without_database: bool = False) -> pytest.MarkDecorator:
    """Play from so many beginnings. Hypothesis varies what it has found; a seed makes it begin elsewhere.

    SQLite plays the even ones, PostgreSQL the odd ones; what only a studio's farm does is played on
    PostgreSQL alone, from the odd ones. ALL=1 and ``make soak`` play all. What needs no database plays all.
    """
    first = 0 if os.environ.get("SHOTFARM_TEST_DB", "sqlite") == "sqlite" else 1
    every = without_database or SOAKING or bool(os.environ.get("ALL"))
    each = range(count) if every else range(first, count, 2)
    return pytest.mark.parametrize("beginning", each)


def play(make: Callable[[], RuleBasedStateMachine], *, beginning: int, examples: int, steps: int) -> None:
    """Let hypothesis drive the machine that ``make`` makes, for so many examples of so many steps."""
    made: Any = make  # hypothesis asks for a class, and takes anything that makes a machine
    bounds = settings(
        max_examples=examples * (SOAK_FACTOR if SOAKING else 1),
        stateful_step_count=steps,
        derandomize=False,
        database=None,
    )
    test = get_state_machine_test(made, settings=bounds)
    if not SOAKING:
        test = seed(beginning)(test)
    test()
