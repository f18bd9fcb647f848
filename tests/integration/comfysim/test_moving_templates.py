"""The templates of moving pictures render in the stand-in, and show what they were given."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
import requests
from PIL import Image, ImageChops, ImageStat

from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfysim.replay import history_of, submit
from workers.sequences import pack
from workflows.bind import bind, fill
from workflows.load import Template, load
from workflows.manifest import Value

SIZE = (256, 256)
SOURCE_FRAMES, SOURCE_FPS = 11, 12

Start = Callable[[Template], ComfySim]

CLIPS = ["wan22_t2v", "wan22_flf", "wan_animate", "wan_svi", "ltx2_t2v", "ltx2_i2v", "hunyuan15_i2v"]


def _files(sim: ComfySim) -> dict[str, str]:
    folder = sim.base_dir / "input"
    Image.new("RGB", SIZE, "darkred").save(folder / "first_frame.png")
    Image.new("RGB", SIZE, "darkgreen").save(folder / "last_frame.png")
    Image.new("RGB", SIZE, "darkblue").save(folder / "reference.png")
    with av.open(str(folder / "video.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=SOURCE_FPS)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(SOURCE_FRAMES):
            picture = Image.new("RGB", (64, 48), (level * 20, 90, 60))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    files = {role: f"{role}.png" for role in ("first_frame", "last_frame", "reference")}
    return files | {"video": "video.mp4"}


def _least(template: Template, files: dict[str, str]) -> dict[str, Value]:
    """Small, short, few steps, every file."""
    rule = template.manifest.frame_rule
    values: dict[str, Value] = {"positive": "a lighthouse in rain", "seed": 7, "steps": 2}
    values |= {"width": SIZE[0], "height": SIZE[1], "frames": rule.minimum if rule else 1, **files}
    return {role: value for role, value in values.items() if role in template.manifest.bindings}


def _render(sim: ComfySim, template: Template, values: dict[str, Value], **body: Any) -> list[Path]:
    bound = bind(template, values, filename_prefix=f"a/{template.slug}")
    names = {wanted.role: wanted.source for wanted in bound.inputs}
    prompt_id = submit(sim, fill(bound.graph, bound.inputs, names), **body)
    entry: dict[str, Any] = history_of(sim, prompt_id)[prompt_id]
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    (output,) = [one for one in template.manifest.outputs if one.role == "primary"]
    return [
        sim.base_dir / shown["type"] / shown["subfolder"] / shown["filename"]
        for shown in entry["outputs"][output.node]["images"]
    ]


def _frames(path: Path) -> tuple[list[Image.Image], Fraction | None, bool]:
    with av.open(str(path)) as container:
        sounds = bool(container.streams.audio)
        rate = container.streams.video[0].average_rate
        pictures = [
            frame.to_image()  # type: ignore[no-untyped-call]
            for frame in container.decode(video=0)
        ]
        return pictures, rate, sounds


def _near(picture: Image.Image, color: str) -> bool:
    away = ImageChops.difference(picture.convert("RGB"), Image.new("RGB", picture.size, color))
    return sum(ImageStat.Stat(away).mean) < 60


@pytest.fixture
def start(comfysim: StartSim, tmp_path: Path) -> Start:
    """A stand-in with room for every model, and with the custom nodes that a template declares."""

    def begin(template: Template) -> ComfySim:
        for custom in template.manifest.packs:
            folder = tmp_path / "comfyui" / "custom_nodes"
            folder.mkdir(parents=True)
            (folder / f"{custom.name}.json").write_text(json.dumps(custom.classes), encoding="utf-8")
        sim: ComfySim = comfysim(140, base_dir=tmp_path / "comfyui")
        return sim

    return begin


@pytest.mark.parametrize("slug", CLIPS)
def test_a_clip_has_the_frames_the_size_and_the_speed_it_was_ordered_with(slug: str, start: Start) -> None:
    template = load(slug)
    sim = start(template)
    values = _least(template, _files(sim))
    frames, rate, sounds = _frames(_render(sim, template, values)[0])
    assert len(frames) == values["frames"]
    assert frames[0].size == SIZE
    assert rate == (SOURCE_FPS if template.manifest.follows else template.manifest.native_fps)
    assert sounds is slug.startswith("ltx2")


@pytest.mark.parametrize("slug", ["wan22_flf", "ltx2_i2v", "hunyuan15_i2v", "wan_svi"])
def test_a_clip_begins_with_its_first_frame(slug: str, start: Start) -> None:
    template = load(slug)
    sim = start(template)
    values = _least(template, _files(sim))
    if slug == "wan_svi":
        del values["video"]  # it would go on from that
    frames, *_ = _frames(_render(sim, template, values)[0])
    assert _near(frames[0], "darkred")


def test_a_clip_between_two_keyframes_ends_in_the_last(start: Start) -> None:
    template = load("wan22_flf")
    sim = start(template)
    frames, *_ = _frames(_render(sim, template, _least(template, _files(sim)))[0])
    assert _near(frames[-1], "darkgreen")
    assert not _near(frames[0], "darkgreen")


def test_a_character_moves_as_long_as_ordered_and_is_the_one_of_the_reference(start: Start) -> None:
    template = load("wan_animate")
    sim = start(template)
    frames, *_ = _frames(_render(sim, template, _least(template, _files(sim)))[0])
    assert _near(frames[0], "darkblue")


def test_twice_the_frames_at_twice_the_speed_last_as_long(start: Start) -> None:
    template = load("rife_interpolate")
    sim = start(template)
    frames, rate, _ = _frames(_render(sim, template, _least(template, _files(sim)))[0])
    follows = template.manifest.follows
    assert follows is not None
    assert len(frames) == SOURCE_FRAMES * follows.frames_times + follows.frames_plus == 2 * SOURCE_FRAMES - 1
    assert rate == SOURCE_FPS * follows.fps_times == 2 * SOURCE_FPS


def test_a_clip_taken_apart_and_put_together_has_the_same_frames_in_the_same_order(start: Start) -> None:
    split, join = load("frames_split"), load("frames_join")
    sim = start(split)
    values = _least(split, _files(sim))
    pictures = _render(sim, split, values)
    assert [path.name for path in pictures] == [
        f"frames_split_{number:05}_.png" for number in range(1, SOURCE_FRAMES + 1)
    ]
    pack(pictures, sim.base_dir / "input" / "pictures.mkv")
    frames, rate, _ = _frames(_render(sim, join, {"pictures": "pictures.mkv", "fps": 25.0})[0])
    assert rate == 25
    assert len(frames) == SOURCE_FRAMES
    for path, frame in zip(pictures, frames, strict=True):
        with Image.open(path) as picture:
            assert sum(ImageStat.Stat(ImageChops.difference(picture.convert("RGB"), frame)).mean) < 20


def test_kling_gives_whole_seconds_for_a_key_and_nothing_without(start: Start) -> None:
    template = load("kling_i2v")
    sim = start(template)
    values = _least(template, _files(sim))
    frames, *_ = _frames(_render(sim, template, values, extra_data={"api_key_comfy_org": "a key"})[0])
    assert len(frames) == values["frames"] == 73
    bound = bind(template, values | {"seed": 9}, filename_prefix="b")
    names = {wanted.role: wanted.source for wanted in bound.inputs}
    prompt_id = submit(sim, fill(bound.graph, bound.inputs, names))
    ended, why = history_of(sim, prompt_id)[prompt_id]["status"]["messages"][-1]
    assert ended == "execution_error"
    assert "Unauthorized" in why["exception_message"]
    assert "a key" not in requests.get(f"{sim.url}/history", timeout=20).text
