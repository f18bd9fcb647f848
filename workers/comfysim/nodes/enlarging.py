"""Filters and enlargements: edges, masks that grow, pictures made larger by a model."""

from __future__ import annotations

import re
from typing import Any

from PIL import Image, ImageFilter

from workers.comfysim.nodes.registry import Inputs, Run, node
from workers.comfysim.values import Pictures, Symbol

_USUAL_FACTOR = 4


@node("Canny")
def edges(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """White lines on black where the picture changes by more than the high threshold."""
    threshold = inputs["high_threshold"] * 128
    drawn = []
    for picture in inputs["image"]:
        change = picture.convert("L").filter(ImageFilter.GaussianBlur(1)).filter(ImageFilter.FIND_EDGES)
        drawn.append(change.point(lambda level: 255 if level > threshold else 0).convert("RGB"))
    return (drawn,)


@node("GrowMask")
def grow(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """Wider by `expand` pixels on every side, narrower if it is negative."""
    expand = inputs["expand"]
    if expand == 0:
        return (inputs["mask"],)
    widest = ImageFilter.MaxFilter if expand > 0 else ImageFilter.MinFilter
    return ([mask.filter(widest(2 * abs(expand) + 1)) for mask in inputs["mask"]],)


@node("ImageUpscaleWithModel")
def upscale(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """As many times larger as the model's name says (`x4`, `4x`), frame by frame."""
    model: Symbol = inputs["upscale_model"]
    run.pool.take(model)
    factor = _factor(" ".join(model.files))
    pictures: Pictures = inputs["image"]
    larger = []
    for index, picture in enumerate(pictures, start=1):
        size = (picture.width * factor, picture.height * factor)
        larger.append(picture.resize(size, Image.Resampling.BICUBIC))
        run.progress(index, len(pictures))
    return (larger,)


def _factor(name: str) -> int:
    said = re.search(r"x([1248])(?!\d)|(?<!\d)([1248])x", name.lower())
    return int(said[1] or said[2]) if said else _USUAL_FACTOR
