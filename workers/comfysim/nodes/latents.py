"""Latents as files, and cut and joined in time. A plane of a latent frame has one number all over."""

from __future__ import annotations

import random
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from farm.latents import NoLatentsError, latents_header, read_latents
from workers.comfysim.files import SaveNames
from workers.comfysim.nodes.loaders import SafetensorError
from workers.comfysim.nodes.registry import Inputs, Run, Shown, node
from workers.comfysim.nodes.saving import graph_texts
from workers.comfysim.values import Latent, Slot

CHANNELS: Final = 16
_STRIDE: Final = 4
_SCALE: Final = 8
_FLOAT: Final = struct.Struct("<f")


def slots_of(latent: Latent) -> tuple[Slot, ...]:
    """What each latent frame of a clip holds: told by prompt, seed and place; zeros of an empty one."""
    if latent.slots:
        return latent.slots
    count = (max(latent.frames, len(latent.start)) - 1) // _STRIDE + 1
    own = [_slot(latent, place) for place in range(count)]
    own[1 : 1 + len(latent.motion)] = latent.motion[: count - 1]
    return tuple(own)


def _slot(latent: Latent, place: int) -> Slot:
    if latent.seed is None and not latent.start:
        return (0.0,) * CHANNELS
    drawn = random.Random(f"{latent.seed} {latent.positive} {place}")  # nothing secret
    return tuple(_FLOAT.unpack(_FLOAT.pack(drawn.uniform(-1, 1)))[0] for _channel in range(CHANNELS))


def check_size(first: Latent, second: Latent) -> None:
    """Fail as torch.cat does on tensors that differ elsewhere than in time."""
    for one, other in ((first.height, second.height), (first.width, second.width)):
        if one != other:
            sizes = f"Expected size {one // _SCALE} but got size {other // _SCALE} for tensor number 1"
            raise RuntimeError(f"Sizes of tensors must match except in dimension 2. {sizes} in the list.")


@node("SaveLatent")
def save(run: Run, inputs: Inputs) -> Shown:
    """Write a clip's latents, with prompt and graph in their header; a picture's as a clip of one frame."""
    latent: Latent = inputs["samples"]
    names = SaveNames(run.folders, "output", inputs["filename_prefix"], width=0, height=0)
    path = names.next("latent")
    slots, plane = slots_of(latent), latent.height // _SCALE * (latent.width // _SCALE)
    shape = (1, CHANNELS, len(slots), latent.height // _SCALE, latent.width // _SCALE)
    with path.open("wb") as file:
        file.write(latents_header("F32", shape, metadata=graph_texts(run)))
        for channel in range(CHANNELS):
            for slot in slots:
                file.write(_FLOAT.pack(slot[channel]) * plane)
    return Shown({"latents": [names.entry(path)]}, (latent,))


@node("LoadLatent")
def load(run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """Read latents; of each plane its first number."""
    return (_read(run.folders.annotated(inputs["latent"])),)


def _read(path: Path) -> Latent:
    try:
        told = read_latents(path)
    except NoLatentsError as exc:
        raise SafetensorError(f"Error while deserializing header: {exc}") from exc
    planes: list[list[float]] = []
    with path.open("rb") as file:
        for plane in range(told.channels * told.time):
            file.seek(told.begin + plane * told.slice_bytes)
            planes.append(list(_FLOAT.unpack(file.read(_FLOAT.size))))
    numbers = [plane[0] for plane in planes]
    slots = tuple(tuple(numbers[place :: told.time]) for place in range(told.time))
    return Latent(
        told.width * _SCALE, told.height * _SCALE, frames=(told.time - 1) * _STRIDE + 1, slots=slots
    )


@node("LatentCut")
def cut(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """In time only."""
    latent: Latent = inputs["samples"]
    slots, index, amount = slots_of(latent), inputs["index"], inputs["amount"]
    first = min(index, len(slots) - 1) if index >= 0 else max(0, len(slots) + index)
    return (_of_slots(latent, slots[first : first + amount]),)


@node("LatentConcat")
def join(_run: Run, inputs: Inputs) -> tuple[Any, ...]:
    """In time only."""
    first: Latent = inputs["samples1"]
    second: Latent = inputs["samples2"]
    check_size(first, second)
    one, other = slots_of(first), slots_of(second)
    return (_of_slots(first, other + one if inputs["dim"].startswith("-") else one + other),)


def _of_slots(latent: Latent, slots: tuple[Slot, ...]) -> Latent:
    return replace(latent, frames=(len(slots) - 1) * _STRIDE + 1, slots=slots, motion=())
