"""Colours of a picture on a dark page: links as ComfyUI colours them, as far as people know them by it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final

ACCENT: Final = "#4fd1a5"
"""What is bound."""


@dataclass(frozen=True, slots=True)
class Ink:
    box: str = "#1b2129"
    head: str = "#252d38"
    saving: str = "#20384a"
    edge: str = "#3a4553"
    bright: str = "#f0f4f8"
    text: str = "#b9c4d0"
    dim: str = "#8593a3"
    warn: str = "#f0b429"
    problem: str = "#ff5d5d"
    problem_head: str = "#4a2228"


INK: Final = Ink()

_BY_TYPE: Final = {
    "MODEL": "#b39ddb",
    "CLIP": "#ffd500",
    "VAE": "#ff6e6e",
    "CONDITIONING": "#ffa931",
    "LATENT": "#ff9cf9",
    "IMAGE": "#64b5f6",
    "MASK": "#81c784",
    "VIDEO": "#4dd0e1",
    "AUDIO": "#aed581",
    "CONTROL_NET": "#00d78d",
    "CLIP_VISION": "#a8dadc",
    "CLIP_VISION_OUTPUT": "#ad7452",
    "GUIDER": "#66ffff",
    "NOISE": "#b0b0b0",
    "SAMPLER": "#ecb4b4",
    "SIGMAS": "#cdffcd",
    "STRING": "#9fb8a0",
    "INT": "#88aadd",
    "FLOAT": "#9bc995",
    "BOOLEAN": "#c39b9b",
    "COMBO": "#a0a0a0",
    "*": "#8593a3",
}
_OTHERS: Final = ("#e0a3a3", "#a3c9e0", "#d6c28f", "#b7a3e0", "#8fd6c2", "#e0a3cf")


def colour_of(kind: str) -> str:
    """The colour of a type; one that nobody knows has always the same of a few."""
    known = _BY_TYPE.get(kind)
    return known or _OTHERS[zlib.crc32(kind.encode("utf-8", "replace")) % len(_OTHERS)]
