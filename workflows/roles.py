"""What a template may bind: roles, and the type of each one's value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LATENT: Final = "latent"
"""The role that takes the last latents of a clip that is continued, as ComfyUI saved them."""

PICTURES: Final = "pictures"
"""The role that takes all pictures of such a take: they come to its loader as one lossless clip."""

MOST_REFERENCES: Final = 9

ROLES: Final[Mapping[str, str]] = {
    "positive": "text",
    "negative": "text",
    "seed": "int",
    "width": "int",
    "height": "int",
    "frames": "int",
    "fps": "float",
    "steps": "int",
    "cfg": "float",
    "guidance": "float",
    "strength": "float",
    "precision": "choice",
    "model": "choice",
    "color": "color",
    "filename_prefix": "text",
    "first_frame": "file",
    "last_frame": "file",
    "video": "file",
    LATENT: "file",
    PICTURES: "file",
    **{
        f"reference_{number}" if number > 1 else "reference": "file"
        for number in range(1, MOST_REFERENCES + 1)
    },
    "control": "file",
    "mask": "file",
    "audio": "file",
    "slate_image": "file",
}
"""Every role a template may bind, and the type of its value. A color is ``#rrggbb``; a file is
named by whatever the farm calls it and becomes an input to upload on the GPU node. LoRAs are no role:
``Manifest.loras`` says where their loaders go."""

FORMER_ROLES: Final[Mapping[str, str]] = {
    "start_image": "first_frame",
    "start_video": "video",
    "reference_image": "reference",
}
"""What roles were called in versions and jobs that are kept."""
