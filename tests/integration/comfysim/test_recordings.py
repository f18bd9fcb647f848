"""The stand-in answers as the recorded ComfyUI 0.27.0 answered."""

from __future__ import annotations

import io
from typing import Any

import pytest
import requests
from PIL import Image

from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfysim.replay import RECORDINGS, answer, neutral, play, recording, send

_MODELS = {"checkpoints": ["random_sd15.safetensors"]}
# What had just run when a recording with cached nodes was made.
_RAN_BEFORE = {
    "prompt_ok_identical_cached_again": "prompt_ok_identical_cached",
    "prompt_ok_partly_cached": "prompt_ok_identical_cached_again",
    "prompt_ok_extra_data": "prompt_ok_trivial",  # so that its number is not 0, which has no sign
    "prompt_ok_sleep_featureflags": "prompt_ok_progress",
    "ksampler_warm_new_seed": "ksampler_cold",
    "ksampler_identical_cached": "ksampler_warm_new_seed",
    "ksampler_preview_latent2rgb": "ksampler_cold",
    "ksampler_preview_metadata_ff": "ksampler_cold",
}
_NO_MODELS = ("prompt_fail_ckpt_not_in_list", "get_models_checkpoints")
_NOT_IMITATED = {"prompt_ok_audio"}  # sound
_NAMES = sorted({path.stem for path in RECORDINGS.glob("*.json")} - _NOT_IMITATED)
_PROMPTS = [
    name
    for name in _NAMES
    if name.startswith(("prompt_", "exec_", "ksampler_")) and "post" in recording(name)
]
_ANSWERS = [name for name in _NAMES if "request" in recording(name) and name != "get_system_stats"]


@pytest.fixture
def sim(comfysim: StartSim, request: pytest.FixtureRequest) -> ComfySim:
    empty = any(name in request.node.name for name in _NO_MODELS)
    started: ComfySim = comfysim(models={"checkpoints": []} if empty else _MODELS)
    picture = io.BytesIO()
    Image.new("RGBA", (64, 64), (200, 30, 30, 255)).save(picture, "PNG")
    for folder in ("", "jobs/42"):
        (started.base_dir / "input" / folder).mkdir(parents=True, exist_ok=True)
        (started.base_dir / "input" / folder / "a.png").write_bytes(picture.getvalue())
    (started.base_dir / "input" / "corrupt.png").write_bytes(picture.getvalue()[:20])
    return started


@pytest.mark.parametrize("name", _PROMPTS)
def test_a_recorded_prompt_gives_the_recorded_answer_messages_and_history(name: str, sim: ComfySim) -> None:
    before = _RAN_BEFORE.get(name)
    if before == "prompt_ok_identical_cached_again":
        play(sim, recording("prompt_ok_identical_cached"))
    if before:
        play(sim, recording(before))
    recorded = recording(name)
    played = play(sim, recorded)
    for part in ("post", "ws", "history"):
        assert _comparable(played.get(part)) == _comparable(recorded.get(part)), part


def _comparable(part: Any) -> Any:
    """Without progress values, which depend on the machine's speed, and the bytes of pictures."""
    plain = neutral(part)
    if not isinstance(plain, list):
        return plain
    for message in plain:
        if "binary" in message:
            kept = message["binary"]
            message["binary"] = {key: kept[key] for key in ("event_type", "metadata") if key in kept}
    return [message for message in plain if not _is_step(message)]


def _is_step(message: dict[str, Any]) -> bool:
    text = message.get("text", {})
    if text.get("type") == "progress":
        return bool(text["data"]["value"] < text["data"]["max"])
    if text.get("type") == "progress_state":
        return any(0 < row["value"] < row["max"] for row in text["data"]["nodes"].values())
    return False


@pytest.mark.parametrize("name", _ANSWERS)
def test_a_recorded_request_gets_the_recorded_answer(name: str, sim: ComfySim) -> None:
    recorded = recording(name)
    expected = {key: recorded[key] for key in ("status", "headers", "body")}
    assert neutral(answer(send(sim, recorded["request"]))) == neutral(expected)


@pytest.mark.parametrize("name", [name for name in _ANSWERS if name.startswith("get_") and "job" not in name])
def test_every_route_is_also_there_under_api(name: str, sim: ComfySim) -> None:
    request = recording(name)["request"]
    direct, prefixed = send(sim, request), send(sim, {**request, "path": f"/api{request['path']}"})
    assert (direct.status_code, direct.text) == (prefixed.status_code, prefixed.text)


def test_system_stats_have_the_recorded_fields_and_say_that_they_are_simulated(sim: ComfySim) -> None:
    recorded = recording("get_system_stats")["body"]
    stats = requests.get(f"{sim.url}/system_stats", timeout=5).json()
    assert stats["system"].pop("simulated") is True
    assert set(stats["system"]) == set(recorded["system"])
    assert stats["system"]["comfyui_version"] == recorded["system"]["comfyui_version"]
    assert [set(device) for device in stats["devices"]] == [set(device) for device in recorded["devices"]]
