"""When a node loads other models, and when it leaves work to nodes that hold them."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import UUID

import pytest

from apps.nodes.models import Node
from apps.renders.models import Priority
from apps.renders.scheduling.demand import Waiting
from apps.renders.scheduling.fronts import STARVATION
from apps.renders.scheduling.match import FRESH, PATIENCE, Pick
from apps.renders.scheduling.warmth import LOAD_S
from tests.farmsim import fifo
from tests.farmsim.trace import mixed, seconds_for
from tests.unit.renders.farm_on_paper import NOW, Farm, in_hand, lane, node
from tests.unit.renders.trace_on_paper import Trace

A, B = "unet/a", "unet/b"
SETTLED_S = FRESH.total_seconds() + 1
"""The age of work that is fresh no more."""


def warm(count: int, models: str = A) -> list[Node]:
    return [node(24, f"warm{number}", resident=[models]) for number in range(count)]


def names(picks: list[Pick]) -> set[str]:
    return {pick.seat.name for pick in picks}


def farm(nodes: list[Node], *lanes: Waiting, seconds: float = 5.0) -> Farm:
    """Nodes and lanes whose renders take so long."""
    return Farm(nodes, list(lanes), seconds={each.lane.pk: seconds for each in lanes})


def busy(made: Farm, gpu: Node, like: Waiting, *, seconds: float) -> None:
    """Let a node have begun something with this lane's models that takes so long."""
    other = lane(24, models=sorted(like.models))
    made.seconds[other.lane.pk] = seconds
    made.held.append(in_hand(gpu, other)._replace(lane_id=other.lane.pk))
    known = made.models_of

    def models_of(lane_id: UUID) -> frozenset[str]:
        return other.models if lane_id == other.lane.pk else known(lane_id)

    made.models_of = models_of


def hangs(made: Farm, gpu: Node, like: Waiting) -> None:
    """Let a node have two in hand that are to be done within seconds, and never are."""
    for _place in range(2):
        busy(made, gpu, like, seconds=1)


def test_a_cold_node_leaves_what_one_warm_node_begins_within_a_load() -> None:
    work = lane(24, models=[A], jobs=4)
    assert names(farm([*warm(1), node(24, "cold")], work).match()) == {"warm0"}


def test_a_cold_node_helps_where_there_is_much_to_do() -> None:
    work = lane(24, models=[A], jobs=50)
    assert names(farm([*warm(1), node(24, "cold")], work).match()) == {"warm0", "cold"}


def test_the_more_nodes_are_warm_the_more_is_left_to_them() -> None:
    """Ten renders of ten seconds: too much for one, not for five."""
    few, many = (lane(24, models=[A], jobs=jobs, age_s=SETTLED_S) for jobs in (10, 50))
    assert "cold" in names(farm([*warm(1), node(24, "cold")], few, seconds=10).match())
    assert "cold" not in names(farm([*warm(5), node(24, "cold")], many, seconds=10).match())


def test_work_is_left_however_long_it_has_waited() -> None:
    """All of a trace that began at once has waited long: its end is no reason to load everything again."""
    work = lane(24, models=[A], jobs=4, age_s=3_000)
    assert names(farm([*warm(1), node(24, "cold")], work).match()) == {"warm0"}


def test_a_job_that_was_left_for_too_long_is_left_no_more() -> None:
    gpu, cold = node(24, "warm", resident=[A]), node(24, "cold")
    work = lane(24, models=[A])
    made = farm([gpu, cold], work)
    head = work.heads[0]
    hangs(made, gpu, work)
    assert made.match() == []
    made.now = NOW + PATIENCE
    assert made.match() == []
    made.now = NOW + PATIENCE + timedelta(seconds=1)
    [pick] = made.match()
    assert (pick.head, pick.seat.name) == (head, "cold")


def test_the_time_a_job_was_left_is_forgotten_with_the_job() -> None:
    gpu, cold = node(24, "warm", resident=[A]), node(24, "cold")
    work = lane(24, models=[A])
    made = farm([gpu, cold], work)
    hangs(made, gpu, work)
    made.match()
    assert list(made.turns.left_since) == [work.heads[0].job_id]
    made.lanes = [lane(24, models=[B])]
    made.match()
    assert made.turns.left_since == {}


def test_what_a_warm_node_has_in_hand_comes_first_there() -> None:
    gpu, cold = node(24, "warm", resident=[A]), node(24, "cold")
    work = lane(24, models=[A])
    made = farm([gpu, cold], work)
    busy(made, gpu, work, seconds=LOAD_S - 1)
    assert names(made.match()) == {"warm"}
    work = lane(24, models=[A])
    made = farm([gpu, cold], work)
    busy(made, gpu, work, seconds=600)
    assert names(made.match()) == {"cold"}


@pytest.mark.parametrize("rank", [Priority.URGENT, 25])
def test_hurried_work_is_left_only_where_it_begins_no_later(rank: int) -> None:
    """Four warm nodes begin all of it within two loads: normal work is left to them."""
    nodes = [*warm(4), node(24, "cold")]
    jobs = int(4 * 3 * LOAD_S / 10)
    normal = lane(24, models=[A], jobs=jobs, age_s=SETTLED_S)
    assert names(farm(nodes, normal, seconds=10).match()) == names_of(nodes[:4])
    hurried = lane(24, models=[A], jobs=jobs, rank=rank, age_s=SETTLED_S)
    assert "cold" in names(farm(nodes, hurried, seconds=10).match())


