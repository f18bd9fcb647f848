"""Whose turn it is: seats by project weight, corrected by the GPU seconds each has used lately."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import floor
from typing import Final
from uuid import UUID

CORRECTION: Final = 2.0
"""A project that used nothing lately gets at most twice its weight, one that used much at least half."""

SLACK_S: Final = 600.0
"""GPU seconds that count as nothing: the first render of a day does not turn shares around."""


class Shares:
    """Seats each project is entitled to now, and how many it has. Projects without demand claim none."""

    def __init__(
        self,
        *,
        weights: Mapping[UUID, float],
        used: Mapping[UUID, float],
        in_flight: Mapping[UUID, int],
        demanding: Iterable[UUID],
        seats: int,
    ) -> None:
        self._taken = Counter(in_flight)
        active = {project for project in weights if project in set(demanding) or in_flight.get(project)}
        corrected = _corrected({key: max(weights[key], 1e-9) for key in active}, used)
        total = sum(corrected.values())
        self._entitled = {project: seats * weight / total for project, weight in corrected.items()}

    def entitled(self, project: UUID) -> float:
        """Seats this project should have while others want some too."""
        return self._entitled.get(project, 0.0)

    def fullness(self, project: UUID) -> float:
        """Seats taken ÷ seats entitled to, with one more."""
        return (self._taken[project] + 1) / max(self.entitled(project), 1e-9)

    def short(self, project: UUID) -> int:
        """Whole seats that this project is below its share."""
        return max(0, floor(self.entitled(project) - self._taken[project]))

    def over(self) -> dict[UUID, int]:
        """Projects above their share, and by how many whole seats."""
        above = {project: floor(taken - self.entitled(project)) for project, taken in self._taken.items()}
        return {project: seats for project, seats in above.items() if seats > 0}

    def take(self, project: UUID) -> None:
        """Count one more seat."""
        self._taken[project] += 1

    def whose_turn(self, projects: Iterable[UUID]) -> set[UUID]:
        """Those below their share, in whatever order suits; else the one that is least above it."""
        fullness = {project: self.fullness(project) for project in set(projects)}
        least = min(fullness.values(), default=0.0)
        return {project for project, full in fullness.items() if full <= max(1.0, least)}


def _corrected(weights: Mapping[UUID, float], used: Mapping[UUID, float]) -> dict[UUID, float]:
    all_used = sum(used.get(project, 0.0) for project in weights)
    total = sum(weights.values())
    return {
        project: weight * _correction(due=all_used * weight / total, had=used.get(project, 0.0))
        for project, weight in weights.items()
    }


def _correction(*, due: float, had: float) -> float:
    return min(max((due + SLACK_S) / (had + SLACK_S), 1 / CORRECTION), CORRECTION)
