"""Which tier work needs, by what happened: the rule itself, played with made-up experience."""

from __future__ import annotations

from statistics import mean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.renders.memory import ENOUGH, Conclusion, Experience, Sample, Shape, applying_to, conclude
from farm.tiers import NO_VRAM, TIERS_GB

COUNTS = st.dictionaries(st.sampled_from(TIERS_GB), st.integers(0, 9))
EXPERIENCES = st.builds(Experience, COUNTS, COUNTS)
DECLARED = st.sampled_from([*TIERS_GB, None])
SHAPES = st.builds(Shape, st.integers(1, 50), st.integers(1, 5))
DURATIONS = st.lists(st.floats(0.01, 5_000), max_size=20)


def size(tier_gb: int | None) -> float:
    """A tier, or more than any card has."""
    return float("inf") if tier_gb is None else tier_gb


def disproven(declared: int | None, told: Experience) -> bool:
    """Memory failed on the declared tier or on a larger card, and the declared tier never did well."""
    if declared is None or declared == NO_VRAM:
        return False
    failed = any(count and tier >= declared for tier, count in told.ooms.items())
    return failed and told.successes.get(declared, 0) < ENOUGH


@given(DECLARED, EXPERIENCES)
def test_a_learned_tier_has_no_failure_on_it_or_a_larger_card_and_proof_of_its_own_unless_all_below_failed(
    declared: int | None, told: Experience
) -> None:
    found = conclude(declared, told)
    assert found.learned == (found.tier_gb != declared)
    if not found.learned or (found.tier_gb == TIERS_GB[-1] and told.ooms.get(TIERS_GB[-1])):
        return
    assert found.tier_gb is not None
    failed = max((tier for tier, count in told.ooms.items() if count), default=0)
    assert failed < found.tier_gb
    rungs = [tier for tier in TIERS_GB if tier > failed]
    assert told.successes.get(found.tier_gb, 0) >= ENOUGH or found.tier_gb == rungs[0]


@given(DECLARED, EXPERIENCES)
def test_no_tier_is_above_a_declared_one_that_did_well_nor_is_a_smaller_proven_one_overlooked(
    declared: int | None, told: Experience
) -> None:
    found = conclude(declared, told)
    assert size(found.tier_gb) <= size(declared) or disproven(declared, told)
    failed = max((tier for tier, count in told.ooms.items() if count), default=0)
    proven = {tier for tier, count in told.successes.items() if count >= ENOUGH and tier > failed}
    assert not any(tier < size(found.tier_gb) for tier in proven)


@given(DECLARED, EXPERIENCES)
def test_what_is_tried_next_is_one_rung_down_and_not_disproven(
    declared: int | None, told: Experience
) -> None:
    found = conclude(declared, told)
    if found.explore_gb is None:
        return
    assert size(found.explore_gb) < size(found.tier_gb)
    assert not any(found.explore_gb < tier < size(found.tier_gb) for tier in TIERS_GB)
    assert all(tier < found.explore_gb for tier, count in told.ooms.items() if count)
    assert told.successes.get(found.explore_gb, 0) < ENOUGH


@given(DECLARED, EXPERIENCES, st.sampled_from(TIERS_GB))
def test_a_failure_for_memory_never_moves_work_to_a_smaller_card(
    declared: int | None, told: Experience, tier: int
) -> None:
    before = conclude(declared, told)
    worse = Experience(told.successes, {**told.ooms, tier: told.ooms.get(tier, 0) + 1})
    assert size(conclude(declared, worse).tier_gb) >= size(before.tier_gb)


@given(st.lists(st.tuples(SHAPES, EXPERIENCES), min_size=1, max_size=6), DECLARED, SHAPES, SHAPES)
def test_smaller_work_never_needs_a_larger_card_than_larger_work(
    family: list[tuple[Shape, Experience]], declared: int | None, one: Shape, other: Shape
) -> None:
    if not one.fits_where(other):
        return
    told = applying_to(one, family)
    smaller = conclude(declared, told)
    larger = conclude(declared, applying_to(other, family))
    # Where memory failed on the declared tier, what proves a larger one for this says nothing of that.
    assert disproven(declared, told) or size(smaller.tier_gb) <= size(larger.tier_gb)


@pytest.mark.parametrize(
    ("declared", "successes", "ooms", "found"),
    [
        (24, {}, {}, Conclusion(24, learned=False, explore_gb=16)),
        (24, {16: ENOUGH - 1}, {}, Conclusion(24, learned=False, explore_gb=16)),
        (24, {16: ENOUGH}, {}, Conclusion(16, learned=True, explore_gb=12)),
        (24, {16: ENOUGH}, {12: 1}, Conclusion(16, learned=True, explore_gb=None)),
        (24, {16: 100}, {16: 1}, Conclusion(24, learned=False, explore_gb=None)),
        (24, {32: 100}, {24: 3}, Conclusion(32, learned=True, explore_gb=None)),
        (24, {32: ENOUGH - 1}, {24: 3}, Conclusion(24, learned=False, explore_gb=None)),
        (24, {24: ENOUGH, 32: 100}, {24: 1}, Conclusion(24, learned=False, explore_gb=None)),
        (16, {24: ENOUGH}, {16: 1, 24: 1}, Conclusion(32, learned=True, explore_gb=None)),
        (16, {}, {140: 1}, Conclusion(140, learned=True, explore_gb=None)),
        (24, {12: ENOUGH, 16: ENOUGH}, {12: 1}, Conclusion(16, learned=True, explore_gb=None)),
        (8, {}, {}, Conclusion(8, learned=False, explore_gb=None)),
        (None, {}, {}, Conclusion(None, learned=False, explore_gb=140)),
        (None, {140: ENOUGH}, {}, Conclusion(140, learned=True, explore_gb=96)),
        (None, {}, {140: 1}, Conclusion(None, learned=False, explore_gb=None)),
        (NO_VRAM, {8: 100}, {8: 1}, Conclusion(NO_VRAM, learned=False, explore_gb=None)),
    ],
)
def test_a_tier_is_concluded_from_what_happened_on_cards_of_each(
    declared: int | None, successes: dict[int, int], ooms: dict[int, int], found: Conclusion
) -> None:
    assert conclude(declared, Experience(successes, ooms)) == found


@given(DURATIONS, DURATIONS)
def test_samples_summed_apart_say_what_one_sum_says(some: list[float], more: list[float]) -> None:
    both = Sample.of(some) + Sample.of(more)
    every = some + more
    assert both.count == len(every)
    if every:
        assert both.mean == pytest.approx(mean(every))
    if len(every) > 1:
        assert both.spread == pytest.approx(stdev(every), abs=1e-3)
