from __future__ import annotations

import pytest

from tests.farmsim import fifo
from tests.farmsim.models import models

A, B = "sim_qwen_image", "sim_wan22_i2v_4step"
"""Two that do not fit a card of 24 GB together."""


def test_whoever_is_free_takes_the_oldest() -> None:
    replayed = fifo.fifo([(A, 3.0), (B, 1.0), (A, 1.0)], cards=[24, 24], pace=0.0)
    assert replayed == fifo.Replayed(loads=3, makespan_s=3.0)


def test_loading_takes_its_time() -> None:
    replayed = fifo.fifo([(A, 1.0), (A, 1.0)], cards=[24], pace=0.1)
    assert replayed.loads == 1
    assert replayed.makespan_s == pytest.approx(2.0 + models()[A].load_s * 0.1)


def test_models_that_take_turns_on_one_card_are_loaded_every_time() -> None:
    assert fifo.fifo([(A, 1.0), (B, 1.0)] * 5, cards=[24], pace=0.0).loads == 10


def test_no_replay_goes_below_the_bounds() -> None:
    jobs = [(A, 1.0), (B, 2.0), (A, 0.5), (B, 1.5)] * 5
    for cards in ([24], [24] * 3, [24] * 40):
        replayed = fifo.fifo(jobs, cards=cards, pace=0.05)
        least = fifo.least_loads(jobs, cards=cards, pace=0.05, makespan_s=replayed.makespan_s)
        assert replayed.loads >= least
        assert replayed.makespan_s >= fifo.least_makespan_s(jobs, cards=cards, pace=0.05) - 1e-9


def test_who_takes_longer_needs_fewer_cards_and_loads() -> None:
    """Each card loads for 2.3 s and has 20 s to render in, or 10."""
    jobs, cards = [(A, 5.0)] * 40, [24] * 30
    assert fifo.least_loads(jobs, cards=cards, pace=0.1, makespan_s=22.3) == 10
    assert fifo.least_loads(jobs, cards=cards, pace=0.1, makespan_s=12.3) == 20


def test_one_model_on_each_card_and_equal_work_is_the_least_of_both() -> None:
    jobs, cards = [(A, 5.0)] * 8, [24] * 4
    replayed = fifo.fifo(jobs, cards=cards, pace=0.1)
    assert replayed.makespan_s == pytest.approx(fifo.least_makespan_s(jobs, cards=cards, pace=0.1))
    assert (
        replayed.loads == fifo.least_loads(jobs, cards=cards, pace=0.1, makespan_s=replayed.makespan_s) == 4
    )
