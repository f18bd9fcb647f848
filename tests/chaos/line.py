"""The line that each scenario of ``make chaos`` ends with."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final, Self

LONGEST_RECOVERY_S: Final = 45.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One line of ``make chaos``."""

    scenario: str
    faults_injected: int
    jobs: int
    lost: int
    doubled: int
    rerendered: int
    recovery_s_max: float | None
    ok: bool

    @classmethod
    def of_nothing(cls, scenario: str) -> Self:
        """The verdict on a scenario that could not be played."""
        return cls(
            scenario=scenario,
            faults_injected=0,
            jobs=0,
            lost=0,
            doubled=0,
            rerendered=0,
            recovery_s_max=None,
            ok=False,
        )

    @property
    def line(self) -> str:
        return json.dumps(asdict(self))
