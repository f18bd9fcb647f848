"""The nodes that really run, by class name; importing this package registers them all."""

from __future__ import annotations

from workers.comfysim.nodes import (
    audio,
    diffusion,
    enlarging,
    guidance,
    loaders,
    pictures,
    recorder,
    saving,
    video,
)
from workers.comfysim.nodes.registry import Run, Shown, UnknownNodeError, node_function

__all__ = [
    "Run",
    "Shown",
    "UnknownNodeError",
    "audio",
    "diffusion",
    "enlarging",
    "guidance",
    "loaders",
    "node_function",
    "pictures",
    "recorder",
    "saving",
    "video",
]
