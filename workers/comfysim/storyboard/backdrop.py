"""The place behind the figures: sky, light and one backdrop for each kind of place."""

from __future__ import annotations

import math
from collections.abc import Callable

from workers.comfysim.storyboard import interior
from workers.comfysim.storyboard.canvas import Canvas
from workers.comfysim.storyboard.palette import LAMP, Rgb, mix
from workers.comfysim.storyboard.scene import Scene


def draw(canvas: Canvas, scene: Scene) -> None:
    if scene.place == "interior":
        interior.draw(canvas, scene)
        return
    _sky(canvas, scene)
    _BACKDROPS[scene.place](canvas, scene)
    if "fog" in scene.weather:
        canvas.haze(canvas.horizon, 0.22, 0.8)
        canvas.haze(canvas.horizon + 0.2, 0.16, 0.45)


def _sky(canvas: Canvas, scene: Scene) -> None:
    palette, rng = canvas.palette, canvas.rng
    canvas.gradient(0, canvas.horizon + 0.02, [palette.zenith, palette.sky, palette.horizon])
    if scene.time == "night" and not scene.weather:
        for _ in range(140):
            x, y = rng.random(), rng.random() ** 1.5 * canvas.horizon * 0.9
            canvas.disc(
                x, y, rng.uniform(0.0006, 0.0018), mix(palette.zenith, palette.light, rng.uniform(0.4, 1))
            )
    if scene.time != "overcast":
        radius = 0.035 if scene.time == "night" else 0.045
        low = canvas.horizon - 0.07 if scene.time in ("dawn", "golden", "dusk") else canvas.light_y
        canvas.light_y = low
        canvas.glow(canvas.light_x, low, 0.75, palette.horizon, 0.55)
        canvas.glow(canvas.light_x, low, 0.3, palette.light, 0.75)
        canvas.disc(canvas.light_x, low, radius, palette.light)
    cover = 9 if scene.time == "overcast" or scene.weather else rng.randint(2, 5)
    canvas.clouds(cover, mix(palette.sky, palette.light, 0.5), 0.6)


def _ground(canvas: Canvas, near: float = 0.55) -> None:
    palette = canvas.palette
    canvas.gradient(
        canvas.horizon,
        1,
        [mix(palette.ground, palette.horizon, 0.35), palette.ground, mix(palette.ground, palette.dark, near)],
    )


def _layers(canvas: Canvas, count: int, height: float, *, rough: float) -> None:
    palette = canvas.palette
    for layer in range(count):
        share = layer / max(1, count - 1)
        color = mix(mix(palette.far, palette.horizon, 0.45), mix(palette.far, palette.dark, 0.35), share)
        canvas.ridge(
            canvas.horizon + 0.03 * share,
            height * (1 - 0.55 * share),
            color,
            rough=rough,
            bottom=canvas.horizon + 0.05,
        )


def _field(canvas: Canvas, scene: Scene) -> None:
    _layers(canvas, 2, 0.1, rough=0.35)
    _ground(canvas)
    rng, palette = canvas.rng, canvas.palette
    vanishing = rng.uniform(0.3, 0.7)
    canvas.polygon(  # the path
        [
            (vanishing - 0.006, canvas.horizon),
            (vanishing + 0.006, canvas.horizon),
            (vanishing + 0.24, 1),
            (vanishing - 0.2, 1),
        ],
        mix(palette.ground, palette.horizon, 0.3),
    )
    tree = rng.choice((0.12, 0.88))
    _round_tree(canvas, tree, canvas.horizon + 0.06, 0.34, mix(palette.dark, palette.far, 0.15))


def _mountain(canvas: Canvas, scene: Scene) -> None:
    _layers(canvas, 4, 0.42, rough=0.52)
    _ground(canvas)
    canvas.ridge(
        canvas.horizon + 0.16, 0.08, mix(canvas.palette.ground, canvas.palette.dark, 0.35), rough=0.45
    )


def _desert(canvas: Canvas, scene: Scene) -> None:
    _ground(canvas, near=0.3)
    rng, palette = canvas.rng, canvas.palette
    for layer in range(4):
        base = canvas.horizon + 0.01 + layer * 0.11
        crest, height = rng.uniform(0.2, 0.8), rng.uniform(0.05, 0.1)
        lit = mix(palette.ground, palette.light, 0.28 - 0.05 * layer)
        shade = mix(palette.ground, palette.dark, 0.16 + 0.1 * layer)
        line = [(x / 40, base - height * math.exp(-(((x / 40 - crest) / 0.32) ** 2))) for x in range(41)]
        canvas.polygon([(0, 1), *line, (1, 1)], lit)
        lean = 0.22 if canvas.light_x < crest else -0.22  # the side away from the light
        slope = [(x, y) for x, y in line if (x - crest) * lean >= 0]
        foot = [(crest + lean * share, base + 0.2 * share) for share in (1.0, 0.66, 0.33)]
        canvas.polygon(
            [*(slope if lean > 0 else slope[::-1]), (1.0 if lean > 0 else 0.0, base + 0.2), *foot], shade
        )


