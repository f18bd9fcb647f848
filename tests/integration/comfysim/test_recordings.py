"""Each recorded request of both ComfyUI versions, played against the stand-in: the answers are the same."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfysim import test_recorded_files, test_recorded_process, test_recorded_stories
from tests.integration.comfysim.replay import VERSIONS, exchange, names, play, recording, send, warm
from tests.integration.comfysim.sameness import Ledger, heard, neutral
from tests.integration.comfysim.stories import MEASURED, STORIES, put_broken_model, put_pictures

_MODEL = "random_sd15.safetensors"
# Recorded before there was a model, or when a broken one had joined it.
_NO_MODEL = {"prompt_fail_ckpt_not_in_list", "get_models_checkpoints", "get_object_info_KSampler"}
_BROKEN_MODEL = {"ksampler_corrupt_ckpt"}
# Headers the recorder sent; it wrote down none.
_HEADERS = {
    "prompt_foreign_origin": {"Origin": "http://evil.example"},
    "prompt_foreign_host": {"Host": "evil.example"},
    "prompt_crosssite": {"Sec-Fetch-Site": "cross-site"},
}
# The recorder wrote "<101 MiB json>" for what it sent.
_TOO_BIG = {"prompt_too_big_101MiB": b" " * (101 * 1024**2)}

# These fill STORIES and MEASURED with what they play.
_OTHERS = (test_recorded_files, test_recorded_process, test_recorded_stories)
_RECORDED = [(version, name) for version in VERSIONS for name in names(version)]
_ALONE = [(version, name) for version, name in _RECORDED if name not in STORIES | MEASURED.keys()]
_PROMPTS = [(version, name) for version, name in _ALONE if "post" in recording(name, version)]
_EXCHANGES = [(version, name) for version, name in _ALONE if "request" in recording(name, version)]


@pytest.fixture
def sim(version: str, name: str, comfysim: StartSim) -> ComfySim:
    """A server such as the recordings were made with: no GPU, one model, a few input files."""
    models = {"checkpoints": [] if name in _NO_MODEL else [_MODEL]}
    started: ComfySim = comfysim(vram=0, comfyui_version=version, models=models)
    put_pictures(started.base_dir)
    if name in _BROKEN_MODEL:
        put_broken_model(started.base_dir)
    return started


def test_every_recording_is_played_by_a_test() -> None:
    played = {*_PROMPTS, *_EXCHANGES, *((version, name) for version, name in _RECORDED if name in STORIES)}
    assert {*_RECORDED} - played == {(version, name) for version, name in _RECORDED if name in MEASURED}
    assert len(_RECORDED) > 230


@pytest.mark.parametrize(("version", "name"), _PROMPTS)
def test_a_recorded_prompt_gives_the_recorded_answer_messages_and_history(
    version: str, name: str, sim: ComfySim
) -> None:
    recorded, ledger = recording(name, version), Ledger(str(sim.base_dir))
    warm(sim, recorded)
    played = play(sim, recorded, ledger)
    assert neutral(played["post"]) == neutral(recorded["post"])
    assert heard(played.get("ws", [])) == heard(recorded.get("ws", []))
    assert neutral(played.get("history")) == neutral(recorded.get("history"))


@pytest.mark.parametrize(("version", "name"), _EXCHANGES)
def test_a_recorded_request_gets_the_recorded_answer(version: str, name: str, sim: ComfySim) -> None:
    recorded, ledger = recording(name, version), Ledger(str(sim.base_dir))
    request = recorded["request"]
    if name in _TOO_BIG:
        recorded = {**recorded, "request": {**request, "raw": _TOO_BIG[name]}}
    played = exchange(sim, recorded, ledger, **_HEADERS.get(name, {}))
    if request["path"].endswith("/system_stats"):
        assert played["body"]["system"].pop("simulated") is True
        played, recorded = _same_machine(played), _same_machine(recorded)
    assert neutral(played) == neutral(recorded)


def _same_machine(stats: dict[str, Any]) -> dict[str, Any]:
    """Figures of the machine replaced by their types: memory, command line, Python."""
    for part in (stats["body"]["system"], *stats["body"]["devices"]):
        for fact in part:
            if fact in ("argv", "python_version") or "ram_" in fact:
                part[fact] = type(part[fact]).__name__
    return stats


@pytest.mark.parametrize(
    ("version", "name"),
    [(version, name) for version, name in _EXCHANGES if name.startswith("get_") and "api" not in name],
)
def test_every_route_is_also_there_under_api(version: str, name: str, sim: ComfySim) -> None:
    request = recording(name, version)["request"]
    direct, prefixed = send(sim, request), send(sim, {**request, "path": f"/api{request['path']}"})
    if request["path"] == "/system_stats":
        assert set(direct.json()) == set(prefixed.json())
    else:
        assert (direct.status_code, direct.text) == (prefixed.status_code, prefixed.text)


@pytest.mark.parametrize("version", VERSIONS)
def test_system_stats_of_a_simulated_card_have_the_recorded_fields(version: str, comfysim: StartSim) -> None:
    sim = comfysim(vram=24, comfyui_version=version)
    recorded = recording("get_system_stats", version)["body"]
    stats = requests.get(f"{sim.url}/system_stats", timeout=5).json()
    assert stats["system"].pop("simulated") is True
    assert set(stats["system"]) == set(recorded["system"])
    assert [set(device) for device in stats["devices"]] == [set(device) for device in recorded["devices"]]
    assert "SIMULATED" in stats["devices"][0]["name"]
