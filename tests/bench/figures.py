"""One measured figure: a value beside what it is compared with, both measured in the same run."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
class Figure:
    """``value`` and ``against`` in ``unit``; ``goal`` bounds the ratio, None where none is set.

    The ratio is to be at most the goal, or ``at_least`` the goal. ``against`` may be the aim itself.
    """

    figure: str
    value: float
    unit: str
    against: float
    goal: float | None = None
    at_least: bool = False

    @property
    def ratio(self) -> float | None:
        """How many times ``against`` the value is; None where there is nothing to divide by."""
        return self.value / self.against if self.against else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is reached; None without an aim or without a ratio."""
        if self.goal is None or self.ratio is None:
            return None
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    def line(self) -> str:
        """The figure as one JSON object."""
        rounded = {
            name: float(f"{number:.4g}") if isinstance(number, float) else number
            for name, number in asdict(self).items()
        }
        ratio = None if self.ratio is None else float(f"{self.ratio:.4g}")
        order = ("figure", "value", "unit", "against", "ratio", "goal", "met")
        row = rounded | {"ratio": ratio, "met": self.met}
        return json.dumps({name: row[name] for name in order})


def say(words: str) -> None:
    """Tell the person who waits; standard output is for figures."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


def spread(values: Sequence[float], *, unit: str = "ms") -> str:
    """Words for a sample: median, and how far it reaches."""
    middle = statistics.median(values)
    return f"median {middle:.1f}, {min(values):.1f}–{max(values):.1f} {unit} (n = {len(values)})"
