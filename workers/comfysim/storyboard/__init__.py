"""Storyboard frames in the place of rendered ones: the same prompt, seed and size give the same pixels."""

from __future__ import annotations

from workers.comfysim.storyboard.frame import paint
from workers.comfysim.storyboard.guided import guided
from workers.comfysim.storyboard.motion import animate

__all__ = ["animate", "guided", "paint"]
