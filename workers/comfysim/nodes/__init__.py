"""The nodes that really run, by class name; importing this package registers them all."""

from __future__ import annotations

from workers.comfysim.nodes import (
    arithmetic,
    audio,
    between,
    diffusion,
    enlarging,
    guidance,
    latents,
    loaders,
    moving,
    pictures,
    posing,
    recorder,
    saving,
    services,
    video,
)
from workers.comfysim.nodes.registry import Run, Shown, UnknownNodeError, node_function

__all__ = [
    "Run",
    "Shown",
    "UnknownNodeError",
    "arithmetic",
    "audio",
    "between",
    "diffusion",
    "enlarging",
    "guidance",
    "latents",
    "loaders",
    "moving",
    "node_function",
    "pictures",
    "posing",
    "recorder",
    "saving",
    "services",
    "video",
]
