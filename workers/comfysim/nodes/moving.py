"""Nodes of video models: what a clip starts from, ends in and goes on from, and the sound of LTX-2."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workers.comfysim.nodes.diffusion import decoded
from workers.comfysim.nodes.latents import check_size, slots_of
from workers.comfysim.nodes.registry import Inputs, Run, node
from workers.comfysim.values import Latent, Pictures, Sigmas, Silence, Slot, Symbol

_SOUND_RATE = 24_000
_FRAMES_PER_LATENT = 4
_HELD_STILL = 0


def _latent(inputs: Inputs, start: Pictures | None, end: Pictures | None = None) -> Latent:
    return Latent(
        inputs["width"],
        inputs["height"],
        frames=inputs["length"],
        batch=inputs["batch_size"],
        start=tuple(start[:1]) if start else (),
        end=tuple(end[-1:]) if end else (),
    )


@node("EmptyLTXVLatentVideo")
def empty(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (_latent(inputs, None),)


@node("HunyuanVideo15ImageToVideo")
def from_picture(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return inputs["positive"], inputs["negative"], _latent(inputs, inputs.get("start_image"))


@node("WanFirstLastFrameToVideo")
def between(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    latent = _latent(inputs, inputs.get("start_image"), inputs.get("end_image"))
    return inputs["positive"], inputs["negative"], latent


@node("WanAnimateToVideo")
def animated(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """The reference picture in motion. The latent here holds nothing else, so nothing is to be trimmed."""
    latent = _latent(inputs, inputs.get("reference_image"))
    offset = inputs["video_frame_offset"] + inputs["length"]
    return inputs["positive"], inputs["negative"], latent, _HELD_STILL, _HELD_STILL, offset


@node("TrimVideoLatent")
def trimmed(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    latent: Latent = inputs["samples"]
    left = max(1, latent.frames - _FRAMES_PER_LATENT * inputs["trim_amount"])
    return (replace(latent, frames=left),)


@node("WanImageToVideoSVIPro")
def chained(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """A clip that goes on from the last frame of the one before, else from its anchor (ComfyUI-KJNodes)."""
    anchor: Latent = inputs["anchor_samples"]
    before: Latent | None = inputs.get("prev_samples")
    start, count = anchor.start[:1], inputs["motion_latent_count"]
    motion: tuple[Slot, ...] = ()
    if before is not None and count:
        check_size(anchor, before)
        start, motion = tuple(decoded(before)[-1:]), slots_of(before)[-count:]
    latent = Latent(anchor.width, anchor.height, frames=inputs["length"], start=start, motion=motion)
    return inputs["positive"], inputs["negative"], latent


@node("LTXVConditioning")
def conditioned(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return inputs["positive"], inputs["negative"]


@node("LTXVScheduler")
def steps(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Sigmas(inputs["steps"]),)


@node("LTXVPreprocess")
def compressed(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (inputs["image"],)


@node("LTXVImgToVideoInplace")
def begun_with(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    latent: Latent = inputs["latent"]
    if inputs["bypass"] or not inputs["strength"]:
        return (latent,)
    return (replace(latent, start=tuple(inputs["image"][:1])),)


@node("LTXVAudioVAELoader")
def audio_vae(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Symbol("VAE", (inputs["ckpt_name"],)),)


@node("LTXAVTextEncoderLoader")
def text_encoder(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Symbol("CLIP", (inputs["text_encoder"],)),)


@node("LTXVEmptyLatentAudio")
def empty_sound(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Silence(inputs["frames_number"] / inputs["frame_rate"], _SOUND_RATE, 2),)


@node("LTXVConcatAVLatent")
def with_sound(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (replace(inputs["video_latent"], sound=inputs["audio_latent"]),)


@node("LTXVSeparateAVLatent")
def apart(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    latent: Latent = inputs["av_latent"]
    return replace(latent, sound=None), latent.sound


@node("LTXVAudioVAEDecode")
def decode_sound(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    run.pool.take(inputs["audio_vae"])
    return (inputs["samples"],)
