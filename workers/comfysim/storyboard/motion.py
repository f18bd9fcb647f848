"""A moving shot made of one picture: a slow push or pan, a drifting veil, and the mark on every frame."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from workers.comfysim.storyboard.frame import mark

_PUSH = 0.1
"""How much closer the camera gets, as a share of the picture."""


def animate(start: Image.Image, seed: int, size: tuple[int, int], frames: int) -> list[Image.Image]:
    """`frames` RGB pictures of `size` that begin at `start`; the same seed gives the same move."""
    rng = Random(f"motion|{seed}")
    picture = ImageOps.fit(start.convert("RGB"), size, Image.Resampling.LANCZOS)
    aim_x, aim_y = rng.uniform(-1, 1), rng.uniform(-0.5, 0.5)
    veil, drift = _veil(size, rng), rng.choice((-1, 1))
    label = mark(size)
    corner = (size[0] - label.width - round(size[0] * 0.02), round(size[1] * 0.02))
    moving = []
    for index in range(frames):
        share = index / max(1, frames - 1)
        frame = _closer(picture, (1 - math.cos(math.pi * share)) / 2, aim_x, aim_y)
        offset = round(share * size[0] * 0.5)
        left = offset if drift > 0 else size[0] - offset
        frame.paste((255, 255, 255), (0, 0), veil.crop((left, 0, left + size[0], size[1])))
        frame.paste(label, corner)
        moving.append(frame)
    return moving


def _closer(picture: Image.Image, share: float, aim_x: float, aim_y: float) -> Image.Image:
    width, height = picture.size
    scale = 1 - _PUSH * share
    spare_x, spare_y = width * (1 - scale), height * (1 - scale)
    left, top = spare_x * (0.5 + 0.5 * aim_x), spare_y * (0.5 + 0.5 * aim_y)
    return picture.transform(
        picture.size, Image.Transform.AFFINE, (scale, 0, left, 0, scale, top), Image.Resampling.BILINEAR
    )


def _veil(size: tuple[int, int], rng: Random) -> Image.Image:
    """A mask twice as wide as the frame: faint mist and a few bright motes to drift across it."""
    small = (max(2, size[0] // 4), max(2, size[1] // 8))
    mist = Image.new("L", small, 0)
    pen = ImageDraw.Draw(mist)
    for _ in range(14):
        x, y = rng.random() * small[0], rng.uniform(0.35, 0.9) * small[1]
        half = rng.uniform(0.04, 0.12) * small[0]
        pen.ellipse([x - half, y - half * 0.18, x + half, y + half * 0.18], fill=rng.randint(26, 60))
    mist = mist.filter(ImageFilter.GaussianBlur(small[1] / 14)).resize(
        (size[0] * 2, size[1]), Image.Resampling.BICUBIC
    )
    pen = ImageDraw.Draw(mist)
    for _ in range(40):
        x, y = rng.random() * mist.width, rng.random() * mist.height
        radius = size[1] * rng.uniform(0.0015, 0.004)
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=rng.randint(70, 150))
    return mist