def _sea(canvas: Canvas, scene: Scene) -> None:
    rng, palette = canvas.rng, canvas.palette
    if rng.random() < 0.6:
        _layers(canvas, 1, 0.1, rough=0.45)
    canvas.gradient(
        canvas.horizon,
        1,
        [mix(palette.horizon, palette.ground, 0.35), palette.ground, mix(palette.ground, palette.dark, 0.5)],
    )
    for _ in range(230):  # glitter under the light, spreading toward the viewer
        depth = rng.random() ** 1.6
        y = canvas.horizon + 0.004 + depth * (1 - canvas.horizon)
        x = canvas.light_x + rng.gauss(0, 0.03 + 0.16 * depth)
        half = 0.004 + 0.03 * depth * rng.random()
        color = mix(palette.ground, palette.light, rng.uniform(0.25, 0.8) * (1 - 0.5 * depth))
        canvas.box(x - half, y, x + half, y + 0.0012 + 0.003 * depth, color)
    x, y, size = rng.uniform(0.15, 0.85), canvas.horizon + 0.015, rng.uniform(0.05, 0.09)
    hull = mix(palette.dark, palette.far, 0.2)
    canvas.polygon(
        [
            (x - size * 0.6, y),
            (x + size * 0.6, y),
            (x + size * 0.42, y + size * 0.22),
            (x - size * 0.42, y + size * 0.22),
        ],
        hull,
    )
    canvas.polygon(
        [(x, y - size * 1.8), (x, y - size * 0.1), (x - size * 0.5, y - size * 0.1)],
        mix(palette.light, palette.far, 0.3),
    )
    canvas.polygon(
        [(x + 0.004, y - size * 1.5), (x + 0.004, y - size * 0.1), (x + size * 0.36, y - size * 0.1)],
        mix(palette.light, palette.far, 0.5),
    )
    canvas.nearest_water = 0.86
    shore = mix((196, 168, 124), palette.dark, 0.75 - 0.55 * sum(palette.horizon) / 765)
    canvas.ridge(0.9, 0.14, mix(shore, palette.light, 0.35), rough=0.2)
    canvas.ridge(0.92, 0.13, shore, rough=0.2)


def _forest(canvas: Canvas, scene: Scene) -> None:
    rng, palette = canvas.rng, canvas.palette
    _layers(canvas, 2, 0.2, rough=0.4)
    for layer, (count, height) in enumerate(((44, 0.3), (26, 0.44))):
        color = mix(
            mix(palette.far, palette.horizon, 0.25), mix(palette.ground, palette.dark, 0.5), 0.2 + 0.6 * layer
        )
        for _ in range(count):
            x, size = rng.random() * 1.1 - 0.05, height * rng.uniform(0.6, 1.1)
            _conifer(canvas, x, canvas.horizon + 0.05 + 0.04 * layer, size, color)
    _ground(canvas)
    for side in (rng.uniform(0.02, 0.1), rng.uniform(0.9, 0.98)):  # trunks that frame the picture
        width = rng.uniform(0.02, 0.035)
        trunk = mix(palette.dark, palette.ground, 0.15)
        canvas.polygon(
            [
                (side - width * 0.7, -0.05),
                (side + width * 0.6, -0.05),
                (side + width, 1.05),
                (side - width * 1.1, 1.05),
            ],
            trunk,
        )


def _conifer(canvas: Canvas, x: float, foot: float, size: float, color: Rgb) -> None:
    half = size * 0.17 * canvas.height / canvas.width
    for tier in range(3):
        top, bottom = foot - size * (1 - 0.26 * tier), foot - size * (0.42 - 0.2 * tier)
        spread = half * (0.55 + 0.28 * tier)
        canvas.polygon([(x, top), (x + spread, bottom), (x - spread, bottom)], color)


