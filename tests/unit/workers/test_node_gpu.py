"""Which GPU a node has: NVML and ComfyUI joined, and nothing invented."""

from __future__ import annotations

import os
from typing import Any

import pytest

from farm.contracts import Source
from tests.unit.workers.fake_nvml import MIB, RTX_4090, FakeNvml, rtx_4090
from workers.comfy.stats import SystemStats, read_stats
from workers.gpu import Site, read_gpu
from workers.nvml import Card, Cards, read_cards

HERE = Site(comfyui_url="http://127.0.0.1:8188")
RTX_4090_BY_CUDA = 24_217


def stats(
    name: str = "cuda:0 NVIDIA GeForce RTX 4090 : cudaMallocAsync",
    *,
    total_mib: int = RTX_4090_BY_CUDA,
    reserved_mib: int = 0,
    device_type: str = "cuda",
    **system: Any,
) -> SystemStats:
    device = {
        "name": name,
        "type": device_type,
        "index": 0,
        "vram_total": total_mib * MIB,
        "vram_free": total_mib * MIB,
        "torch_vram_total": reserved_mib * MIB,
        "torch_vram_free": 0,
    }
    versions: dict[str, Any] = {"comfyui_version": "0.27.0", **system}
    return read_stats({"system": versions, "devices": [device]})


def test_a_card_that_comfyui_names_is_measured_by_nvml() -> None:
    reading = read_gpu(stats(), read_cards(FakeNvml(rtx_4090())), HERE)

    (gpu,) = reading.gpus
    assert (reading.tier_gb, gpu.source, gpu.total_mib) == (24, Source.NVML, RTX_4090)
    assert (gpu.uuid, gpu.utilisation, gpu.temperature_c, gpu.driver) == ("GPU-aaaa", 37, 61, "570.86.10")
    assert reading.reason == ""


def test_of_two_different_cards_the_one_that_comfyui_names_counts() -> None:
    other = {"name": "NVIDIA RTX A2000", "uuid": "GPU-bbbb", "total": 6138}

    reading = read_gpu(stats(), read_cards(FakeNvml(other, rtx_4090())), HERE)

    assert [gpu.index for gpu in reading.gpus] == [1]


def test_of_two_equal_cards_none_is_claimed_until_the_operator_names_one() -> None:
    cards = read_cards(FakeNvml(rtx_4090("GPU-aaaa"), rtx_4090("GPU-bbbb")))

    told = read_gpu(stats(), cards, HERE)
    by_index = read_gpu(stats(), cards, Site(comfyui_url=HERE.comfyui_url, gpu="1"))
    by_uuid = read_gpu(stats(), cards, Site(comfyui_url=HERE.comfyui_url, gpu="GPU-bb"))
    by_visibility = read_gpu(stats(), cards, Site(comfyui_url=HERE.comfyui_url, visible="1"))

    assert (told.tier_gb, told.gpus[0].source) == (24, Source.COMFYUI)
    assert "SHOTFARM_GPU" in told.reason
    assert {reading.gpus[0].uuid for reading in (by_index, by_uuid, by_visibility)} == {"GPU-bbbb"}


def test_memory_of_two_cards_is_never_added_up() -> None:
    cards = read_cards(FakeNvml(rtx_4090("GPU-aaaa"), rtx_4090("GPU-bbbb")))

    assert read_gpu(stats(), cards, HERE).tier_gb == 24


def test_a_comfyui_on_another_host_is_believed_and_labelled_so() -> None:
    site = Site(comfyui_url="http://10.0.0.7:8188")

    reading = read_gpu(stats(), read_cards(FakeNvml(rtx_4090())), site)

    (gpu,) = reading.gpus
    assert (reading.tier_gb, gpu.source, gpu.total_mib) == (24, Source.COMFYUI, RTX_4090_BY_CUDA)
    assert gpu.uuid == ""
    assert "another host" in reading.reason


def test_without_a_driver_comfyuis_word_counts_and_the_reason_is_nvmls() -> None:
    reading = read_gpu(stats(), read_cards(FakeNvml(broken=("nvmlInit",))), HERE)

    assert (reading.tier_gb, reading.gpus[0].source) == (24, Source.COMFYUI)
    assert "Not Supported" in reading.reason


def test_one_card_that_cannot_be_read_does_not_hide_the_other() -> None:
    cards = read_cards(FakeNvml(rtx_4090(), broken=("nvmlDeviceGetMemoryInfo",)))

    assert cards.found == ()
    assert "card 0" in cards.problem


def test_what_a_card_does_not_tell_is_unknown() -> None:
    silent = tuple(
        f"nvmlDeviceGet{what}" for what in ("Temperature", "UtilizationRates", "ComputeRunningProcesses")
    )

    (card,) = read_cards(FakeNvml(rtx_4090(), broken=silent)).found

    assert (card.temperature_c, card.utilisation, card.processes) == (None, None, None)


def test_a_cpu_device_has_no_vram_whatever_its_total_says() -> None:
    reading = read_gpu(stats("cpu", total_mib=131_072, device_type="cpu"), Cards(()), HERE)

    assert (reading.tier_gb, reading.gpus) == (0, ())
    assert "no VRAM" in reading.reason


def test_without_nvml_and_without_comfyui_nothing_is_known() -> None:
    reading = read_gpu(None, Cards((), "NVML: Driver Not Loaded"), HERE)

    assert (reading.tier_gb, reading.gpus) == (None, ())
    assert "Driver Not Loaded" in reading.reason


