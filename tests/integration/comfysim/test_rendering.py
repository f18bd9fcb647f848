"""The stand-in's own craft: storyboard frames, real videos, simulated memory and models."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
import requests
from PIL import Image, ImageChops

from tests.comfysim_fixture import ComfySim, StartSim
from tests.integration.comfysim.replay import VERSIONS, Listener, history_of, prompt, submit, until
from workers.comfysim.catalogue import DEFAULT_MODELS
from workers.comfysim.knobs import Knobs
from workers.comfysim.storyboard.scene import read
from workers.comfysim.values import Latent, Symbol
from workers.comfysim.vram import need_gb
from workflows.bind import bind, fill
from workflows.load import load
from workflows.loras import Lora
from workflows.manifest import Value

_GRAPHS = Path(__file__).parents[3] / "workflows"


def _still(
    seed: int, *, text: str = "close-up of a woman at night", size: tuple[int, int] = (256, 144)
) -> Any:
    return prompt(
        n1=("CheckpointLoaderSimple", {"ckpt_name": "v1-5-pruned-emaonly-fp16.safetensors"}),
        n2=("CLIPTextEncode", {"text": text, "clip": ["1", 1]}),
        n3=("CLIPTextEncode", {"text": "blurry", "clip": ["1", 1]}),
        n4=("EmptyLatentImage", {"width": size[0], "height": size[1], "batch_size": 1}),
        n5=(
            "KSampler",
            {
                "model": ["1", 0],
                "positive": ["2", 0],
                "negative": ["3", 0],
                "latent_image": ["4", 0],
                "seed": seed,
                "steps": 4,
                "cfg": 7.0,
                "sampler_name": "euler",
                "scheduler": "normal",
                "denoise": 1.0,
            },
        ),
        n6=("VAEDecode", {"samples": ["5", 0], "vae": ["1", 2]}),
        n7=("SaveImage", {"images": ["6", 0], "filename_prefix": "frame"}),
    )


def _graph(name: str, **changes: dict[str, Any]) -> dict[str, Any]:
    graph: dict[str, Any] = json.loads((_GRAPHS / name / "graph.json").read_text(encoding="utf-8"))
    for node_id, inputs in changes.items():
        graph[node_id[1:]]["inputs"].update(inputs)
    return graph


def _rendered(sim: ComfySim, graph: dict[str, Any], **body: Any) -> Path:
    """The first file a graph saves."""
    prompt_id = submit(sim, graph, **body)
    entry = history_of(sim, prompt_id)[prompt_id]
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    file = next(iter(entry["outputs"].values()))["images"][0]
    path: Path = sim.base_dir / file["type"] / file["subfolder"] / file["filename"]
    return path


def _failure(sim: ComfySim, graph: dict[str, Any]) -> dict[str, Any]:
    prompt_id = submit(sim, graph)
    name, data = history_of(sim, prompt_id)[prompt_id]["status"]["messages"][-1]
    assert name == "execution_error"
    failure: dict[str, Any] = data
    return failure


def test_the_same_prompt_seed_and_size_give_the_same_pixels_and_another_seed_does_not(
    comfysim: StartSim,
) -> None:
    first, second = comfysim(), comfysim()
    frames = [Image.open(_rendered(sim, _still(7))) for sim in (first, second)]
    other = Image.open(_rendered(first, _still(8)))
    assert frames[0].size == (256, 144)
    assert frames[0].tobytes() == frames[1].tobytes()
    difference = ImageChops.difference(frames[0], other).convert("L").histogram()
    assert sum(difference[16:]) > 256 * 144 * 0.2


def test_another_prompt_gives_another_picture(comfysim: StartSim) -> None:
    sim = comfysim()
    night = Image.open(_rendered(sim, _still(1, text="wide shot of the sea at night")))
    noon = Image.open(_rendered(sim, _still(1, text="wide shot of the desert at noon")))
    brightness = [sum(image.convert("L").resize((1, 1)).tobytes()) for image in (night, noon)]
    assert brightness[0] + 40 < brightness[1]


@pytest.mark.parametrize(
    ("text", "scene"),
    [
        ("Wide shot, golden hour, a fisherman and his wife on the beach", ("golden", "sea", "wide", 2)),
        ("close up of an old man in a tavern, evening", ("dusk", "interior", "close", 1)),
        ("three soldiers in a deep forest, fog, morning", ("dawn", "forest", "full", 3)),
        ("눈 내리는 밤, 마을, 클로즈업, 소녀", ("night", "village", "close", 1)),
        ("empty street in the rain", ("overcast", "city", "full", 0)),
    ],
)
def test_the_words_of_a_prompt_choose_time_place_framing_and_cast(
    text: str, scene: tuple[str, str, str, int]
) -> None:
    seen = read(text)
    assert (seen.time, seen.place, seen.framing, len(seen.people)) == scene


def test_a_saved_frame_carries_prompt_and_workflow(comfysim: StartSim) -> None:
    sim = comfysim()
    extra = {"extra_pnginfo": {"workflow": {"id": "abc"}}}
    path = _rendered(sim, _still(7), extra_data=extra)
    saved = Image.open(path)
    assert json.loads(saved.info["prompt"])["5"]["inputs"]["seed"] == 7
    assert json.loads(saved.info["workflow"]) == {"id": "abc"}


def test_previews_come_only_when_asked_for(comfysim: StartSim) -> None:
    sim = comfysim()
    quiet, asking = Listener(sim, "quiet"), Listener(sim, "asking", flags=True)
    submit(sim, _still(1), client_id="quiet")
    prompt_id = submit(sim, _still(2), client_id="asking", extra_data={"preview_method": "latent2rgb"})
    quiet.until("executing", node=None)
    asking.until("executing", node=None)
    assert "preview" not in quiet.names()
    previews = [message["binary"] for message in asking.heard if "binary" in message]
    assert len(previews) == 4
    assert {preview["metadata"]["prompt_id"] for preview in previews} == {prompt_id}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_template_of_the_farm_renders_on_a_card_of_its_declared_size(
    version: str, comfysim: StartSim
) -> None:
    sim = comfysim(24, comfyui_version=version)
    for name in ("start.png", "slate.png"):
        Image.new("RGB", (320, 180), "teal").save(sim.base_dir / "input" / name)
    for name in ("sd15_t2i", "flux_t2i", "plain_slate"):
        with Image.open(_rendered(sim, _graph(name))) as picture:
            assert picture.width >= 512, name
    clip = _rendered(sim, _graph("wan22_i2v", n8={"width": 320, "height": 192, "length": 17}))
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 320, 192)
        assert stream.average_rate == Fraction(16)
        assert sum(1 for _ in container.decode(stream)) == 17


def test_a_clip_begins_at_its_first_frame_and_moves(comfysim: StartSim) -> None:
    sim = comfysim(24)
    start = Image.linear_gradient("L").convert("RGB").resize((320, 192))
    start.save(sim.base_dir / "input" / "start.png")
    clip = _rendered(sim, _graph("wan22_i2v", n8={"width": 320, "height": 192, "length": 17}))
    with av.open(str(clip)) as container:
        decoded = container.decode(container.streams.video[0])
        frames = [frame.to_image() for frame in decoded]  # type: ignore[no-untyped-call]
    center = (0, 96, 320, 192)  # below the mark

    def difference(frame: Image.Image) -> float:
        levels = ImageChops.difference(frame.crop(center), start.crop(center)).convert("L").histogram()
        return sum(level * count for level, count in enumerate(levels)) / (320 * 96)

    assert difference(frames[0]) < 12
    assert difference(frames[-1]) > difference(frames[0])


@pytest.mark.parametrize(
    ("vram", "size", "length", "fits"),
    [(24, 640, 81, True), (16, 640, 81, False), (24, 960, 81, False), (32, 960, 81, True)],
)
def test_a_render_runs_out_of_memory_where_its_need_is_above_the_card(
    vram: int, size: int, length: int, fits: bool
) -> None:
    model = Symbol("MODEL", ("wan2.2_i2v_high_noise_14B_fp8_scaled.safetensors",))
    need = need_gb(model, Latent(size, size, frames=length))
    assert (need <= Knobs(base_dir=Path("unused"), vram_gb=vram).memory_limit_gb) is fits


def test_out_of_memory_has_the_class_and_the_tips_that_clients_look_for(comfysim: StartSim) -> None:
    failure = _failure(comfysim(8), _graph("flux_t2i"))
    assert failure["exception_type"] == "torch.OutOfMemoryError"
    assert failure["exception_message"].startswith("CUDA out of memory. Tried to allocate")
    assert "TIPS: If the workflow worked before" in failure["exception_message"]
    assert failure["node_type"] == "KSampler"


def test_the_memory_limit_can_be_set_apart_from_the_card(comfysim: StartSim) -> None:
    failure = _failure(comfysim(24, oom_above_gb=2), _still(1))
    assert failure["exception_type"] == "torch.OutOfMemoryError"


def test_loaded_models_take_memory_until_they_are_freed(comfysim: StartSim) -> None:
    sim = comfysim(24)

    def device() -> dict[str, Any]:
        found: dict[str, Any] = requests.get(f"{sim.url}/system_stats", timeout=5).json()["devices"][0]
        return found

    empty = device()
    assert (empty["type"], empty["vram_total"]) == ("cuda", 24564 * 1024**2)
    assert empty["vram_free"] == empty["vram_total"]
    _rendered(sim, _still(1))
    assert device()["vram_free"] < empty["vram_free"]
    requests.post(f"{sim.url}/free", json={"unload_models": True}, timeout=5)
    until(lambda: device()["vram_free"] == empty["vram_free"])


def test_a_server_without_a_gpu_gives_its_ram_as_vram_as_recorded(comfysim: StartSim) -> None:
    stats = requests.get(f"{comfysim(0).url}/system_stats", timeout=5).json()
    device = stats["devices"][0]
    assert (device["name"], device["type"], device["index"]) == ("cpu", "cpu", None)
    assert device["vram_total"] == stats["system"]["ram_total"]


def test_models_are_listed_alike_by_folder_and_by_node(comfysim: StartSim) -> None:
    sim = comfysim(models={"checkpoints": ["b.safetensors", "a.safetensors"], "loras": ["x.safetensors"]})
    listed = requests.get(f"{sim.url}/models/checkpoints", timeout=5).json()
    info = requests.get(f"{sim.url}/object_info/CheckpointLoaderSimple", timeout=5).json()
    offered = info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0]
    assert listed == offered == ["a.safetensors", "b.safetensors"]


def test_test_nodes_are_offered_only_on_wish(comfysim: StartSim) -> None:
    plain = requests.get(f"{comfysim(test_nodes=False).url}/object_info/RecSleep", timeout=5).json()
    assert plain == {}


def test_a_node_the_stand_in_cannot_imitate_fails_by_name(comfysim: StartSim) -> None:
    graph = prompt(
        n1=("EmptyImage", {"width": 8, "height": 8, "batch_size": 1, "color": 1}),
        n2=("Canny", {"image": ["1", 0], "low_threshold": 0.4, "high_threshold": 0.8}),
        n3=("SaveImage", {"images": ["2", 0], "filename_prefix": "x"}),
    )
    assert "cannot imitate node Canny" in _failure(comfysim(), graph)["exception_message"]


@pytest.mark.parametrize("slug", ["flux_t2i", "sd15_t2i", "wan22_i2v"])
def test_every_template_runs_with_the_loras_of_two_people(slug: str, comfysim: StartSim) -> None:
    template = load(slug)
    files = ["film/gerda.safetensors", "film/kay.safetensors"]
    sim = comfysim(80, models={**DEFAULT_MODELS, "loras": files})
    small: dict[str, Value] = {"width": 256, "height": 256, "steps": 2, "positive": "gerda_v1", "seed": 1}
    if slug == "wan22_i2v":
        Image.new("RGB", (256, 256)).save(sim.base_dir / "input" / "start.png")
        small |= {"frames": 5, "first_frame": "start.png"}
    loras = [Lora(file, 0.8) for file in files]
    bound = bind(template, small, filename_prefix="a", loras=loras)
    graph = fill(bound.graph, bound.inputs, {"first_frame": "start.png"})
    prompt_id = submit(sim, graph)
    entry = history_of(sim, prompt_id)[prompt_id]
    assert entry["status"]["status_str"] == "success", entry["status"]["messages"][-1]
    assert entry["outputs"]


def test_a_lora_the_server_lacks_is_refused_as_a_value_not_in_its_list(comfysim: StartSim) -> None:
    values: dict[str, Value] = {"positive": "x", "seed": 1}
    bound = bind(load("sd15_t2i"), values, filename_prefix="a", loras=[Lora("nowhere.safetensors", 1)])
    answer = requests.post(f"{comfysim().url}/prompt", json={"prompt": bound.graph}, timeout=5)
    (error,) = next(iter(answer.json()["node_errors"].values()))["errors"]
    assert (answer.status_code, error["type"]) == (400, "value_not_in_list")
    assert error["extra_info"]["input_name"] == "lora_name"
