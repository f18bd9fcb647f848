"""When a job starts and ends: pure arithmetic over observed durations (docs/adr/0031).

The order in which the dispatcher would serve is played many times with durations drawn from what was
observed; what comes out is an interval that holds the truth nine times in ten, if the future is like the
past. All times are seconds from now.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import NormalDist
from typing import Final, Generic, TypeVar

from apps.renders.memory import Sample

FEWEST: Final = 3
"""Observations below which no duration is told."""

LOW: Final = 0.05
HIGH: Final = 0.95
"""The interval's quantiles."""

_SEATS_PLAYED: Final = 8_000
_FEWEST_PLAYS: Final = 60
_MOST_PLAYS: Final = 200
_ONE_BY_ONE: Final = 32
"""Jobs ahead that are played one by one; more of them are poured in together."""

_LEAST_DEVIATION: Final = 0.04
"""Of the mean: what staging and collecting add, and what no observation showed yet."""

_NORMAL: Final = NormalDist()

K = TypeVar("K")
L = TypeVar("L")


@dataclass(frozen=True)
class Durations(Sample):
    """Observed seconds of one shape of work."""

    @property
    def known(self) -> bool:
        """There are enough observations to tell a duration."""
        return self.count >= FEWEST and self.mean > 0

    @property
    def deviation(self) -> float:
        """Standard deviation of one duration, in seconds, never less than a small part of the mean."""
        return max(self.spread, _LEAST_DEVIATION * self.mean)


@dataclass(frozen=True)
class InHand:
    """Work a node has. ``elapsed``: seconds it has executed, None if it is staged; ``progress``: 0 to 1."""

    takes: Durations
    elapsed: float | None = None
    progress: float = 0.0


@dataclass(frozen=True)
class Ahead:
    """Jobs that go before: how many (a fraction, where only a part meets the same nodes), how long each."""

    jobs: float
    takes: Durations


@dataclass(frozen=True)
class Queue:
    """What stands before a job: the nodes that could take it, what each has in hand, and who goes first."""

    seats: Sequence[Sequence[InHand]]
    ahead: Sequence[Ahead] = ()


@dataclass(frozen=True)
class Span:
    """Seconds from now: not before ``earliest``, not after ``latest``, nine times in ten."""

    earliest: float
    latest: float

    def after(self, other: Span) -> Span:
        """The later of both, end by end."""
        return Span(max(self.earliest, other.earliest), max(self.latest, other.latest))


@dataclass(frozen=True)
class Expected:
    """When a job starts (None: it has started) and when it ends."""

    end: Span
    start: Span | None = None


def expect_running(work: InHand, *, seed: int = 0) -> Expected | None:
    """When work that executes, or is staged behind nothing, ends; None while too little was observed."""
    if not work.takes.known:
        return None
    play = _Play(Random(seed))
    ends = []
    for _ in range(_MOST_PLAYS):
        play.again()
        ends.append(play.left(work))
    return Expected(_span(ends))