def test_a_device_without_a_size_has_no_tier() -> None:
    reading = read_gpu(stats(total_mib=0), Cards(()), HERE)

    (gpu,) = reading.gpus
    assert (reading.tier_gb, gpu.source, gpu.total_mib) == (None, Source.UNKNOWN, None)


@pytest.mark.parametrize(("allowed", "tier"), [(True, 24), (False, None)])
def test_a_stand_in_is_labelled_and_serves_gpu_tiers_where_allowed(allowed: bool, tier: int | None) -> None:
    site = Site(comfyui_url=HERE.comfyui_url, allow_simulated=allowed)

    reading = read_gpu(
        stats("cuda:0 SIMULATED 24 GB : simulated", total_mib=RTX_4090, simulated=True), Cards(()), site
    )

    assert (reading.tier_gb, reading.simulated) == (tier, True)
    assert reading.gpus[0].source is Source.SIMULATED


def test_memory_of_other_processes_lowers_the_tier_with_the_reason() -> None:
    cards = read_cards(FakeNvml(rtx_4090(held=(6_500, 8_000))))

    reading = read_gpu(stats(reserved_mib=6_000), cards, HERE)

    assert (reading.tier_gb, reading.gpus[0].foreign_mib) == (16, 8_000)
    assert reading.reason == "tier 24 lowered to 16: other processes hold 8000 MiB"


def test_comfyuis_own_reservation_is_not_foreign() -> None:
    cards = read_cards(FakeNvml(rtx_4090(held=(20_500,))))

    reading = read_gpu(stats(reserved_mib=20_000), cards, HERE)

    assert (reading.tier_gb, reading.gpus[0].foreign_mib) == (24, 0)


@pytest.mark.parametrize("held", [(), (None, 400), (400, 500), (9_000,)])
def test_when_comfyuis_process_cannot_be_told_apart_nothing_is_lowered(held: tuple[int | None, ...]) -> None:
    cards = read_cards(FakeNvml(rtx_4090(held=held)))

    reading = read_gpu(stats(reserved_mib=0), cards, HERE)

    assert (reading.tier_gb, reading.gpus[0].foreign_mib) == (24, None)


def test_while_comfyui_is_away_the_only_card_is_still_shown() -> None:
    reading = read_gpu(None, read_cards(FakeNvml(rtx_4090())), HERE)

    assert (reading.tier_gb, reading.gpus[0].source) == (24, Source.NVML)


def test_a_slice_of_a_card_is_not_taken_for_the_whole_card() -> None:
    slice_of_it = stats(total_mib=RTX_4090_BY_CUDA // 2)

    reading = read_gpu(slice_of_it, read_cards(FakeNvml(rtx_4090())), HERE)

    assert (reading.tier_gb, reading.gpus[0].source) == (12, Source.COMFYUI)


@pytest.mark.gpu
@pytest.mark.skipif("SHOTFARM_TEST_GPU" not in os.environ, reason="set SHOTFARM_TEST_GPU to the card's name")
def test_a_real_card_is_measured() -> None:
    cards = read_cards()

    assert cards.found, cards.problem
    card: Card = cards.found[0]
    assert os.environ["SHOTFARM_TEST_GPU"] in card.name
    assert card.total_mib > card.free_mib > 0
    assert card.uuid.startswith("GPU-")
    assert card.driver


def test_two_cards_of_one_machine_are_two_nodes_each_with_its_own_memory() -> None:
    """A ComfyUI on either card, each with its worker: what the other holds is not foreign here."""
    cards = read_cards(FakeNvml(rtx_4090(held=(9_000,)), rtx_4090("GPU-bbbb", held=(23_000,))))
    first, second = (
        read_gpu(stats(reserved_mib=reserved), cards, Site(comfyui_url=f"http://127.0.0.1:{port}", gpu=gpu))
        for gpu, port, reserved in (("0", 8188, 8_500), ("GPU-bbbb", 8189, 22_500))
    )

    assert [reading.gpus[0].uuid for reading in (first, second)] == ["GPU-aaaa", "GPU-bbbb"]
    assert [(reading.tier_gb, reading.gpus[0].foreign_mib) for reading in (first, second)] == [(24, 0)] * 2


def test_two_comfyuis_on_one_card_are_foreign_to_each_other() -> None:
    cards = read_cards(FakeNvml(rtx_4090(held=(4_000, 15_000))))

    reading = read_gpu(stats(reserved_mib=3_500), cards, HERE)

    assert (reading.tier_gb, reading.gpus[0].foreign_mib) == (8, 15_000)
    assert reading.reason == "tier 24 lowered to 8: other processes hold 15000 MiB"


def test_visible_devices_say_which_card_is_meant_where_nothing_else_does() -> None:
    cards = read_cards(FakeNvml(rtx_4090(), rtx_4090("GPU-bbbb")))

    reading = read_gpu(stats(), cards, Site(comfyui_url="http://127.0.0.1:8188", visible="1"))

    assert reading.gpus[0].uuid == "GPU-bbbb"


def test_this_machines_comfyui_has_one_address_by_whichever_name() -> None:
    here = {
        Site(comfyui_url=url).address
        for url in ("http://127.0.0.1:8188", "http://localhost:8188/", "http://[::1]:8188")
    }

    assert len(here) == 1
    assert Site(comfyui_url="https://user:secret@gpu7/comfy/").address == "gpu7:443/comfy"
    assert Site(comfyui_url="http://127.0.0.1:8189").address not in here