def names_of(nodes: list[Node]) -> set[str]:
    return {each.name for each in nodes}


def test_fresh_and_starving_work_is_left_only_where_it_begins_no_later() -> None:
    """Who has just pressed Render has a free card at once; what waits with thousands of others does not."""
    for age_s, takes in (
        (0.0, {"cold"}),
        (SETTLED_S, set[str]()),
        (STARVATION.total_seconds() + 1, {"cold"}),
    ):
        nodes, work = warm(4), lane(24, models=[A], age_s=age_s)
        made = farm([*nodes, node(24, "cold")], work)
        for gpu in nodes:
            busy(made, gpu, work, seconds=2 * LOAD_S)
            busy(made, gpu, work, seconds=0)
        assert names(made.match()) == takes


def test_a_lower_class_gets_no_seat_that_a_higher_one_left_to_begin_later() -> None:
    high = lane(24, models=[A], jobs=24, rank=Priority.HIGH)
    low = lane(24, models=[B], jobs=24, rank=Priority.LOW)
    picks = farm([*warm(4), node(24, "cold")], high, low, seconds=10).match()
    assert {pick.waiting.lane.pk for pick in picks if pick.seat.name == "cold"} == {high.lane.pk}


def test_what_a_job_leaves_another_may_have() -> None:
    """The other one is younger by more than affinity may overtake; nobody is overtaken."""
    left, other = lane(24, models=[A], jobs=4, age_s=3_000), lane(24, models=[B], jobs=4)
    picks = farm([*warm(1), node(24, "cold")], left, other).match()
    assert {(pick.seat.name, *pick.waiting.models) for pick in picks} == {("warm0", A), ("cold", B)}


def test_nothing_is_left_to_nodes_that_cannot_do_it() -> None:
    cold = node(24, "cold")
    pinned = lane(24, models=[A], pinned_to=cold)
    assert names(farm([*warm(3), cold], pinned).match()) == {"cold"}
    work = lane(24, models=[A])
    blocked = farm([*(nodes := warm(3)), cold], work)
    blocked.blocks = {work.template_id: {each.pk for each in nodes}}
    assert names(blocked.match()) == {"cold"}


def test_a_kind_of_render_never_seen_is_left_to_nobody() -> None:
    work = lane(24, models=[A], jobs=4)
    assert "cold" in names(Farm([*warm(1), node(24, "cold")], [work]).match())


def test_a_node_changes_to_work_that_would_end_clearly_later_than_its_own() -> None:
    """A thousand seconds on four nodes and two thousand on one: 500 on two and 667 on three are better."""
    mine, other = lane(24, models=[A], jobs=100), lane(24, models=[B], jobs=200)
    picks = farm([*warm(4), node(24, "other", resident=[B])], mine, other, seconds=10).match()
    changed = {pick.seat.name for pick in picks if pick.waiting is other} - {"other"}
    assert len(changed) == 2


def test_a_node_keeps_its_models_where_changing_would_only_turn_the_tables() -> None:
    """Either of two nodes that changes would leave its own work alone for as long."""
    mine, other = lane(24, models=[A], jobs=40), lane(24, models=[B], jobs=42)
    nodes = [node(24, "a", resident=[A]), node(24, "b", resident=[B])]
    picks = farm(nodes, mine, other, seconds=10).match()
    assert {(pick.seat.name, *pick.waiting.models) for pick in picks} == {("a", A), ("b", B)}


def test_the_last_node_of_a_model_keeps_it_while_there_is_work() -> None:
    mine, other = lane(24, models=[A], jobs=2), lane(24, models=[B], jobs=500)
    picks = farm(warm(1), mine, other, seconds=10).match()
    assert {pick.waiting.lane.pk for pick in picks} == {mine.lane.pk}


def test_a_place_is_given_behind_what_ends_first() -> None:
    soon, late = node(24, "soon", resident=[A]), node(24, "late", resident=[A])
    work = lane(24, models=[A])
    made = farm([late, soon], work)
    busy(made, late, work, seconds=500)
    busy(made, soon, work, seconds=50)
    assert names(made.match()) == {"soon"}


def test_a_trace_that_waits_at_once_is_rendered_with_few_loads_and_little_delay() -> None:
    rng = random.Random(7)
    jobs = [(each, seconds_for(each, pace=1, rng=rng)) for each in mixed(jobs=1_250, seed=7)]
    cards = [24] * 32
    played = Trace(jobs, cards=cards).play()
    plainly = fifo.fifo(jobs, cards=cards, pace=1)
    least = fifo.least_loads(jobs, cards=cards, pace=1, makespan_s=played.makespan_s)
    assert played.loads <= 1.2 * least
    assert played.makespan_s <= 1.1 * fifo.least_makespan_s(jobs, cards=cards, pace=1)
    assert played.loads * 10 < plainly.loads
    assert played.makespan_s < plainly.makespan_s