def expect(
    queue: Queue, takes: Durations, *, not_before: Span | None = None, seed: int = 0
) -> Expected | None:
    """When a waiting job starts and ends; None while too little was observed, or no node could take it.

    ``not_before``: it may not start earlier, whatever stands before it (a start time, a dependency's end).
    """
    ahead = _some(queue.ahead)
    seats = [seat for seat in queue.seats if all(work.takes.known for work in seat)]
    if not takes.known or not seats or not all(kind.takes.known for kind in ahead):
        return None
    plays = max(_FEWEST_PLAYS, min(_MOST_PLAYS, _SEATS_PLAYED // len(seats)))
    play = _Play(Random(seed))
    starts, ends = [], []
    for _ in range(plays):
        play.again()
        start = play.turn([play.free(seat) for seat in seats], ahead)
        if not_before is not None:
            start = max(start, play.between(not_before))
        starts.append(start)
        ends.append(start + play.duration(takes))
    return Expected(_span(ends), _span(starts))


@dataclass(frozen=True)
class Line(Generic[K]):
    """A line before some of many seats, by their keys, and who stands in it."""

    seats: Collection[K]
    ahead: Sequence[Ahead] = ()


def expect_turns(
    seats: Mapping[K, Sequence[InHand]], lines: Mapping[L, Line[K]], *, seed: int = 0
) -> dict[L, Span | None]:
    """When whoever joins each line now has a seat; None while too little was observed, or without seats.

    A seat may stand in several lines: what it has in hand is played once for all of them.
    """
    known = {key: seat for key, seat in seats.items() if all(work.takes.known for work in seat)}
    queues = {
        name: ([key for key in line.seats if key in known], _some(line.ahead)) for name, line in lines.items()
    }
    found: dict[L, Span | None] = dict.fromkeys(lines)
    played = dict[L, list[float]]()
    for name, (keys, ahead) in queues.items():
        if not ahead and not all(known[key] for key in keys):
            found[name] = Span(0.0, 0.0)
        elif keys and all(kind.takes.known for kind in ahead):
            played[name] = []
    busy = {key for name in played for key in queues[name][0]}
    play = _Play(Random(seed))
    for _ in range(_FEWEST_PLAYS if played else 0):
        play.again()
        free = {key: play.free(known[key]) for key in busy}
        for name, turns in played.items():
            keys, ahead = queues[name]
            turns.append(play.turn([free[key] for key in keys], ahead))
    return found | {name: _span(turns) for name, turns in played.items()}


def _some(ahead: Sequence[Ahead]) -> list[Ahead]:
    return [kind for kind in ahead if kind.jobs > 0]


@dataclass
class _Play:
    """One possible future at a time. A kind of work keeps its drawn mean for the whole of a future."""

    random: Random
    shapes: dict[Durations, tuple[float, float]] = field(default_factory=dict)

    def again(self) -> None:
        """Forget this future."""
        self.shapes.clear()

    def duration(self, takes: Durations) -> float:
        """Seconds of one job, lognormal: never negative, and now and then long."""
        location, scale = self._shape(takes)
        return math.exp(self.random.gauss(location, scale))

    def left(self, work: InHand) -> float:
        """Seconds a job in hand still takes, given that it has not ended yet."""
        if work.elapsed is None:
            return self.duration(work.takes)
        location, scale = _with_progress(*self._shape(work.takes), work.elapsed, work.progress)
        if work.elapsed <= 0:
            return math.exp(self.random.gauss(location, scale))
        ended = _NORMAL.cdf((math.log(work.elapsed) - location) / scale)
        if ended > 0.999:  # longer than anything observed: as long again as its tail suggests
            return work.elapsed * scale * self.random.expovariate(2.0)
        drawn = ended + (1 - ended) * self.random.random()
        whole = math.exp(location + scale * _NORMAL.inv_cdf(min(max(drawn, 1e-9), 1 - 1e-9)))
        return max(0.0, whole - work.elapsed)

    def free(self, seat: Sequence[InHand]) -> float:
        """When a seat has done what it has in hand."""
        return sum(self.left(work) for work in seat)

    def turn(self, free: list[float], ahead: Sequence[Ahead]) -> float:
        """When the first of these seats is free for a job, once all that go ahead have theirs."""
        jobs = sum(kind.jobs for kind in ahead)
        if jobs > _ONE_BY_ONE:
            return self._poured(free, ahead)
        heapq.heapify(free)
        queue = [kind.takes for kind in ahead for _ in range(self._whole(kind.jobs))]
        self.random.shuffle(queue)
        for takes in queue:
            heapq.heapreplace(free, free[0] + self.duration(takes))
        return free[0]

    def between(self, span: Span) -> float:
        """A moment of a span that holds nine of ten."""
        middle, wide = (span.earliest + span.latest) / 2, (span.latest - span.earliest) / 2
        return self.random.gauss(middle, wide / _NORMAL.inv_cdf(HIGH)) if wide else middle

    def _poured(self, free: list[float], ahead: Sequence[Ahead]) -> float:
        """Fill the seats with all work ahead as if it were water.

        Jobs are no water: when the last of them has its seat, each other seat still has, on average, half
        of its job before it, and the longer jobs more often (the mean residual life).
        """
        work = squares = spread = 0.0
        for kind in ahead:
            location, scale = self._shape(kind.takes)
            mean = math.exp(location + scale**2 / 2)
            work += kind.jobs * mean
            squares += kind.jobs * math.exp(scale**2) * mean**2
            spread += kind.jobs * math.expm1(scale**2) * mean**2
        poured = max(0.0, self.random.gauss(work, math.sqrt(spread)))
        level, seats = _level(sorted(free), poured)
        residual = squares / work / 2 * (seats - 1) / seats
        return max(min(free), level - self.random.gauss(residual, residual / math.sqrt(seats)))

    def _whole(self, jobs: float) -> int:
        """A whole number of jobs, on average as many as are ahead."""
        whole = int(jobs)
        return whole + (self.random.random() < jobs - whole)

    def _shape(self, takes: Durations) -> tuple[float, float]:
        """Location and scale of the lognormal; the mean is as unsure as few observations leave it."""
        if takes not in self.shapes:
            ratio = takes.deviation / takes.mean
            scale = math.sqrt(math.log1p(ratio**2))
            freedom = takes.count - 1
            # Drawn as Student's and chi's distributions would: three observations are far from the truth.
            scale *= math.sqrt(freedom / max(self.random.gammavariate(freedom / 2, 2.0), 0.1 * freedom))
            location = math.log(takes.mean) - math.log1p(ratio**2) / 2
            self.shapes[takes] = location + self.random.gauss(0, scale / math.sqrt(takes.count)), scale
        return self.shapes[takes]


def _with_progress(location: float, scale: float, elapsed: float, progress: float) -> tuple[float, float]:
    """What is known before, and what the progress so far says of the whole, weighed by how sure each is."""
    if not 0.1 <= progress < 1 or elapsed <= 0:
        return location, scale
    doubt = 0.04 + 0.4 * (1 - progress)
    weight = scale**2 / (scale**2 + doubt**2)
    told = math.log(elapsed / progress)
    return location + weight * (told - location), math.sqrt(1 - weight) * scale


def _level(free: Sequence[float], work: float) -> tuple[float, int]:
    """How high work stands, and in how many seats, when poured over seats that get free at these times."""
    for seats, (now, after) in enumerate(zip(free, [*free[1:], math.inf], strict=True), start=1):
        room = (after - now) * seats
        if work <= room:
            return now + work / seats, seats
        work -= room
    return free[-1], len(free)


def _span(drawn: list[float]) -> Span:
    ranked = sorted(drawn)
    return Span(_at(ranked, LOW), _at(ranked, HIGH))


def _at(ranked: Sequence[float], quantile: float) -> float:
    place = quantile * (len(ranked) - 1)
    below = int(place)
    above = min(below + 1, len(ranked) - 1)
    return ranked[below] + (place - below) * (ranked[above] - ranked[below])
