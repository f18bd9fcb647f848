from __future__ import annotations

import pytest

from tests.farmsim.fates import Fate, Fates

WANTED = {Fate.LOST_BELL: 3, Fate.OUT_OF_MEMORY: 2}


def dealt(fates: Fates, jobs: int) -> list[Fate | None]:
    return [fates.deal(f"job {number}") for number in range(jobs)]


def test_the_same_seed_deals_the_same() -> None:
    first, second = (dealt(Fates(WANTED, arrivals=40, seed=3), 40) for _ in range(2))
    assert first == second
    assert first != dealt(Fates(WANTED, arrivals=40, seed=4), 40)


def test_every_fate_is_dealt_as_often_as_wanted() -> None:
    fates = dealt(Fates(WANTED, arrivals=40, seed=3), 40)
    assert {fate: fates.count(fate) for fate in WANTED} == WANTED
    assert fates.count(None) == 35


def test_a_job_meets_one_fate_at_most() -> None:
    fates = Fates({Fate.LOST_BELL: 10}, arrivals=10, seed=1)
    assert [fates.deal("the same job") for _ in range(10)].count(Fate.LOST_BELL) == 1


def test_what_is_impossible_for_an_attempt_waits_for_another() -> None:
    fates = Fates({Fate.OUT_OF_MEMORY: 1}, arrivals=1, seed=1)
    assert fates.deal("on the largest card", impossible=(Fate.OUT_OF_MEMORY,)) is None
    assert fates.deal("on a small one") is Fate.OUT_OF_MEMORY


def test_a_fate_that_could_not_strike_is_dealt_again() -> None:
    fates = Fates({Fate.LOST_BELL: 1}, arrivals=1, seed=1)
    fates.again(fates.deal("on a node that dies"))
    fates.again(None)
    assert [fates.deal("elsewhere"), fates.deal("later")] == [Fate.LOST_BELL, None]


def test_jobs_that_something_else_happens_to_are_spared() -> None:
    fates = Fates({Fate.LOST_BELL: 1}, arrivals=1, seed=1)
    fates.strike(["on a dead node"])
    assert fates.deal("on a dead node") is None
    assert fates.deal("elsewhere") is Fate.LOST_BELL


def test_more_fates_than_attempts_are_refused() -> None:
    with pytest.raises(ValueError, match="5 fates for 4 attempts"):
        Fates(WANTED, arrivals=4, seed=1)
