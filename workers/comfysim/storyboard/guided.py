"""A still that shows what guided it: the picture it starts from, control pictures, references, a hole."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageOps

from workers.comfysim.storyboard.frame import BAR_SHARE, SMALLEST_CAPTIONED, letterbox, stamp
from workers.comfysim.values import Latent

_REFERENCE_SHARE = 0.5
_HINT_LEVEL = 0.5
_THUMBNAIL = 0.22
"""Height of a further reference in the corner, as a share of the picture."""


def guided(still: Image.Image, latent: Latent, index: int) -> Image.Image:
    """Return `still`, picture `index` of a sampled latent, with all that guided it laid in, mark on top.

    The first reference shows through, further ones stand small below; control pictures light up the lines
    they drew; outside a hole the picture is the one that was encoded.
    """
    start = ImageOps.fit(latent.start[index % len(latent.start)], still.size) if latent.start else None
    if not (latent.references or latent.hints or (start and (latent.kept or latent.hole))):
        return still
    picture = _with_references(still, latent.references)
    if start and latent.kept:
        picture = Image.blend(picture, start.convert("RGB"), latent.kept)
    for hint in latent.hints:
        lines = ImageOps.fit(hint.convert("RGB"), still.size).point(lambda level: level * _HINT_LEVEL)
        picture = ImageChops.screen(picture, lines)
    if latent.hole is None or start is None:
        if still.width >= SMALLEST_CAPTIONED:
            letterbox(picture, latent.positive, (latent.seed or 0) + index)
        return picture
    hole = latent.hole.resize(still.size)
    stamp(picture, hole.getbbox() or (0, 0, *still.size))
    return Image.composite(picture, start.convert("RGB"), hole)


def _with_references(still: Image.Image, references: tuple[Image.Image, ...]) -> Image.Image:
    if not references:
        return still
    first, *others = (reference.convert("RGB") for reference in references)
    picture = Image.blend(still, ImageOps.fit(first, still.size), _REFERENCE_SHARE)
    height = max(1, round(still.height * _THUMBNAIL))
    left, top = 0, still.height - height - round(still.height * BAR_SHARE)
    for other in others:
        small = ImageOps.fit(other, (height, height))
        picture.paste(small, (left, top))
        left += height
    return picture
