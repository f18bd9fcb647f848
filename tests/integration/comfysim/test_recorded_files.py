"""Uploads, downloads, the cache and model files as recorded, step by step, in both ComfyUI versions."""

from __future__ import annotations

import io
import shutil
from typing import Any

import pytest
import requests
from PIL import Image

from tests.integration.comfysim.replay import Listener, answer, history_of, recording, send_as_written, submit
from tests.integration.comfysim.sameness import neutral
from tests.integration.comfysim.stories import Stage, put_broken_model, story, usual

_MIB = 1024**2


def _png(color: str, size: int) -> bytes:
    """A picture of exactly `size` bytes, as the recorder had it."""
    buffer = io.BytesIO()
    Image.new("RGBA", (8, 8), color).save(buffer, "PNG")
    return buffer.getvalue().ljust(size, b"\0")


# What the recorder sent, where its bytes matter to the name that comes back.
_CONTENTS = {
    "different_same_name": _png("blue", 121),
    "overwrite": _png("green", 123),
    "too_big_101MiB": bytes(101 * _MIB),
    "99MiB": bytes(99 * _MIB),
}


@story("upload")
def test_uploads_are_named_placed_and_refused(stage: Stage) -> None:
    shutil.rmtree(stage.sim.base_dir / "input")
    (stage.sim.base_dir / "input").mkdir()
    for name, recorded in recording("upload", stage.version).items():
        request = recorded["request"]
        content = _CONTENTS.get(name, _png("red", 121))[: request["bytes"]]
        # The recorder's library wrote a slash in a file name as %2F.
        filename = request["filename"].replace("/", "%2F")
        files = {} if request["bytes"] is None else {"image": (filename, content)}
        fields = {field: (None, value) for field, value in request["fields"].items()}
        assert len(content) == (request["bytes"] or len(content))
        response = requests.post(f"{stage.sim.url}{request['path']}", files=files | fields, timeout=60)
        assert neutral({"request": request, **answer(response)}) == neutral(recorded), name


@story("view")
def test_files_are_viewed_whole_in_part_and_converted(stage: Stage) -> None:
    inputs = stage.sim.base_dir / "input"
    (inputs / "a.png").write_bytes(_png("green", 123))
    (inputs / "jobs" / "42" / "a.png").write_bytes(_png("red", 121))
    history_of(stage.sim, submit(stage.sim, usual("viewme")))
    for name, recorded in recording("view", stage.version).items():
        if name == "output_entry":
            assert (stage.sim.base_dir / "output" / recorded["filename"]).is_file()
            continue
        if name == "static_traversal":
            played = send_as_written(stage.sim, recorded["request"]["path"])
        else:
            headers = {"Range": "bytes=0-9"} if name == "range" else {}
            url = stage.sim.url + recorded["request"]["path"]
            played = answer(requests.get(url, headers=headers, timeout=10))
        made_here = name in ("output", "preview_webp", "channel_a")
        expected = recorded | {"body": _of_any_size(recorded["body"])} if made_here else recorded
        played["body"] = _of_any_size(played["body"]) if made_here else played["body"]
        assert neutral({"request": recorded["request"], **played}) == neutral(expected), name


def _of_any_size(body: str) -> str:
    """A picture that another encoder wrote: the same kind of file, of another size."""
    magic = body.partition("magic ")[2]
    return f"<binary, magic {magic[:8]}>"


@story("cached_output_file_deleted")
def test_a_cached_output_is_listed_although_its_file_is_gone(stage: Stage) -> None:
    recorded = recording("cached_output_file_deleted", stage.version)
    for step in ("first", "second"):
        ((prompt_id, entry),) = recorded[step].items()
        played_id = submit(stage.sim, entry["prompt"][2])
        stage.ledger.ids[prompt_id] = played_id
        played = history_of(stage.sim, played_id)
        stage.ledger.numbers[played[played_id]["prompt"][0]] = entry["prompt"][0]
        assert neutral(stage.ledger.recorded(played)) == neutral(recorded[step])
        if step == "first":
            (stage.sim.base_dir / "output" / "delme_00001_.png").unlink()
    stage.same(recorded["view"])


@story("cached_outputs_client_id_matters")
def test_what_a_cached_prompt_lists_depends_on_its_client(stage: Stage) -> None:
    graph = usual("cc", 4242)
    told: dict[str, Any] = {}
    for step, recorded in recording("cached_outputs_client_id_matters", stage.version).items():
        listener = Listener(stage.sim, "me") if step == "c_client" else None
        body = {} if "noclient" in step else {"client_id": "me"}
        prompt_id = submit(stage.sim, graph, **body)
        entry = history_of(stage.sim, prompt_id)[prompt_id]
        cached = [data["nodes"] for name, data in entry["status"]["messages"] if name == "execution_cached"]
        told = {"outputs": entry["outputs"], "cached": cached, "status": entry["status"]["status_str"]}
        assert told == recorded, step
        if listener:
            listener.close()


@story("models_checkpoints_new_file_seen_without_restart")
def test_a_new_model_file_is_seen_without_a_restart(stage: Stage) -> None:
    recorded = recording("models_checkpoints_new_file_seen_without_restart", stage.version)
    url = stage.sim.url + recorded["request"]["path"]
    assert requests.get(url, timeout=5).json() == ["random_sd15.safetensors"]
    put_broken_model(stage.sim.base_dir)
    stage.same(recorded)


@pytest.mark.parametrize("version", ["0.27.0", "0.3.64"])
def test_a_new_model_file_may_be_used_at_once(stage: Stage) -> None:
    put_broken_model(stage.sim.base_dir)
    info = stage.get("/object_info/CheckpointLoaderSimple")["CheckpointLoaderSimple"]
    assert "corrupt.safetensors" in str(info["input"]["required"]["ckpt_name"])
