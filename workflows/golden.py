"""The golden render: the smallest fixed render of a template, which shows that a node can do it.

Values the manifest states under ``golden`` stand; the rest is derived: the smallest legal size that models
can do something with, the fewest frames and steps, one prompt, one seed. The same template gives the same
values.
"""

from __future__ import annotations

import math
from typing import Final

from workflows.manifest import Binding, Manifest, Value

SEED: Final = 20_010_911
PROMPT: Final = "a grey ball on a white table, soft light, plain background"
NEGATIVE: Final = "text, watermark"
COLOR: Final = "#808080"
_TEXTS: Final = {"positive": PROMPT, "negative": NEGATIVE}

LEAST_SIDE: Final = 256
"""Pixels. Some graphs take less, but their models make nothing of it."""

LEAST_STEPS: Final = 2
"""Samplers that share the steps between two models need one each."""

CLIP_FRAMES: Final = 9
CLIP_FPS: Final = 8.0
SOUND_S: Final = 2.0


def golden_values(manifest: Manifest) -> dict[str, Value]:
    """Return the value of every role that is no file; optional roles are left away."""
    values: dict[str, Value] = {}
    for role, binding in manifest.bindings.items():
        if binding.type == "file" or role == "filename_prefix":
            continue
        if binding.optional is not None and role not in manifest.golden:
            continue
        values[role] = manifest.golden.get(role, _derived(role, binding, manifest))
    return values


def golden_files(manifest: Manifest) -> tuple[str, ...]:
    """The roles that must be given a file."""
    return tuple(role for role in manifest.required_roles if manifest.bindings[role].type == "file")


def medium_of(role: str) -> str:
    """What kind of file a role takes: "image", "video", "audio" or "latent"."""
    return role if role in ("video", "audio", "latent") else "image"


def _derived(role: str, binding: Binding, manifest: Manifest) -> Value:
    default = manifest.defaults.get(role)
    if role in _TEXTS:
        return _TEXTS[role]
    if role == "seed":
        return int(_within(SEED, binding))
    if role in ("width", "height"):
        return _side(binding, manifest.dim_step, default)
    if role == "frames" and manifest.frame_rule is not None:
        return manifest.frame_rule.next_legal(manifest.frame_rule.minimum)
    if role == "steps":
        least = int(_within(LEAST_STEPS, binding))
        return min(least, int(default)) if default is not None else least
    return _any(binding, manifest) if default is None else default


def _side(binding: Binding, step: int, default: Value | None) -> int:
    least = max(int(binding.minimum or 0), LEAST_SIDE)
    if default is not None:
        least = max(min(least, int(default)), int(binding.minimum or 0))
    return math.ceil(least / step) * step


def _within(value: float, binding: Binding) -> float:
    least = value if binding.minimum is None else max(value, binding.minimum)
    return least if binding.maximum is None else min(least, binding.maximum)


def _any(binding: Binding, manifest: Manifest) -> Value:
    """A value for a role that has no default and no rule of its own."""
    match binding.type:
        case "choice":
            return binding.choices[0] if binding.choices else ""
        case "color":
            return COLOR
        case "int":
            return int(_within(1, binding))
        case "float":
            return float(_within(manifest.native_fps or 1.0, binding))
    return PROMPT
