"""Loaders and what they feed: model files become symbols, prompts become conditioning."""

from __future__ import annotations

import json
import struct
from typing import Any

from workers.comfysim.nodes.registry import Inputs, Run, node
from workers.comfysim.values import Conditioning, Symbol


class SafetensorError(Exception):
    """Named as the library that reads model files names it."""


SafetensorError.__module__ = "safetensors._safetensors_rust"


def _check_file(run: Run, folder: str, name: str) -> None:
    """Fail as a real loader does on a broken .safetensors file; a model that is only a name is whole."""
    path = run.folders.model_root(folder) / name
    if path.suffix != ".safetensors" or not path.is_file():
        return
    with path.open("rb") as file:
        header = file.read(struct.unpack("<Q", file.read(8).ljust(8, b"\0"))[0])
    try:
        json.loads(header)
    except ValueError as exc:
        told = str(exc) if header else "EOF while parsing a value at line 1 column 0"
        raise SafetensorError(f"Error while deserializing header: invalid JSON in header: {told}") from exc


@node("CheckpointLoaderSimple", "unCLIPCheckpointLoader", "ImageOnlyCheckpointLoader")
def checkpoint(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    _check_file(run, "checkpoints", inputs["ckpt_name"])
    files = (inputs["ckpt_name"],)
    return Symbol("MODEL", files), Symbol("CLIP", files), Symbol("VAE", files)


@node("UNETLoader")
def diffusion_model(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    _check_file(run, "diffusion_models", inputs["unet_name"])
    return (Symbol("MODEL", (inputs["unet_name"],), half=inputs["weight_dtype"].startswith("fp8")),)


@node("CLIPLoader", "DualCLIPLoader", "TripleCLIPLoader")
def text_encoder(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Symbol("CLIP", tuple(value for name, value in inputs.items() if name.startswith("clip_name"))),)


@node("CLIPVisionLoader")
def vision_encoder(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Symbol("CLIP_VISION", (inputs["clip_name"],)),)


@node("VAELoader")
def vae(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    _check_file(run, "vae", inputs["vae_name"])
    return (Symbol("VAE", (inputs["vae_name"],)),)


@node("ControlNetLoader")
def control_net(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    _check_file(run, "controlnet", inputs["control_net_name"])
    return (Symbol("CONTROL_NET", (inputs["control_net_name"],)),)


@node("UpscaleModelLoader")
def upscale_model(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    _check_file(run, "upscale_models", inputs["model_name"])
    return (Symbol("UPSCALE_MODEL", (inputs["model_name"],)),)


@node("LoraLoader", "LoraLoaderModelOnly")
def lora(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    _check_file(run, "loras", inputs["lora_name"])
    model: Symbol = inputs["model"]
    with_lora = Symbol("MODEL", (*model.files, inputs["lora_name"]), half=model.half)
    return (with_lora, inputs["clip"]) if "clip" in inputs else (with_lora,)


@node("CLIPTextEncode")
def encode_text(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    run.pool.take(inputs["clip"])
    return (Conditioning(inputs["text"]),)


@node("CLIPTextEncodeFlux")
def encode_text_twice(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    run.pool.take(inputs["clip"])
    return (Conditioning(inputs["t5xxl"] or inputs["clip_l"]),)


@node("ConditioningZeroOut")
def zero_out(_run: Run, _inputs: Inputs) -> tuple[Any, ...]:
    return (Conditioning(""),)


@node("ConditioningCombine", "ConditioningConcat")
def join_text(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    parts: list[Conditioning] = list(inputs.values())
    return (
        Conditioning(
            ", ".join(part.text for part in parts if part.text),
            hints=tuple(hint for part in parts for hint in part.hints),
            references=tuple(reference for part in parts for reference in part.references),
        ),
    )


@node("PrimitiveInt", "PrimitiveFloat", "PrimitiveBoolean", "PrimitiveString", "PrimitiveStringMultiline")
def primitive(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (inputs["value"],)
