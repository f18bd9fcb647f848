"""The sheet a frame is drawn on, twice as large as the frame, and the strokes every backdrop uses."""

from __future__ import annotations

import itertools
import math
from random import Random

from PIL import Image, ImageDraw, ImageFilter

from workers.comfysim.storyboard.palette import Palette, Rgb, mix

OVERSAMPLING = 2


class Canvas:
    """Positions are shares of the sheet: x and y from 0 (left, top) to 1."""

    def __init__(self, size: tuple[int, int], palette: Palette, rng: Random) -> None:
        self.width, self.height = size[0] * OVERSAMPLING, size[1] * OVERSAMPLING
        self.palette = palette
        self.rng = rng
        self.image = Image.new("RGB", (self.width, self.height), palette.sky)
        self.draw = ImageDraw.Draw(self.image)
        self.horizon = rng.uniform(0.56, 0.66)
        self.light_x = rng.choice((rng.uniform(0.14, 0.36), rng.uniform(0.64, 0.86)))
        self.light_y = self.horizon - rng.uniform(0.14, 0.36)
        self.coats = rng.sample(range(5), 5)
        self.nearest_water = 0.0  # nobody stands above this line

    def at(self, x: float, y: float) -> tuple[float, float]:
        return x * self.width, y * self.height

    def polygon(self, points: list[tuple[float, float]], color: Rgb) -> None:
        self.draw.polygon([self.at(x, y) for x, y in points], fill=color)

    def box(self, left: float, top: float, right: float, bottom: float, color: Rgb) -> None:
        self.draw.rectangle([self.at(left, top), self.at(right, bottom)], fill=color)

    def gradient(self, top: float, bottom: float, colors: list[Rgb]) -> None:
        """Colours from `top` to `bottom` over the full width."""
        strip = Image.new("RGB", (1, len(colors)))
        for row, color in enumerate(colors):
            strip.putpixel((0, row), color)
        start, end = round(top * self.height), round(bottom * self.height)
        column = strip.resize((1, max(1, end - start)), Image.Resampling.BICUBIC)
        self.image.paste(column.resize((self.width, column.height), Image.Resampling.NEAREST), (0, start))

    def glow(self, x: float, y: float, radius: float, color: Rgb, strength: float) -> None:
        """A soft round light; `radius` is a share of the height."""
        side = max(4, round(radius * self.height * 2))
        # Pillow's gradient runs from 0 in the middle to 181 at the nearest edge.
        levels = [round(max(0.0, 1 - level / 178) ** 2 * 255 * strength) for level in range(256)]
        falloff = Image.radial_gradient("L").point(levels)
        corner = (round(x * self.width - side / 2), round(y * self.height - side / 2))
        self.image.paste(color, (*corner, corner[0] + side, corner[1] + side), falloff.resize((side, side)))

    def disc(self, x: float, y: float, radius: float, color: Rgb) -> None:
        cx, cy = self.at(x, y)
        r = radius * self.height
        self.draw.ellipse([cx - r, cy - r, cx + r, cy + r], fill=color)

    def ridge(
        self, base: float, height: float, color: Rgb, *, rough: float = 0.5, bottom: float = 1.0
    ) -> None:
        """A skyline of hills from `base` up by at most `height`, filled down to `bottom`."""
        line = self.profile(rough)
        points = [(index / (len(line) - 1), base - height * level) for index, level in enumerate(line)]
        self.polygon([(0, bottom), *points, (1, bottom)], color)

    def profile(self, rough: float, depth: int = 7) -> list[float]:
        """A fractal line of levels from 0 to 1; `rough` from 0 (smooth) to 1."""
        line = [self.rng.uniform(0.2, 0.8), self.rng.uniform(0.3, 1.0), self.rng.uniform(0.2, 0.8)]
        spread = 0.5
        for _ in range(depth):
            refined = [line[0]]
            for left, right in itertools.pairwise(line):
                refined += [(left + right) / 2 + self.rng.uniform(-spread, spread) * 0.5, right]
            line = refined
            spread *= rough
        return [min(1.0, max(0.0, level)) for level in line]

    def clouds(self, count: int, color: Rgb, opacity: float) -> None:
        small = (max(2, self.width // 16), max(2, self.height // 16))
        mask = Image.new("L", small, 0)
        pen = ImageDraw.Draw(mask)
        for _ in range(count):
            x, y = self.rng.uniform(-0.1, 1.1), self.rng.uniform(0.02, self.horizon * 0.85)
            for _ in range(5):
                half = self.rng.uniform(0.03, 0.12)
                cx, cy = (
                    (x + self.rng.uniform(-0.1, 0.1)) * small[0],
                    (y + self.rng.uniform(-0.015, 0.015)) * small[1],
                )
                width, height = half * small[0], half * small[1] * 0.3
                pen.ellipse([cx - width, cy - height, cx + width, cy + height], fill=round(255 * opacity))
        mask = mask.filter(ImageFilter.GaussianBlur(small[1] / 36))
        self.image.paste(color, (0, 0), mask.resize(self.image.size, Image.Resampling.BICUBIC))

    def haze(self, base: float, depth: float, opacity: float) -> None:
        """A band of the horizon's colour lying at `base`, thinning upward and downward."""
        levels = [round(255 * opacity * math.sin(math.pi * row / 31)) for row in range(32)]
        column = Image.new("L", (1, 32))
        column.putdata(levels)
        top = round((base - depth) * self.height)
        band = column.resize((self.width, max(1, round(depth * 2 * self.height))), Image.Resampling.BICUBIC)
        self.image.paste(mix(self.palette.horizon, self.palette.sky, 0.2), (0, top), band)
