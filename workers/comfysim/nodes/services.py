"""API nodes: somebody else's service renders, for a key. The stand-in asks nobody, but wants the key."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from workers.comfysim.nodes.registry import Inputs, Run, node
from workers.comfysim.storyboard import animate, paint
from workers.comfysim.values import Video

_FPS = 24
_SMALL = (640, 360)


@node("KlingVideoNode")
def kling(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """A clip of the seconds asked for, in the shape of the first frame, small."""
    if not any(run.secrets.values()):
        raise Exception("Unauthorized: Please login first to use this node.")  # noqa: TRY002 - as ComfyUI does
    text, seed = inputs["multi_shot.prompt"], inputs["seed"]
    pictures = inputs.get("start_frame") or [paint(text, seed, _SMALL)]
    width, height = (max(2, side // 2 * 2) for side in pictures[0].size)
    frames = animate(pictures[0], seed, (width, height), inputs["multi_shot.duration"] * _FPS + 1)
    return (Video(tuple(frames), Fraction(_FPS)),)
