"""Rooms: a wall with a window that lights the floor, and a table with a lamp."""

from __future__ import annotations

from workers.comfysim.storyboard.canvas import Canvas
from workers.comfysim.storyboard.palette import LAMP, mix
from workers.comfysim.storyboard.scene import Scene


def draw(canvas: Canvas, scene: Scene) -> None:
    rng, palette = canvas.rng, canvas.palette
    canvas.horizon = rng.uniform(0.68, 0.76)
    warm = mix((128, 98, 74), palette.sky, 0.25)
    dim = 0.62 if scene.time in ("night", "dusk") else 0.25
    wall, floor = mix(warm, palette.dark, dim), mix((98, 68, 46), palette.dark, dim)
    canvas.gradient(0, canvas.horizon, [mix(wall, palette.dark, 0.35), wall, mix(wall, palette.dark, 0.12)])
    canvas.gradient(canvas.horizon, 1, [floor, mix(floor, palette.dark, 0.4)])
    left = rng.choice((rng.uniform(0.1, 0.2), rng.uniform(0.58, 0.68)))
    width, top, bottom = 0.22, 0.16, canvas.horizon - 0.14
    canvas.light_x, canvas.light_y = left + width / 2, (top + bottom) / 2
    for board in range(-6, 18):
        canvas.draw.line(
            [
                canvas.at(0.5 + (board / 12 - 0.5) * 0.8, canvas.horizon),
                canvas.at(0.5 + (board / 12 - 0.5) * 2.2, 1),
            ],
            fill=mix(floor, palette.dark, 0.3),
            width=3,
        )
    _window(canvas, left, top, left + width, bottom)
    slant = 0.2 if left < 0.4 else -0.2
    canvas.polygon(  # the light on the floor
        [
            (left + slant, canvas.horizon + 0.04),
            (left + width + slant, canvas.horizon + 0.04),
            (left + width + slant * 2.2, 0.97),
            (left + slant * 2.2 - 0.05, 0.97),
        ],
        mix(floor, palette.light, 0.16 if dim > 0.5 else 0.38),
    )
    far_side = 0.8 if left < 0.4 else 0.18
    _table_with_lamp(canvas, far_side, glowing=dim > 0.5)


def _window(canvas: Canvas, left: float, top: float, right: float, bottom: float) -> None:
    palette = canvas.palette
    frame = mix(palette.dark, palette.far, 0.15)
    canvas.box(left - 0.012, top - 0.02, right + 0.012, bottom + 0.02, frame)
    for row in range(24):
        share = row / 23
        color = mix(palette.zenith, palette.horizon, share)
        canvas.box(left, top + (bottom - top) * row / 24, right, top + (bottom - top) * (row + 1) / 24, color)
    middle, cross = (left + right) / 2, top + (bottom - top) * 0.42
    canvas.box(middle - 0.004, top, middle + 0.004, bottom, frame)
    canvas.box(left, cross - 0.006, right, cross + 0.006, frame)
    canvas.glow(middle, (top + bottom) / 2, 0.62, palette.light, 0.42)


def _table_with_lamp(canvas: Canvas, x: float, *, glowing: bool) -> None:
    dark = mix(canvas.palette.dark, (70, 46, 30), 0.4)
    top = canvas.horizon + 0.02
    canvas.box(x - 0.13, top, x + 0.13, top + 0.022, dark)
    for leg in (x - 0.12, x + 0.105):
        canvas.box(leg, top, leg + 0.014, top + 0.2, dark)
    canvas.box(x - 0.004, top - 0.12, x + 0.004, top, dark)
    if glowing:
        canvas.glow(x, top - 0.15, 0.42, LAMP, 0.8)
    shade = mix(LAMP, canvas.palette.dark, 0.05 if glowing else 0.5)
    canvas.polygon(
        [(x - 0.022, top - 0.2), (x + 0.022, top - 0.2), (x + 0.042, top - 0.11), (x - 0.042, top - 0.11)],
        shade,
    )
