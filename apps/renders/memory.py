"""Which tier a shape of work needs, by what happened on cards of each tier. Arithmetic only (ADR 0029)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Final, Self

from farm.tiers import NO_VRAM, TIERS_GB

ENOUGH: Final = 4
"""Successes on one tier, and no failure for memory, that prove it."""


@dataclass(frozen=True)
class Shape:
    """How much one kind of work asks of memory: pixels of a frame, and frames."""

    pixels: int
    frames: int

    def fits_where(self, other: Shape) -> bool:
        """Tell whether this needs no more than ``other``; template and precision are the same."""
        return self.pixels <= other.pixels and self.frames <= other.frames


@dataclass
class Experience:
    """What happened, by tier: renders that succeeded, and renders that ran out of memory."""

    successes: dict[int, int] = field(default_factory=dict)
    ooms: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Conclusion:
    """The tier to send work to, whether it was learned, and the tier below to try when cards of it idle."""

    tier_gb: int | None
    learned: bool
    explore_gb: int | None


def applying_to(shape: Shape, all_told: Iterable[tuple[Shape, Experience]]) -> Experience:
    """Gather what applies to a shape: successes of larger work prove it, failures of smaller disprove it."""
    mine = Experience()
    for other, told in all_told:
        if shape.fits_where(other):
            _add(mine.successes, told.successes)
        if other.fits_where(shape):
            _add(mine.ooms, told.ooms)
    return mine


def conclude(declared_gb: int | None, told: Experience) -> Conclusion:
    """The declared tier, until the smallest with enough successes and no failure for memory is known.

    No tier at or below one that failed is learned, and none above the declared tier (None: larger than any
    card) as long as that did well: a failure there was an accident then. One rung below what was concluded is
    worth trying unless memory failed there, or on a larger card.
    """
    failed = max((tier for tier, count in told.ooms.items() if count), default=0)
    proven = min((tier for tier in TIERS_GB if tier > failed and _suffices(tier, told)), default=None)
    known_below = proven is not None and (declared_gb is None or proven < declared_gb)
    disproven = (
        declared_gb is not None and NO_VRAM < declared_gb <= failed and not _suffices(declared_gb, told)
    )
    tier = (proven or declared_gb) if known_below or disproven else declared_gb
    below = _rung_below(tier)
    return Conclusion(tier, tier != declared_gb, below if below is not None and below > failed else None)


@dataclass(frozen=True)
class Sample:
    """Durations summed up: how many, their mean, and the sum of squared differences from it (Welford)."""

    count: int = 0
    mean: float = 0.0
    m2: float = 0.0

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Sum values up."""
        count, mean, m2 = 0, 0.0, 0.0
        for value in values:
            count += 1
            delta = value - mean
            mean += delta / count
            m2 += delta * (value - mean)
        return cls(count, mean, m2)

    def __add__(self, other: Self) -> Self:
        """Both together, as if they had been summed up at once (Chan)."""
        count = self.count + other.count
        if not count:
            return self
        delta = other.mean - self.mean
        return type(self)(
            count,
            self.mean + delta * other.count / count,
            self.m2 + other.m2 + delta * delta * self.count * other.count / count,
        )

    @property
    def spread(self) -> float:
        """The standard deviation; 0 for fewer than two."""
        return sqrt(self.m2 / (self.count - 1)) if self.count > 1 else 0.0


def _suffices(tier: int, told: Experience) -> bool:
    return told.successes.get(tier, 0) >= ENOUGH


def _rung_below(tier: int | None) -> int | None:
    if tier is None:
        return TIERS_GB[-1]
    return max((rung for rung in TIERS_GB if rung < tier), default=None)


def _add(sums: dict[int, int], counts: Mapping[int, int]) -> None:
    for tier, count in counts.items():
        sums[tier] = sums.get(tier, 0) + count
