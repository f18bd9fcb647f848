"""Which order goes on which road."""

from __future__ import annotations

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from apps.renders.matching import Capacity, Seat
from farm.tiers import TIERS_GB


def seat(tier_gb: int, *, held: int = 0, name: str = "") -> Seat:
    return Seat(uuid4(), name or f"gpu{tier_gb}", "e1", tier_gb, held)


def queue_of(capacity: Capacity, tier_gb: int) -> str | None:
    """The road of an order that any node of its tier may have."""
    for one in capacity.open():
        if one.tier_gb >= tier_gb and (road := capacity.give(one, tier_gb, shared=True)):
            return road.queue
    return None


def test_an_idle_node_is_given_work_to_start_now() -> None:
    assert queue_of(Capacity([seat(24)]), 8) == "vram.8"


def test_a_busy_node_is_given_work_to_stage() -> None:
    assert queue_of(Capacity([seat(24, held=1)]), 24) == "vram.24.next"


def test_a_node_with_a_staged_order_is_given_nothing() -> None:
    assert queue_of(Capacity([seat(24, held=2)]), 24) is None


def test_an_idle_node_goes_before_staging_behind_a_busy_one() -> None:
    assert queue_of(Capacity([seat(24, held=1), seat(24)]), 24) == "vram.24"


def test_nothing_goes_to_a_node_that_is_too_small() -> None:
    assert queue_of(Capacity([seat(8)]), 24) is None


def test_two_cards_of_twelve_never_hold_a_job_of_twenty_four() -> None:
    assert queue_of(Capacity([seat(12), seat(12)]), 24) is None


def test_an_order_on_its_way_takes_a_seat_of_its_own_tier_or_above() -> None:
    capacity = Capacity([seat(8), seat(24)], outstanding_now=[24])
    assert queue_of(capacity, 24) == "vram.24.next"
    assert queue_of(capacity, 24) is None
    assert queue_of(capacity, 8) == "vram.8"
    assert queue_of(capacity, 8) == "vram.8.next"


def test_a_second_order_is_staged_at_once_behind_the_first() -> None:
    capacity = Capacity([seat(24)])
    assert [queue_of(capacity, 24) for _ in range(3)] == ["vram.24", "vram.24.next", None]


def test_a_job_that_one_listener_cannot_run_goes_to_an_able_nodes_own_queue() -> None:
    able, unable = seat(24, name="able"), seat(24, name="unable")
    road = Capacity([unable, able]).give(able, 24, shared=False)
    assert road is not None
    assert (road.queue, road.node_id) == ("node.able.e1", able.node_id)


def test_a_nodes_own_queue_does_not_take_the_seat_an_order_on_its_way_needs() -> None:
    big, small = seat(24), seat(8)
    capacity = Capacity([big, small], outstanding_now=[24])
    assert capacity.give(big, 8, shared=False) is None


tiers = st.sampled_from((0, *TIERS_GB))
farms = st.lists(st.tuples(tiers, st.integers(0, 2)), max_size=8)


@given(farm=farms, jobs=st.lists(tiers, max_size=30))
def test_orders_on_queues_of_a_tier_and_above_never_exceed_the_seats_there(
    farm: list[tuple[int, int]], jobs: list[int]
) -> None:
    capacity = Capacity([seat(tier, held=held) for tier, held in farm])
    for job in jobs:
        queue_of(capacity, job)
    for tier in (0, *TIERS_GB):
        now = sum(order >= tier for order in capacity.outstanding_now)
        staged = sum(order >= tier for order in capacity.outstanding_next)
        places = sum(2 - min(one.held, 2) for one in capacity.seats if one.tier_gb >= tier)
        assert now <= sum(one.tier_gb >= tier and one.held == 0 for one in capacity.seats)
        assert now + staged <= places


@given(farm=st.lists(tiers, min_size=1, max_size=8), tier_gb=tiers)
def test_a_fitting_idle_node_is_always_used(farm: list[int], tier_gb: int) -> None:
    capacity = Capacity([seat(tier) for tier in farm])
    assert (queue_of(capacity, tier_gb) is not None) == (max(farm) >= tier_gb)
