"""What guides a sampler beside its words: control pictures, references, masks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workers.comfysim.nodes.registry import Inputs, Run, node
from workers.comfysim.values import Conditioning, Latent


@node("ControlNetApplyAdvanced", "ControlNetApplySD3")
def by_control(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """Both sides know the control picture; with strength 0 neither does."""
    run.pool.take(inputs["control_net"])
    hints = tuple(inputs["image"][:1]) if inputs["strength"] else ()
    positive, negative = inputs["positive"], inputs["negative"]
    return _hinted(positive, hints), _hinted(negative, hints)


@node("ControlNetInpaintingAliMamaApply")
def by_surroundings(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """The surroundings of the hole are in the latent already."""
    run.pool.take(inputs["control_net"])
    return inputs["positive"], inputs["negative"]


def _hinted(conditioning: Conditioning, hints: tuple[Any, ...]) -> Conditioning:
    return replace(conditioning, hints=(*conditioning.hints, *hints))


@node("TextEncodeQwenImageEdit", "TextEncodeQwenImageEditPlus")
def encode_instruction(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """With a VAE the pictures become references; without one the encoder has merely looked at them."""
    run.pool.take(inputs["clip"])
    seen = [inputs[name][0] for name in ("image", "image1", "image2", "image3") if inputs.get(name)]
    return (Conditioning(inputs["prompt"], references=tuple(seen) if inputs.get("vae") else ()),)


@node("ReferenceLatent")
def refer(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    conditioning: Conditioning = inputs["conditioning"]
    latent: Latent | None = inputs.get("latent")
    shown = latent.start[:1] if latent else ()
    return (replace(conditioning, references=(*conditioning.references, *shown)),)


@node("SetLatentNoiseMask")
def under_mask(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (replace(inputs["samples"], hole=inputs["mask"][0]),)
