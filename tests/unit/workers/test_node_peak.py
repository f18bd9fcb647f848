"""The most memory that was used on the card while a prompt executed."""

from __future__ import annotations

import pytest

from farm.contracts import GpuFact, Source
from tests.integration.workers.waiting import until
from tests.unit.workers.fake_nvml import FakeNvml, rtx_4090
from workers import peak
from workers.gpu import Reading
from workers.peak import PeakMeter


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak, "EVERY_S", 0.001)


def reading(source: Source = Source.NVML, uuid: str = "GPU-bbbb") -> Reading:
    fact = GpuFact(index=0, name="card", uuid=uuid, source=source, total_mib=24_564, free_mib=24_564)
    return Reading(tier_gb=24, gpus=(fact,))


def test_the_peak_of_this_nodes_card_is_kept() -> None:
    other, mine = rtx_4090(used=[90_000]), rtx_4090("GPU-bbbb", used=[500, 18_000, 21_000, 4_000])

    with PeakMeter(reading(), FakeNvml(other, mine)) as meter:
        meter.begin()
        until(lambda: mine["used"] == [4_000])

    assert meter.peak_mib == 21_000


def test_what_was_used_before_the_prompt_executed_does_not_count() -> None:
    card = rtx_4090("GPU-bbbb", used=[500])

    with PeakMeter(reading(), FakeNvml(card)) as meter:
        pass

    assert meter.peak_mib is None


def test_a_driver_that_fails_costs_the_peak_and_nothing_else() -> None:
    nvml = FakeNvml(rtx_4090("GPU-bbbb"), broken=("nvmlDeviceGetMemoryInfo",))

    with PeakMeter(reading(), nvml) as meter:
        meter.begin()
        until(lambda: meter._thread is not None and not meter._thread.is_alive())

    assert meter.peak_mib is None


def test_a_card_that_nobody_measures_has_no_peak() -> None:
    for facts in (reading(Source.COMFYUI), reading(Source.SIMULATED), Reading(tier_gb=0)):
        with PeakMeter(facts, FakeNvml(rtx_4090("GPU-bbbb", used=[500]))) as meter:
            meter.begin()
        assert meter.peak_mib is None
