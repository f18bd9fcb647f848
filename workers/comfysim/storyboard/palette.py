"""Colours of a frame: a light for each time of day, bent by place, weather and seed."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass, replace
from random import Random

from workers.comfysim.storyboard.scene import Scene

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    zenith: Rgb
    sky: Rgb
    horizon: Rgb
    far: Rgb
    ground: Rgb
    dark: Rgb
    light: Rgb


_BY_TIME = {
    "night": Palette(
        (7, 11, 30), (20, 33, 70), (58, 80, 122), (30, 44, 78), (14, 22, 38), (4, 6, 12), (222, 232, 255)
    ),
    "dawn": Palette(
        (60, 78, 124),
        (190, 146, 166),
        (255, 214, 172),
        (124, 116, 152),
        (66, 62, 82),
        (22, 20, 32),
        (255, 230, 196),
    ),
    "golden": Palette(
        (86, 122, 168),
        (240, 186, 116),
        (255, 228, 168),
        (178, 130, 92),
        (104, 72, 44),
        (28, 17, 12),
        (255, 240, 200),
    ),
    "day": Palette(
        (44, 116, 190),
        (136, 190, 234),
        (222, 240, 252),
        (136, 168, 184),
        (98, 124, 76),
        (24, 32, 28),
        (255, 252, 238),
    ),
    "dusk": Palette(
        (26, 24, 66),
        (118, 62, 116),
        (244, 142, 98),
        (88, 62, 106),
        (38, 30, 50),
        (13, 9, 20),
        (255, 192, 138),
    ),
    "overcast": Palette(
        (112, 124, 136),
        (164, 174, 180),
        (208, 213, 214),
        (138, 149, 155),
        (82, 91, 86),
        (25, 30, 32),
        (236, 240, 242),
    ),
}
_GROUND_OF = {
    "sea": (30, 62, 84),
    "forest": (38, 52, 34),
    "desert": (206, 164, 106),
    "mountain": (84, 88, 82),
    "city": (62, 64, 70),
    "interior": (92, 66, 46),
}
LAMP: Rgb = (255, 206, 128)
_SNOW: Rgb = (226, 234, 244)


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """`share` of b in a, 0 to 1."""
    return (
        round(a[0] + (b[0] - a[0]) * share),
        round(a[1] + (b[1] - a[1]) * share),
        round(a[2] + (b[2] - a[2]) * share),
    )


def choose(scene: Scene, rng: Random) -> Palette:
    palette = _BY_TIME[scene.time]
    brightness = sum(palette.horizon) / 765
    if scene.place in _GROUND_OF:
        lit = mix((0, 0, 0), _GROUND_OF[scene.place], 0.25 + 0.75 * brightness)
        palette = replace(palette, ground=mix(palette.ground, lit, 0.65))
    if "snow" in scene.weather:
        palette = replace(palette, ground=mix(palette.ground, _SNOW, 0.3 + 0.55 * brightness))
    if "rain" in scene.weather or "fog" in scene.weather:
        grey = _BY_TIME["overcast"]
        palette = replace(
            palette,
            zenith=mix(palette.zenith, grey.zenith, 0.25 * brightness),
            sky=mix(palette.sky, grey.sky, 0.35 * brightness),
        )
    return _shifted(palette, hue=rng.uniform(-0.025, 0.025), value=rng.uniform(0.93, 1.07))


def _shifted(palette: Palette, *, hue: float, value: float) -> Palette:
    def shift(color: Rgb) -> Rgb:
        h, s, v = colorsys.rgb_to_hsv(*(channel / 255 for channel in color))
        r, g, b = colorsys.hsv_to_rgb((h + hue) % 1, s, min(1.0, v * value))
        return round(r * 255), round(g * 255), round(b * 255)

    return Palette(*(shift(getattr(palette, name)) for name in Palette.__dataclass_fields__))
