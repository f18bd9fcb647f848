"""The stand-in saves, cuts, joins and loads latents as ComfyUI does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from farm.latents import cut_latents, read_latents
from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfysim.replay import history_of, submit
from workers.comfysim.nodes.latents import slots_of
from workers.comfysim.values import Latent

SAVED = {"class_type": "SaveLatent", "inputs": {"samples": ["1", 0], "filename_prefix": "a/b"}}


@pytest.fixture
def sim(comfysim: StartSim, tmp_path: Path) -> ComfySim:
    started: ComfySim = comfysim(24, base_dir=tmp_path / "comfyui")
    return started


def ran(sim: ComfySim, graph: dict[str, Any]) -> dict[str, Any]:
    prompt_id = submit(sim, graph)
    entry: dict[str, Any] = history_of(sim, prompt_id)[prompt_id]
    return entry


def saved(sim: ComfySim, graph: dict[str, Any]) -> Path:
    entry = ran(sim, graph)
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    [told] = entry["outputs"]["9"]["latents"]
    assert told["filename"].endswith("_.latent")
    return sim.base_dir.joinpath(told["type"], told["subfolder"], told["filename"])


def sampled(length: int) -> dict[str, Any]:
    return {
        "1": {
            "class_type": "EmptyHunyuanLatentVideo",
            "inputs": {"width": 64, "height": 32, "length": length, "batch_size": 1},
        },
        "9": SAVED,
    }


def test_saved_latents_have_the_shape_of_their_clip_and_the_graph_in_their_header(sim: ComfySim) -> None:
    path = saved(sim, sampled(17))
    told = read_latents(path)
    assert (told.dtype, told.channels, told.time, told.height, told.width) == ("F32", 16, 5, 4, 8)
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    assert json.loads(header["__metadata__"]["prompt"])["9"]["class_type"] == "SaveLatent"


def test_loaded_latents_are_saved_again_number_by_number(sim: ComfySim) -> None:
    first = saved(sim, sampled(17))
    (sim.base_dir / "input" / "x.latent").write_bytes(first.read_bytes())
    graph = {"1": {"class_type": "LoadLatent", "inputs": {"latent": "x.latent"}}, "9": SAVED}
    again = saved(sim, graph)
    begin, other = read_latents(first).begin, read_latents(again).begin
    assert first.read_bytes()[begin:] == again.read_bytes()[other:]


def test_cut_and_joined_they_are_as_long_as_ordered(sim: ComfySim) -> None:
    graph = sampled(17)
    cut = {"samples": ["1", 0], "dim": "t", "index": 2, "amount": 4096}
    graph["2"] = {"class_type": "LatentCut", "inputs": cut}
    joined = {"samples1": ["1", 0], "samples2": ["2", 0], "dim": "t"}
    graph["3"] = {"class_type": "LatentConcat", "inputs": joined}
    graph["9"] = {"class_type": "SaveLatent", "inputs": {"samples": ["3", 0], "filename_prefix": "c"}}
    assert read_latents(saved(sim, graph)).time == 8


def test_what_is_not_there_is_refused_in_comfyuis_words(sim: ComfySim) -> None:
    graph = {"1": {"class_type": "LoadLatent", "inputs": {"latent": "gone.latent"}}, "9": SAVED}
    answer = requests.post(f"{sim.url}/prompt", json={"prompt": graph}, timeout=10)
    [error] = answer.json()["node_errors"]["1"]["errors"]
    assert (answer.status_code, error["type"]) == (400, "custom_validation_failed")
    assert error["details"] == "latent - Invalid latent file: gone.latent"


def test_what_is_no_safetensors_fails_as_the_library_says(sim: ComfySim) -> None:
    (sim.base_dir / "input" / "x.latent").write_bytes(b"\x04\0\0\0\0\0\0\0oops")
    graph = {"1": {"class_type": "LoadLatent", "inputs": {"latent": "x.latent"}}, "9": SAVED}
    entry = ran(sim, graph)
    [error] = [told for name, told in entry["status"]["messages"] if name == "execution_error"]
    assert error["exception_type"] == "safetensors._safetensors_rust.SafetensorError"
    assert "deserializing header" in error["exception_message"]


def test_only_latents_are_offered_for_loading(sim: ComfySim) -> None:
    (sim.base_dir / "input" / "x.latent").write_bytes(b"")
    (sim.base_dir / "input" / "y.png").write_bytes(b"")
    told = requests.get(f"{sim.url}/object_info/LoadLatent", timeout=10).json()
    assert told["LoadLatent"]["input"]["required"]["latent"][0] == ["x.latent"]


def test_a_cut_of_the_farm_is_read_by_the_loader(sim: ComfySim) -> None:
    path = saved(sim, sampled(17))
    cut_latents(path, sim.base_dir / "input" / "cut.latent", end=3, count=1)
    graph = {"1": {"class_type": "LoadLatent", "inputs": {"latent": "cut.latent"}}, "9": SAVED}
    assert read_latents(saved(sim, graph)).time == 1


def test_an_empty_latent_is_zeros() -> None:
    assert slots_of(Latent(64, 32, frames=9)) == ((0.0,) * 16,) * 3
