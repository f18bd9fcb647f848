"""Loaders and what they feed: model files become symbols, prompts become conditioning."""

from __future__ import annotations

from typing import Any

from workers.comfysim.nodes.registry import Inputs, Run, node
from workers.comfysim.values import Conditioning, Symbol


@node("CheckpointLoaderSimple", "unCLIPCheckpointLoader", "ImageOnlyCheckpointLoader")
def checkpoint(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    files = (inputs["ckpt_name"],)
    return Symbol("MODEL", files), Symbol("CLIP", files), Symbol("VAE", files)


@node("UNETLoader")
def diffusion_model(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Symbol("MODEL", (inputs["unet_name"],), half=inputs["weight_dtype"].startswith("fp8")),)


@node("CLIPLoader", "DualCLIPLoader", "TripleCLIPLoader")
def text_encoder(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Symbol("CLIP", tuple(value for name, value in inputs.items() if name.startswith("clip_name"))),)


@node("CLIPVisionLoader")
def vision_encoder(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Symbol("CLIP_VISION", (inputs["clip_name"],)),)


@node("VAELoader")
def vae(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Symbol("VAE", (inputs["vae_name"],)),)


@node("LoraLoader", "LoraLoaderModelOnly")
def lora(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
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
    return (Conditioning(", ".join(value.text for value in inputs.values() if value.text)),)


@node("PrimitiveInt", "PrimitiveFloat", "PrimitiveBoolean", "PrimitiveString", "PrimitiveStringMultiline")
def primitive(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (inputs["value"],)
