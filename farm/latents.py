"""Files of latents as ComfyUI writes (SaveLatent) and reads them (LoadLatent): safetensors, read and cut.

Eight bytes (little-endian) give the length of a header of JSON, which says of each tensor its type, shape and
place; then come the numbers, and nothing behind them. A clip's latents are ``latent_tensor``, of the shape
(1, channels, time, height, width), row by row. ComfyUI writes the prompt and the graph into the header
(``__metadata__``): what is cut has neither. Plain Python: nothing here looks at a number.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

TENSOR: Final = "latent_tensor"
FORMAT: Final = "latent_format_version_0"
"""An empty tensor. Without it LoadLatent takes the file for one of 2023 and multiplies by 1 / 0.18215."""

METADATA: Final = "__metadata__"
MOST_HEADER_BYTES: Final = 16 * 1024 * 1024
"""A graph of some hundred nodes has some hundred kilobytes."""

ITEM_BYTES: Final = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1}
DIMENSIONS: Final = 5
MOST_DIMENSIONS: Final = 16
"""No tensor has more: to multiply a million lengths takes hours."""
MOST_TOLD: Final = 60
"""Letters of a stranger's name that a message repeats."""
CHUNK: Final = 1024 * 1024


class NoLatentsError(ValueError):
    """This is no whole file of a clip's latents; the message says why."""


@dataclass(frozen=True, slots=True)
class Latents:
    """A clip's latents in a file: numbers of ``dtype`` from byte ``begin`` on.

    ``versioned``: the file has FORMAT.
    """

    dtype: str
    channels: int
    time: int
    height: int
    width: int
    begin: int
    versioned: bool

    @property
    def slice_bytes(self) -> int:
        """Of one channel of one latent frame."""
        return self.height * self.width * ITEM_BYTES[self.dtype]


def read_latents(path: Path) -> Latents:
    """Read what a file holds, and whether it is whole. Raises NoLatentsError, OSError."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        header, begin = _header(file, size)
    _check_places(header, size - begin)
    told = header.get(TENSOR)
    if told is None:
        raise NoLatentsError(f"it has no {TENSOR}")
    shape = told["shape"]
    if told["dtype"] not in ITEM_BYTES:
        raise NoLatentsError(f"its numbers are {_short(told['dtype'])}; known are {', '.join(ITEM_BYTES)}")
    if len(shape) != DIMENSIONS or shape[0] != 1 or 0 in shape:
        raise NoLatentsError(f"its shape is {shape}; a clip's is [1, channels, time, height, width]")
    _one, channels, time, height, width = shape
    start = begin + told["data_offsets"][0]
    return Latents(told["dtype"], channels, time, height, width, start, FORMAT in header)


def cut_latents(source: Path, target: Path, *, end: int, count: int) -> Latents:
    """Write the ``count`` latent frames before number ``end`` (from 0) of a file as one of its own.

    The numbers are taken as they are; prompt and graph are left out. Raises NoLatentsError, OSError.
    """
    whole = read_latents(source)
    if not 0 < count <= end <= whole.time:
        raise NoLatentsError(f"it has {whole.time} latent frames, and {count} before number {end} are wanted")
    shape = (1, whole.channels, count, whole.height, whole.width)
    head = latents_header(whole.dtype, shape, versioned=whole.versioned)
    with source.open("rb") as numbers, target.open("wb") as cut:
        cut.write(head)
        for channel in range(whole.channels):
            numbers.seek(whole.begin + (channel * whole.time + end - count) * whole.slice_bytes)
            left = count * whole.slice_bytes
            while left:
                left -= cut.write(_exactly(numbers, min(left, CHUNK)))
    return read_latents(target)


def latents_header(
    dtype: str, shape: tuple[int, ...], *, versioned: bool = True, metadata: dict[str, str] | None = None
) -> bytes:
    """What stands before the numbers of a file of latents; they begin on a multiple of eight bytes."""
    size = math.prod(shape) * ITEM_BYTES[dtype]
    told: dict[str, Any] = {METADATA: metadata} if metadata else {}
    if versioned:
        told[FORMAT] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    told[TENSOR] = {"dtype": dtype, "shape": list(shape), "data_offsets": [0, size]}
    text = json.dumps(told, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _header(file: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """What the header says of each tensor, and where the numbers begin."""
    length = int.from_bytes(_exactly(file, 8), "little")
    if length > min(MOST_HEADER_BYTES, size - 8):
        raise NoLatentsError(f"its header would have {length} bytes, and the file has {size}")
    try:
        told = json.loads(_exactly(file, length))
    except (ValueError, RecursionError) as exc:
        raise NoLatentsError(f"its header is no JSON: {exc}") from exc
    if not isinstance(told, dict):
        raise NoLatentsError("its header is no object")
    told.pop(METADATA, None)
    for name, tensor in told.items():
        if not _is_tensor(tensor):
            raise NoLatentsError(f"its header does not say what {_short(name)} is")
    return told, 8 + length


def _is_tensor(told: object) -> bool:
    if not isinstance(told, dict) or not isinstance(told.get("dtype"), str):
        return False
    shape, offsets = told.get("shape"), told.get("data_offsets")
    return _are_counts(shape, range(MOST_DIMENSIONS + 1)) and _are_counts(offsets, (2,))


def _are_counts(value: object, lengths: Container[int]) -> bool:
    return (
        isinstance(value, list)
        and len(value) in lengths
        and all(type(one) is int and 0 <= one < 1 << 48 for one in value)
    )


def _check_places(header: dict[str, Any], size: int) -> None:
    """The tensors lie one behind the other, as large as their shapes say, up to the file's last byte."""
    at = 0
    for name, told in sorted(header.items(), key=lambda one: (*one[1]["data_offsets"], one[0])):
        begin, end = told["data_offsets"]
        item = ITEM_BYTES.get(told["dtype"])
        wrong = item is not None and end - begin != math.prod(told["shape"]) * item
        if begin != at or end < begin or wrong:
            raise NoLatentsError(f"{_short(name)} does not lie where its header says")
        at = end
    if at != size:
        raise NoLatentsError(f"it has {size} bytes of numbers where its header says {at}")


def _short(name: str) -> str:
    return repr(name if len(name) <= MOST_TOLD else f"{name[:MOST_TOLD]}…")


def _exactly(file: BinaryIO, count: int) -> bytes:
    found = file.read(count)
    if len(found) != count:
        raise NoLatentsError("it ends too early")
    return found
