"""Frames between frames, as interpolation models make them: here each is a blend of its neighbours."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from PIL import Image

from workers.comfysim.nodes.registry import Inputs, Run, node
from workers.comfysim.values import Pictures, Symbol


@node("FrameInterpolationModelLoader")
def load(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    return (Symbol("INTERP_MODEL", (inputs["model_name"],)),)


@node("FrameInterpolate")
def interpolate(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """n pictures become (n - 1) x multiplier + 1."""
    run.pool.take(inputs["interp_model"])
    pictures: Pictures = inputs["images"]
    times = inputs["multiplier"]
    made = [pictures[0]]
    for number, (one, other) in enumerate(pairwise(pictures), start=1):
        made += [Image.blend(one, other, step / times) for step in range(1, times)]
        made.append(other)
        run.progress(number, len(pictures) - 1)
    return (made,)
