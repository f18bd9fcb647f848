from __future__ import annotations

from tests.farmsim.gpu import Gpu
from tests.farmsim.models import models

SMALL, MIDDLE, LARGE = (models()[slug] for slug in ("sim_flux2_klein", "sim_flux1_fp8", "sim_qwen_image"))


def test_a_model_is_loaded_once_while_it_stays() -> None:
    gpu = Gpu(24)
    assert [gpu.load(model) for model in (SMALL, MIDDLE, SMALL, MIDDLE)] == [True, True, False, False]
    assert gpu.loads == 2


def test_the_least_recently_used_makes_room() -> None:
    gpu = Gpu(24)
    for model in (SMALL, MIDDLE, SMALL, LARGE):
        gpu.load(model)
    assert list(gpu.resident) == [LARGE.file]
    gpu = Gpu(32)
    for model in (MIDDLE, SMALL, LARGE):
        gpu.load(model)
    assert list(gpu.resident) == [SMALL.file, LARGE.file]


def test_a_card_says_what_it_holds() -> None:
    gpu = Gpu(24)
    gpu.load(MIDDLE)
    fact = gpu.fact("n1")
    assert (fact.total_mib, fact.free_mib) == (24 * 1024, 12 * 1024)


def test_a_model_whose_peak_does_not_fit_runs_out_of_memory() -> None:
    assert Gpu(16).too_small_for(LARGE)
    assert not Gpu(24).too_small_for(LARGE)
