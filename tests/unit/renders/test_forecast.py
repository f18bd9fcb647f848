"""The forecast against futures that are played out: what it promises holds as often as it says."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass
from random import Random

import pytest

from apps.renders.forecast import (
    Ahead,
    Durations,
    Expected,
    InHand,
    Line,
    Queue,
    Span,
    expect,
    expect_running,
    expect_turns,
)

TRIALS = 80


def observed(seconds: list[float]) -> Durations:
    """What the farm knows after these renders."""
    together = Durations()
    for one in seconds:
        together += Durations(1, one, 0.0)
    return together


@dataclass(frozen=True)
class Kind:
    """The truth about one shape of work, which the forecast never sees."""

    mean: float
    ratio: float

    def render(self, random: Random) -> float:
        scale = math.sqrt(math.log1p(self.ratio**2))
        return math.exp(random.gauss(math.log(self.mean) - scale**2 / 2, scale))


@dataclass(frozen=True)
class World:
    """A farm: how many nodes, how many jobs go first, how often each kind was seen before."""

    nodes: int
    ahead: int
    seen: int
    ratio: float


WORLDS = [
    World(nodes=1, ahead=0, seen=3, ratio=0.1),
    World(nodes=1, ahead=5, seen=5, ratio=0.3),
    World(nodes=4, ahead=3, seen=4, ratio=0.2),
    World(nodes=4, ahead=40, seen=20, ratio=0.4),
    World(nodes=8, ahead=200, seen=6, ratio=0.25),
    World(nodes=40, ahead=1000, seen=50, ratio=0.5),
]


def one_trial(world: World, random: Random) -> tuple[Expected | None, float, float]:
    """Forecast a job in a world, then let the world go on; return what was told and what came."""
    kinds = [Kind(mean, world.ratio) for mean in (12.0, 60.0, 300.0)]
    known = {kind: observed([kind.render(random) for _ in range(world.seen)]) for kind in kinds}
    seats, free = [], []
    for _ in range(world.nodes):
        kind = random.choice(kinds)
        whole = kind.render(random)
        elapsed = whole * random.random()
        seats.append([InHand(known[kind], elapsed, random.choice((0.0, elapsed / whole)))])
        free.append(whole - elapsed)
    queue = [random.choice(kinds) for _ in range(world.ahead)]
    own = random.choice(kinds)
    told = expect(
        Queue(seats, [Ahead(queue.count(kind), known[kind]) for kind in kinds]),
        known[own],
        seed=random.randrange(1 << 30),
    )
    heapq.heapify(free)
    for kind in queue:
        heapq.heapreplace(free, free[0] + kind.render(random))
    return told, free[0], free[0] + own.render(random)


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_start_and_end_lie_in_the_interval_at_least_four_times_in_five(world: World) -> None:
    random = Random(f"{world}")
    starts = ends = 0
    widths = []
    for _ in range(TRIALS):
        told, start, end = one_trial(world, random)
        assert told is not None
        assert told.start is not None
        starts += told.start.earliest - 1 <= start <= told.start.latest + 1
        ends += told.end.earliest - 1 <= end <= told.end.latest + 1
        widths.append((told.end.latest - told.end.earliest) / end)
    assert starts / TRIALS >= 0.8
    assert ends / TRIALS >= 0.8
    assert sorted(widths)[TRIALS // 2] < 3, "an interval that says everything says nothing"


@pytest.mark.parametrize("seen", [3, 10, 100])
@pytest.mark.parametrize("with_progress", [False, True])
def test_a_running_job_ends_in_its_interval_at_least_four_times_in_five(
    seen: int, with_progress: bool
) -> None:
    random = Random(seen)
    hits = 0
    for trial in range(TRIALS):
        kind = Kind(90.0, 0.3)
        whole = kind.render(random)
        elapsed = whole * random.random()
        known = observed([kind.render(random) for _ in range(seen)])
        work = InHand(known, elapsed, elapsed / whole if with_progress else 0.0)
        told = expect_running(work, seed=trial)
        assert told is not None
        hits += told.end.earliest - 1 <= whole - elapsed <= told.end.latest + 1
    assert hits / TRIALS >= 0.8


def test_more_observations_make_it_narrower() -> None:
    random = Random(1)
    few = observed([Kind(100.0, 0.1).render(random) for _ in range(3)])
    many = observed([Kind(100.0, 0.1).render(random) for _ in range(300)])
    wide, narrow = (expect_running(InHand(known, 0.0)) for known in (few, many))
    assert wide is not None
    assert narrow is not None
    assert narrow.end.latest - narrow.end.earliest < (wide.end.latest - wide.end.earliest) / 1.3


def test_nothing_is_told_from_two_observations() -> None:
    two, three = observed([10.0, 12.0]), observed([10.0, 12.0, 11.0])
    assert expect(Queue([[]]), two) is None
    assert expect_running(InHand(two, 1.0)) is None
    assert expect(Queue([[InHand(two, 1.0)]]), three) is None
    assert expect(Queue([[]], [Ahead(1, two)]), three) is None
    assert expect(Queue([[]]), three) is not None


def test_nothing_is_told_where_no_node_could_take_it() -> None:
    known = observed([10.0, 12.0, 11.0])
    assert expect(Queue([]), known) is None
    assert expect(Queue([[InHand(observed([1.0]), 0.5)]]), known) is None


def test_a_node_whose_work_was_never_seen_is_left_out_and_the_others_count() -> None:
    known, strange = observed([10.0, 12.0, 11.0]), observed([])
    told = expect(Queue([[InHand(strange, 5.0)], []]), known)
    assert told is not None
    assert told.start == Span(0.0, 0.0)


def test_the_same_question_has_the_same_answer() -> None:
    known = observed([10.0, 12.0, 11.0])
    queue = Queue([[InHand(known, 5.0)]], [Ahead(3, known)])
    assert expect(queue, known, seed=7) == expect(queue, known, seed=7)


def test_a_job_does_not_start_before_what_it_waits_for() -> None:
    known = observed([10.0, 12.0, 11.0])
    told = expect(Queue([[]]), known, not_before=Span(1000.0, 1000.0))
    assert told is not None
    assert told.start == Span(1000.0, 1000.0)
    assert told.end.earliest > 1005


def test_work_that_only_half_meets_the_same_nodes_counts_half() -> None:
    known = observed([10.0] * 50)
    whole, half = (expect(Queue([[]], [Ahead(jobs, known)]), known) for jobs in (400, 200))
    assert whole is not None
    assert half is not None
    assert whole.end.latest == pytest.approx(2 * half.end.latest, rel=0.1)


def test_observations_add_up_as_if_made_together() -> None:
    seconds = [3.0, 5.0, 8.0, 13.0, 21.0, 34.0]
    once, both = observed(seconds), observed(seconds[:2]) + observed(seconds[2:])
    assert both.count == once.count == 6
    assert both.mean == pytest.approx(once.mean)
    assert both.deviation == pytest.approx(once.deviation)
    assert Durations() + once == once + Durations() == once


def test_five_hundred_nodes_with_two_jobs_each_are_played_in_moments() -> None:
    known = observed([10.0, 12.0, 11.0])
    seats = [[InHand(known, 5.0), InHand(known)] for _ in range(500)]
    told = expect(Queue(seats, [Ahead(20_000, known)]), known)
    assert told is not None
    assert told.start is not None
    assert 300 < told.start.earliest < 22 * 20_000 / 500


def test_lines_before_the_same_seats_are_played_together() -> None:
    takes = observed([600.0, 610.0, 590.0])
    seats = {"free": [], "busy": [InHand(takes, 300.0)], "strange": [InHand(Durations())]}
    told = expect_turns(
        seats,
        {
            "at once": Line(["free", "busy"]),
            "soon": Line(["busy", "strange"]),
            "later": Line(["busy"], [Ahead(2, takes)]),
            "unseen before it": Line(["free"], [Ahead(1, Durations())]),
            "unseen in hand": Line(["strange"]),
            "no seat": Line([]),
        },
    )
    assert told["at once"] == Span(0.0, 0.0)
    assert (told["unseen before it"], told["unseen in hand"], told["no seat"]) == (None, None, None)
    soon, later = told["soon"], told["later"]
    assert soon is not None
    assert later is not None
    assert soon.earliest < 300 < soon.latest
    assert later.earliest > 1_300
    assert later.latest < 1_800
