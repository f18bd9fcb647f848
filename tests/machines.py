"""How long hypothesis plays: bounded and the same every time in CI, long and new every time as a soak.

``HYPOTHESIS_PROFILE=soak`` (or ``make soak``) multiplies the examples by SOAK_FACTOR.
"""

from __future__ import annotations

import os
from typing import Final

from hypothesis import HealthCheck, settings

SOAKING: Final = os.environ.get("HYPOTHESIS_PROFILE", "ci") == "soak"
SOAK_FACTOR: Final = int(os.environ.get("SOAK_FACTOR", "30"))


def register() -> None:
    """Load the profile that the environment names. The machines' clock is their own: no deadlines."""
    unhurried = settings(
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        print_blob=True,
        report_multiple_bugs=False,
    )
    settings.register_profile("ci", unhurried, derandomize=True, database=None)
    settings.register_profile("soak", unhurried, database=None)
    settings.load_profile("soak" if SOAKING else "ci")


def examples(count: int, *, steps: int) -> settings:
    """So many examples of at most so many steps."""
    return settings(max_examples=count * (SOAK_FACTOR if SOAKING else 1), stateful_step_count=steps)
