"""Every template that ships renders in the stand-in, small, and its picture shows what it was given."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfysim.replay import history_of, submit
from workers.comfysim.knobs import Knobs
from workers.comfysim.values import Latent, Symbol
from workers.comfysim.vram import need_gb
from workflows.bind import bind, fill, models_needed
from workflows.load import Template, load, slugs
from workflows.manifest import Value

SMALL = 256
SIZE = (SMALL, SMALL)
FRAMES = 9
ELSEWHERE = {"frames_split", "frames_join", "kling_i2v", "wan_svi"}
"""Many files, a service's key, custom nodes: see test_moving_templates."""
IMITATED = [slug for slug in slugs() if slug not in ELSEWHERE]


def _files(sim: ComfySim) -> dict[str, str]:
    """A picture, a mask whose left half is white, a clip; by the type of medium."""
    folder = sim.base_dir / "input"
    Image.linear_gradient("L").convert("RGB").resize(SIZE).save(folder / "picture.png")
    mask = Image.new("L", SIZE, 0)
    mask.paste(255, (0, 0, SMALL // 2, SMALL))
    mask.save(folder / "mask.png")
    with av.open(str(folder / "clip.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(24000, 1001))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(FRAMES):
            picture = Image.new("RGB", (64, 48), (level * 20, 90, 60))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return {"picture": "picture.png", "mask": "mask.png", "video": "clip.mp4"}


def _values(template: Template, files: dict[str, str], **given: Value) -> dict[str, Value]:
    """The least a job of this template asks for: small, short, few steps, every file."""
    manifest = template.manifest
    least: dict[str, Value] = {"positive": "a lighthouse in rain", "seed": 7, "width": SMALL, "height": SMALL}
    least |= {"steps": 2, "frames": manifest.frame_rule.minimum if manifest.frame_rule else 1}
    for role in manifest.file_roles:
        least[role] = files.get(role, files["picture"])
    if manifest.slate:
        least["slate_image"] = files["picture"]
    chosen = {role: value for role, value in (least | given).items() if role in manifest.bindings}
    lowest = {role: manifest.bindings[role].minimum for role in ("width", "height") if role in chosen}
    return chosen | {role: int(low) for role, low in lowest.items() if low and low > SMALL}


def _render(sim: ComfySim, template: Template, values: dict[str, Value]) -> Path:
    bound = bind(template, values, filename_prefix=f"a/{template.slug}")
    names = {wanted.role: wanted.source for wanted in bound.inputs}
    prompt_id = submit(sim, fill(bound.graph, bound.inputs, names))
    entry: dict[str, Any] = history_of(sim, prompt_id)[prompt_id]
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    primary = next(output for output in template.manifest.outputs if output.role == "primary")
    (shown,) = entry["outputs"][primary.node]["images"]
    path: Path = sim.base_dir / shown["type"] / shown["subfolder"] / shown["filename"]
    return path


def _differ(one: Image.Image, other: Image.Image) -> float:
    levels = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean
    return float(sum(levels))


@pytest.mark.parametrize("slug", IMITATED)
def test_a_shipped_template_renders_what_its_manifest_says(slug: str, comfysim: StartSim) -> None:
    sim, template = comfysim(48), load(slug)
    values = _values(template, _files(sim))
    path = _render(sim, template, values)
    if template.manifest.produces == "image":
        with Image.open(path) as picture:
            assert picture.size == (values["width"], values["height"])
        return
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert sum(1 for _ in container.decode(stream)) == values.get("frames", _followed(template)[0])
        assert (stream.width, stream.height) == (
            values.get("width", _followed(template)[1]),
            values.get("height", _followed(template)[2]),
        )


def _followed(template: Template) -> tuple[int, int, int]:
    """Frames, width and height of a clip that follows the one given."""
    follows = template.manifest.follows
    if follows is None:
        return 0, 0, 0
    frames = FRAMES * follows.frames_times + follows.frames_plus
    return frames, round(64 * follows.size_times), round(48 * follows.size_times)


@pytest.mark.parametrize("slug", IMITATED)
def test_a_simulated_card_of_the_declared_size_has_room_for_the_largest_picture(slug: str) -> None:
    template = load(slug)
    for row in template.manifest.vram:
        files = (
            models_needed(template, row.precision) if row.precision in template.manifest.precisions else ()
        )
        weights = tuple(file.name for file in files if file.folder in ("diffusion_models", "checkpoints"))
        if not weights or row.max_frames > 1:
            continue
        values = _values(template, {"picture": "a.png"}, precision=row.precision)
        graph = bind(template, values, filename_prefix="a").graph
        cast = any(str(node["inputs"].get("weight_dtype")).startswith("fp8") for node in graph.values())
        need = need_gb(Symbol("MODEL", weights, half=cast), Latent(row.max_pixels, 1))
        assert need <= Knobs(base_dir=Path("unused"), vram_gb=row.gb).memory_limit_gb, row


@pytest.mark.parametrize(
    "slug", [slug for slug in IMITATED if any(b.optional for b in load(slug).manifest.bindings.values())]
)
def test_a_template_renders_without_what_may_be_left_out(slug: str, comfysim: StartSim) -> None:
    sim, template = comfysim(48), load(slug)
    optional = {role for role, binding in template.manifest.bindings.items() if binding.optional}
    values = _values(template, _files(sim))
    assert _render(
        sim, template, {role: value for role, value in values.items() if role not in optional}
    ).is_file()


def test_an_upscaled_clip_keeps_its_length_and_its_speed_to_the_three_decimals_comfyui_writes(
    comfysim: StartSim,
) -> None:
    sim = comfysim(24)
    path = _render(sim, load("esrgan_upscale"), {"video": _files(sim)["video"]})
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (128, 96)
        assert stream.average_rate == Fraction("23.976")
        assert sum(1 for _ in container.decode(stream)) == FRAMES


def test_less_strength_leaves_more_of_the_picture(comfysim: StartSim) -> None:
    sim, template = comfysim(24), load("flux_i2i")
    values = _values(template, _files(sim))
    with Image.open(sim.base_dir / "input" / "picture.png") as start:
        near, far = (
            _differ(Image.open(_render(sim, template, values | {"strength": strength})), start)
            for strength in (0.2, 0.9)
        )
    assert near < far / 2


def test_inpainting_changes_nothing_outside_its_mask_and_marks_the_inside(comfysim: StartSim) -> None:
    sim, template = comfysim(48), load("inpaint")
    with (
        Image.open(_render(sim, template, _values(template, _files(sim)))) as mended,
        Image.open(sim.base_dir / "input" / "picture.png") as start,
    ):
        kept = (SMALL // 2 + 16, 0, SMALL, SMALL)  # the mask's seam is 8 pixels
        assert _differ(mended.crop(kept), start.crop(kept)) == 0
        assert _differ(mended.crop((0, 0, 100, SMALL)), start.crop((0, 0, 100, SMALL))) > 30


@pytest.mark.parametrize("slug", ["controlnet_pose", "controlnet_depth", "controlnet_edge"])
def test_a_control_picture_shows_unless_its_strength_is_0(slug: str, comfysim: StartSim) -> None:
    sim, template = comfysim(48), load(slug)
    files = _files(sim)
    lines = Image.new("RGB", SIZE, "black")
    lines.paste("white", (96, 96, 160, 160))
    lines.save(sim.base_dir / "input" / "lines.png")
    values = _values(template, files) | {"control": "lines.png"}
    followed, free = (
        Image.open(_render(sim, template, values | {"strength": strength})) for strength in (1.0, 0.0)
    )
    border = (88, 88, 168, 168)
    assert _differ(followed.crop(border), free.crop(border)) > 5


def test_an_edit_shows_the_picture_and_the_ones_beside_it(comfysim: StartSim) -> None:
    sim, template = comfysim(48), load("qwen_edit")
    values = _values(template, _files(sim))
    alone = {role: value for role, value in values.items() if role not in ("reference_2", "reference_3")}
    with Image.open(sim.base_dir / "input" / "picture.png") as reference:
        edited = Image.open(_render(sim, template, alone))
        beside = Image.open(_render(sim, template, values))
        painted = Image.open(_render(sim, load("qwen_t2i"), _values(load("qwen_t2i"), {"picture": ""})))
        assert _differ(edited, reference) < _differ(painted, reference)
        corner = (0, 180, 112, 230)
        assert _differ(edited.crop(corner), beside.crop(corner)) > 1
