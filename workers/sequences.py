"""Pictures in a row become one lossless clip: FFV1 in Matroska, 8 bit RGB, as ComfyUI reads pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import av
from PIL import Image

from workers.errors import InputUnusable
from workers.media import MAX_PIXELS, PICTURES

RATE: Final = 24
"""The clip must have some rate; whoever joins pictures says at which they are to be played."""


def pack(pictures: Sequence[Path], clip: Path) -> None:
    """Write the pictures, in this order, into one file. All must be of one size. Raises InputUnusable."""
    with av.open(str(clip), "w", format="matroska", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("ffv1", rate=RATE)
        if not isinstance(stream, av.VideoStream):
            raise TypeError("ffv1 is not a video codec")
        stream.pix_fmt = "bgr0"
        size: tuple[int, int] | None = None
        for number, path in enumerate(pictures, start=1):
            picture = _read(path)
            if size is None:
                size = stream.width, stream.height = picture.size
            if picture.size != size:
                told = f"{picture.width} × {picture.height} pixels, the first has {size[0]} × {size[1]}"
                raise InputUnusable(f"picture {number} of {len(pictures)} has {told}: they make no clip")
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _read(path: Path) -> Image.Image:
    try:
        with Image.open(path, formats=PICTURES) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise InputUnusable(f"{path.name} has more than {MAX_PIXELS} pixels")
            return picture.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as exc:
        raise InputUnusable(f"{path.name} is no picture that can be read: {exc}") from exc
