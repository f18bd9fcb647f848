"""The files a simulated node stores: small real PNGs of the size that was ordered, labelled SIMULATED."""

from __future__ import annotations

import functools
import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageDraw

from farm.contracts import ArtifactFact, OrderOutput

NAME = "picture_00001_.png"


@dataclass(frozen=True)
class Picture:
    """A file's bytes and what a report says of it."""

    content: bytes
    fact: ArtifactFact


@functools.cache
def picture_for(output: OrderOutput) -> Picture:
    """Draw the picture that this output promises; equal promises share one."""
    if output.kind != "image":
        raise ValueError(f"output {output.node} is of kind {output.kind!r}; simulated nodes make images only")
    image = Image.new("RGB", (output.width, output.height), (24, 32, 48))
    ImageDraw.Draw(image).text((8, 8), f"SIMULATED {output.width} x {output.height}", fill=(220, 220, 220))
    stream = io.BytesIO()
    image.quantize(4).save(stream, "PNG", optimize=True)
    content = stream.getvalue()
    return Picture(
        content,
        ArtifactFact(
            path=NAME,
            kind="image",
            media_type="image/png",
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            width=output.width,
            height=output.height,
            frames=1,
            fps=None,
            output_node=output.node,
        ),
    )
