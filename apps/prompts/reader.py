"""Who reads a prompt: what a workflow template makes, whose LoRAs it loads, what its encoder hears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.prompts.encoders import encoders_of
from workflows.load import Template
from workflows.manifest import Manifest

NO_PLACE: Final = "no_place"
BY_MODEL: Final = "by_model"
"""Why a negative text has no effect: the graph has no place for it, or the model does not listen to it."""


@dataclass(frozen=True)
class Reader:
    """What the composer must know of a template. ``channel``: image | video.

    ``base_model``: whose LoRAs fit, "" for none. ``experts``: those the model has; a LoRA for another one is
    not loaded and triggers nothing; None: any. ``negative_ignored``: NO_PLACE, BY_MODEL, or "" if negative
    text is heard. ``encoders``: the text encoders of encoders.ENCODERS that read the positive text.
    """

    channel: str
    base_model: str = ""
    experts: frozenset[str] | None = None
    negative_ignored: str = ""
    encoders: tuple[str, ...] = ()


def reader_of(template: Template) -> Reader:
    """Read it from a template's manifest and graph."""
    manifest = template.manifest
    return Reader(
        channel=manifest.produces,
        base_model=manifest.lora_base,
        experts=frozenset(place.expert for place in manifest.loras),
        negative_ignored=negative_ignored(manifest),
        encoders=encoders_of(template),
    )


def negative_ignored(manifest: Manifest) -> str:
    """Say why this template's negative text has no effect; "" if it has, or if nobody knows.

    A manifest that does not say so itself is judged by its guidance: at a cfg of 1 or less ComfyUI does not
    run the negative half at all.
    """
    if "negative" not in manifest.bindings:
        return NO_PLACE
    if manifest.negative_effect is not None:
        return "" if manifest.negative_effect else BY_MODEL
    cfg = manifest.defaults.get("cfg")
    return BY_MODEL if isinstance(cfg, int | float) and cfg <= 1 else ""