def _round_tree(canvas: Canvas, x: float, foot: float, size: float, color: Rgb) -> None:
    aspect = canvas.height / canvas.width
    canvas.polygon(
        [
            (x - 0.012 * aspect, foot - size * 0.5),
            (x + 0.012 * aspect, foot - size * 0.5),
            (x + 0.02 * aspect, foot),
            (x - 0.02 * aspect, foot),
        ],
        color,
    )
    for _ in range(9):
        dx, dy = canvas.rng.uniform(-0.24, 0.24) * size * aspect, canvas.rng.uniform(0.5, 0.92) * size
        canvas.disc(x + dx, foot - dy, size * canvas.rng.uniform(0.11, 0.18), color)


def _city(canvas: Canvas, scene: Scene) -> None:
    rng, palette = canvas.rng, canvas.palette
    lit = scene.time in ("night", "dusk") or "rain" in scene.weather
    _ground(canvas)
    for layer, height in enumerate((0.44, 0.34)):
        color = mix(mix(palette.far, palette.horizon, 0.3), mix(palette.far, palette.dark, 0.6), layer)
        x = -0.03
        while x < 1:
            width, top = rng.uniform(0.04, 0.1), canvas.horizon + 0.05 - height * rng.uniform(0.35, 1)
            canvas.box(x, top, x + width, canvas.horizon + 0.08, color)
            _windows(
                canvas,
                x,
                top,
                width,
                color=mix(color, LAMP, 0.85 if lit else 0.12),
                share=0.4 if lit else 0.9,
            )
            x += width + rng.uniform(-0.005, 0.02)
    vanishing, curb = rng.uniform(0.4, 0.6), canvas.horizon + 0.075
    road = mix(palette.ground, palette.dark, 0.4)
    canvas.polygon([(vanishing - 0.012, curb), (vanishing + 0.012, curb), (0.98, 1), (0.02, 1)], road)
    if lit:
        for x in (rng.uniform(0.06, 0.16), rng.uniform(0.84, 0.94)):
            _lamp_post(canvas, x)


def _windows(canvas: Canvas, x: float, top: float, width: float, *, color: Rgb, share: float) -> None:
    rows, columns = 12, max(2, int(width / 0.018))
    for row in range(rows):
        y = top + 0.018 + row * 0.03
        for column in range(columns):
            if y < canvas.horizon and canvas.rng.random() < share:
                left = x + width * (column + 0.28) / columns
                canvas.box(left, y, left + width * 0.42 / columns, y + 0.014, color)


def _lamp_post(canvas: Canvas, x: float) -> None:
    dark = mix(canvas.palette.dark, canvas.palette.far, 0.1)
    canvas.box(x - 0.003, canvas.horizon - 0.2, x + 0.003, 0.93, dark)
    canvas.glow(x, canvas.horizon - 0.21, 0.24, LAMP, 0.8)
    canvas.disc(x, canvas.horizon - 0.21, 0.014, mix(LAMP, (255, 255, 255), 0.5))


def _village(canvas: Canvas, scene: Scene) -> None:
    rng, palette = canvas.rng, canvas.palette
    _layers(canvas, 2, 0.16, rough=0.4)
    _ground(canvas)
    glowing = scene.time in ("night", "dusk", "dawn")
    for _ in range(6):
        x, y = rng.uniform(0, 0.95), canvas.horizon + rng.uniform(0.02, 0.1)
        size = 0.05 + (y - canvas.horizon) * 0.9
        wall = mix(mix(palette.far, palette.dark, 0.25), palette.horizon, rng.uniform(0, 0.2))
        canvas.box(x, y - size, x + size * 1.3, y, wall)
        roof = _snowy(scene, mix(palette.dark, palette.ground, 0.35))
        canvas.polygon(
            [
                (x - size * 0.16, y - size),
                (x + size * 0.25, y - size * 1.65),
                (x + size * 1.05, y - size * 1.65),
                (x + size * 1.46, y - size),
            ],
            roof,
        )
        window = LAMP if glowing else mix(palette.horizon, palette.far, 0.2)
        canvas.box(x + size * 0.5, y - size * 0.7, x + size * 0.74, y - size * 0.36, window)
        if glowing:
            canvas.glow(x + size * 0.62, y - size * 0.5, size * 0.9, LAMP, 0.5)


def _snowy(scene: Scene, color: Rgb) -> Rgb:
    return mix(color, (226, 234, 244), 0.7) if "snow" in scene.weather else color


_BACKDROPS: dict[str, Callable[[Canvas, Scene], None]] = {
    "field": _field,
    "mountain": _mountain,
    "desert": _desert,
    "sea": _sea,
    "forest": _forest,
    "city": _city,
    "village": _village,
}
