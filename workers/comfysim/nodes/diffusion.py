"""Latents, samplers and VAEs: time passes, memory runs out, and a storyboard frame is painted."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from PIL import Image, ImageOps

from workers.comfysim.nodes.registry import Inputs, Run, node
from workers.comfysim.storyboard import animate, guided, paint
from workers.comfysim.values import Conditioning, Guider, Latent, Noise, Pictures, Sigmas, Symbol
from workers.comfysim.vram import need_gb, out_of_memory

_PREVIEW_WIDTH = 256
_UNSAMPLED_GREY = (127, 127, 127)
_FRAMES_PER_LATENT = 4


@node("EmptyLatentImage", "EmptySD3LatentImage", "EmptyFlux2LatentImage")
def empty_still(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Latent(inputs["width"], inputs["height"], batch=inputs["batch_size"]),)


@node("EmptyHunyuanLatentVideo")
def empty_video(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Latent(inputs["width"], inputs["height"], frames=inputs["length"], batch=inputs["batch_size"]),)


@node("WanImageToVideo")
def image_to_video(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    start = tuple(inputs["start_image"][:1]) if inputs.get("start_image") else ()
    latent = Latent(
        inputs["width"], inputs["height"], frames=inputs["length"], batch=inputs["batch_size"], start=start
    )
    return inputs["positive"], inputs["negative"], latent


@node("VAEEncode")
def encode(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    run.pool.take(inputs["vae"])
    pictures: Pictures = inputs["pixels"]
    width, height = (side - side % 8 for side in pictures[0].size)
    return (Latent(width, height, batch=len(pictures), start=tuple(pictures)),)


@node("KSampler")
def sample(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """All of `steps`: less denoise begins later on a longer schedule, as in ComfyUI."""
    latent = replace(inputs["latent_image"], kept=1 - inputs["denoise"])
    conditioned = _conditioned(latent, inputs["positive"], inputs["negative"], inputs["seed"])
    return (_sample(run, inputs["model"], conditioned, inputs["steps"]),)


@node("KSamplerAdvanced")
def sample_part(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """Steps `start_at_step` to `end_at_step`; a second stage keeps the seed of the first."""
    latent: Latent = inputs["latent_image"]
    steps = max(0, min(inputs["end_at_step"], inputs["steps"]) - inputs["start_at_step"])
    fresh = inputs["add_noise"] == "enable" or latent.seed is None
    seed = inputs["noise_seed"] if fresh else latent.seed
    conditioned = _conditioned(latent, inputs["positive"], inputs["negative"], seed or 0)
    return (_sample(run, inputs["model"], conditioned, steps),)


@node("RandomNoise")
def noise(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Noise(inputs["noise_seed"]),)


@node("BasicGuider")
def guider(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Guider(inputs["model"], inputs["conditioning"], Conditioning("")),)


@node("CFGGuider")
def cfg_guider(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Guider(inputs["model"], inputs["positive"], inputs["negative"]),)


@node("BasicScheduler")
def basic_sigmas(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Sigmas(inputs["steps"], inputs["denoise"]),)


@node("Flux2Scheduler")
def flux2_sigmas(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Sigmas(inputs["steps"]),)


@node("SamplerCustomAdvanced")
def sample_custom(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    guide: Guider = inputs["guider"]
    seed = inputs["noise"].seed if isinstance(inputs["noise"], Noise) else 0
    sigmas: Sigmas = inputs["sigmas"]
    latent = replace(inputs["latent_image"], kept=1 - sigmas.denoise)
    conditioned = _conditioned(latent, guide.positive, guide.negative, seed)
    sampled = _sample(run, guide.model, conditioned, sigmas.steps)
    return sampled, sampled


def _conditioned(latent: Latent, positive: Conditioning, negative: Conditioning, seed: int) -> Latent:
    return replace(
        latent,
        positive=positive.text,
        negative=negative.text,
        seed=seed,
        hints=positive.hints,
        references=positive.references,
    )


def _sample(run: Run, model: Symbol, latent: Latent, steps: int) -> Latent:
    """Load what is not resident, then take `steps` steps; raises OutOfMemoryError over the limit."""
    need = need_gb(model, latent)
    if need > run.knobs.memory_limit_gb:
        run.pool.unload()
        raise out_of_memory(need)
    loaded = [name for name in run.pool.take(model) if "lora" not in name.lower()]
    time.sleep(run.knobs.model_load_seconds * len(loaded))
    preview = _preview(latent) if run.wants_preview else None
    for step in range(1, steps + 1):
        time.sleep(run.knobs.seconds_per_step)
        run.progress(step, steps, preview)
    return latent


def _preview(latent: Latent) -> Image.Image:
    height = max(16, round(_PREVIEW_WIDTH * latent.height / latent.width))
    return paint(latent.positive, latent.seed or 0, (_PREVIEW_WIDTH, height))


@node("VAEDecode", "VAEDecodeTiled")
def decode(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    run.pool.take(inputs["vae"])
    return (decoded(inputs["samples"]),)


def decoded(latent: Latent) -> Pictures:
    """The pictures of a latent."""
    size = (latent.width, latent.height)
    if latent.seed is None and latent.slots:
        return [
            Image.new("RGB", size, tuple(round(127 * (level + 1)) for level in slot[:3]))
            for index, slot in enumerate(latent.slots)
            for _frame in range(_FRAMES_PER_LATENT if index else 1)
        ]
    if latent.seed is None:
        blank = Image.new("RGB", size, _UNSAMPLED_GREY)
        return list(latent.start) or [blank] * latent.batch * latent.frames
    if latent.is_video:
        start = latent.start[0] if latent.start else paint(latent.positive, latent.seed, size)
        return _ending_in(animate(start, latent.seed, size, latent.frames), latent)
    stills = [paint(latent.positive, latent.seed + index, size) for index in range(latent.batch)]
    return [guided(still, latent, index) for index, still in enumerate(stills)]


def _ending_in(frames: Pictures, latent: Latent) -> Pictures:
    """Fade into the picture that the clip is to end in."""
    if not latent.end:
        return frames
    last = ImageOps.fit(latent.end[0].convert("RGB"), frames[0].size)
    most = max(1, len(frames) - 1)
    return [Image.blend(frame, last, index / most) for index, frame in enumerate(frames)]
