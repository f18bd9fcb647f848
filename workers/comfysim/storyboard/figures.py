"""The people of a frame: full silhouettes in wide frames, lit heads and shoulders in close ones."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from PIL import Image, ImageChops, ImageDraw

from workers.comfysim.storyboard.canvas import Canvas
from workers.comfysim.storyboard.palette import Rgb, mix
from workers.comfysim.storyboard.scene import Scene

Pen = ImageDraw.ImageDraw

_STATURE = {"woman": 0.94, "man": 1.0, "child": 0.64, "elder": 0.9}
_BODY_SHARE = {"full": 0.5, "wide": 0.2}
"""Height of a standing man as a share of the frame."""
_SKIN: tuple[Rgb, ...] = ((232, 190, 156), (205, 152, 116), (158, 108, 78), (240, 204, 172))

_COATS: tuple[Rgb, ...] = ((96, 44, 38), (40, 62, 92), (58, 76, 58), (108, 84, 58), (70, 54, 82))
_HAIR: tuple[Rgb, ...] = ((46, 32, 22), (22, 20, 22), (104, 70, 42))
_GREY: Rgb = (206, 202, 196)


@dataclass(frozen=True)
class _Cloth:
    coat: Rgb
    hair: Rgb
    skin: Rgb


def draw(canvas: Canvas, scene: Scene) -> None:
    if not scene.people:
        return
    mask = Image.new("L", canvas.image.size, 0)
    pens = (canvas.draw, ImageDraw.Draw(mask))
    if scene.framing in ("close", "medium"):
        _busts(canvas, scene, pens)
    else:
        _standing(canvas, scene, pens)
    _rim_light(canvas, mask)


def _cloth(canvas: Canvas, kind: str) -> _Cloth:
    rng, palette = canvas.rng, canvas.palette
    hue = _COATS[canvas.coats[0]]
    canvas.coats.append(canvas.coats.pop(0))  # neighbours wear different coats
    return _Cloth(
        coat=mix(palette.dark, hue, 0.55),
        hair=mix(palette.dark, _GREY if kind == "elder" else rng.choice(_HAIR), 0.7),
        skin=mix(mix(rng.choice(_SKIN), palette.light, 0.12), palette.dark, 0.16),
    )


def _standing(canvas: Canvas, scene: Scene, pens: tuple[Pen, Pen]) -> None:
    rng, count = canvas.rng, len(scene.people)
    center = rng.uniform(0.36, 0.64)
    share = _BODY_SHARE[scene.framing]
    spacing = share * 0.42 * canvas.height / canvas.width
    for place, kind in enumerate(scene.people):
        x = center + (place - (count - 1) / 2) * spacing * rng.uniform(0.85, 1.2)
        foot = min(0.9, max(canvas.horizon + share * 0.48, canvas.nearest_water) + rng.uniform(0, 0.03))
        height = share * _STATURE[kind] * rng.uniform(0.95, 1.05) * canvas.height
        _shadow(canvas, x, foot, height)
        for pen, cloth in ((pens[0], _dimmed(_cloth(canvas, kind), canvas)), (pens[1], None)):
            _person(pen, canvas.at(x, foot), height, kind=kind, cloth=cloth, rng=Random(place))


def _dimmed(cloth: _Cloth, canvas: Canvas) -> _Cloth:
    dark = canvas.palette.dark
    return _Cloth(mix(cloth.coat, dark, 0.35), mix(cloth.hair, dark, 0.3), mix(cloth.skin, dark, 0.35))


def _shadow(canvas: Canvas, x: float, foot: float, height: float) -> None:
    cx, cy = canvas.at(x, foot)
    lean = (0.5 - canvas.light_x) * height * 1.6
    ground = mix(canvas.palette.ground, canvas.palette.dark, 0.6)
    points = [
        (cx - height * 0.09, cy),
        (cx + height * 0.09, cy),
        (cx + lean + height * 0.06, cy + height * 0.2),
        (cx + lean - height * 0.06, cy + height * 0.2),
    ]
    canvas.draw.polygon(points, fill=ground)


def _person(
    pen: Pen, at: tuple[float, float], height: float, *, kind: str, cloth: _Cloth | None, rng: Random
) -> None:
    """A standing figure; without cloth its shape is drawn white on the mask."""
    x, foot = at
    coat, hair, skin = (cloth.coat, cloth.hair, cloth.skin) if cloth else (255, 255, 255)
    u = height / 8  # the old rule: a standing figure is eight heads tall
    stoop = u * 0.35 if kind == "elder" else 0
    top = foot - height
    stride = u * rng.uniform(0.3, 0.6)
    for side in (-1, 1):
        hip, ankle = x + side * u * 0.32, x + side * stride
        pen.polygon(
            [
                (hip - u * 0.36, foot - u * 3.9),
                (hip + u * 0.36, foot - u * 3.9),
                (ankle + u * 0.2, foot),
                (ankle - u * 0.22, foot),
            ],
            fill=coat,
        )
    hem = u * (1.25 if kind == "woman" else 0.82)
    low = foot - u * (1.6 if kind == "woman" else 3.0)
    pen.polygon(
        [
            (x - u * 0.95 + stoop, top + u * 1.55),
            (x + u * 0.95 + stoop, top + u * 1.55),
            (x + u * 0.66, top + u * 3.6),
            (x + hem, low),
            (x - hem, low),
            (x - u * 0.66, top + u * 3.6),
        ],
        fill=coat,
    )
    for side in (-1, 1):
        shoulder, hand = x + side * u * 0.85 + stoop, x + side * u * rng.uniform(1.0, 1.4) + stoop
        pen.line([(shoulder, top + u * 1.7), (hand, top + u * 4.1)], fill=coat, width=max(2, round(u * 0.42)))
    pen.rectangle([x - u * 0.2 + stoop, top + u * 0.9, x + u * 0.2 + stoop, top + u * 1.6], fill=skin)
    pen.ellipse([x - u * 0.48 + stoop * 1.4, top, x + u * 0.48 + stoop * 1.4, top + u * 1.15], fill=skin)
    pen.pieslice(
        [x - u * 0.54 + stoop * 1.4, top - u * 0.1, x + u * 0.54 + stoop * 1.4, top + u * 1.0],
        170,
        370,
        fill=hair,
    )
    if kind == "woman":
        pen.polygon(
            [
                (x - u * 0.54, top + u * 0.45),
                (x - u * 0.3, top + u * 0.4),
                (x - u * 0.34, top + u * 1.7),
                (x - u * 0.68, top + u * 1.6),
            ],
            fill=hair,
        )
    if kind == "elder":
        pen.line(
            [(x + u * 1.5, top + u * 3.8), (x + u * 1.7, foot)], fill=coat, width=max(2, round(u * 0.18))
        )


def _busts(canvas: Canvas, scene: Scene, pens: tuple[Pen, Pen]) -> None:
    rng, people = canvas.rng, scene.people[:3]
    size = 0.44 if scene.framing == "close" else 0.25
    size *= 1 - 0.12 * (len(people) - 1)
    start = rng.uniform(0.4, 0.6)
    spacing = size * 1.15 * canvas.height / canvas.width
    for place, kind in enumerate(reversed(people)):
        x = start + (place - (len(people) - 1) / 2) * spacing
        cloth = _cloth(canvas, kind)
        head = size * (0.86 if kind == "child" else 1) * canvas.height
        y = (
            (0.46 if scene.framing == "close" else 0.4)
            + rng.uniform(-0.02, 0.02)
            + (0.08 if kind == "child" else 0)
        )
        for pen, worn in ((pens[0], cloth), (pens[1], None)):
            _bust(canvas, pen, canvas.at(x, y), head, kind=kind, cloth=worn)


def _bust(
    canvas: Canvas, pen: Pen, at: tuple[float, float], head: float, *, kind: str, cloth: _Cloth | None
) -> None:
    """Head and shoulders around the face's centre; `head` is the head's height in pixels."""
    x, y = at
    coat, hair, skin = (cloth.coat, cloth.hair, cloth.skin) if cloth else (255, 255, 255)
    half = head * 0.38
    toward = 1 if canvas.light_x > x / canvas.width else -1
    if kind == "woman":
        pen.rounded_rectangle(
            [x - half * 1.28, y - head * 0.5, x + half * 1.28, y + head * 0.82], radius=half, fill=hair
        )
    broad = head * (1.0 if kind == "man" else 0.86)
    pen.pieslice([x - broad, y + head * 0.66, x + broad, y + head * 2.6], 180, 360, fill=coat)
    waist = y + head * 1.62
    if waist < canvas.height:
        pen.rectangle([x - broad, waist, x + broad, canvas.height], fill=coat)
    pen.rectangle([x - half * 0.46, y + head * 0.2, x + half * 0.46, y + head * 0.82], fill=skin)
    pen.polygon(
        [(x - half * 0.46, y + head * 0.72), (x + half * 0.46, y + head * 0.72), (x, y + head * 1.02)],
        fill=skin,
    )
    pen.ellipse([x - half, y - head * 0.5, x + half, y + head * 0.5], fill=skin)
    if cloth:
        _face(canvas, pen, at, head, toward=toward, cloth=cloth)
    brow = head * (0.34 if kind == "woman" else 0.06)
    pen.chord([x - half * 1.08, y - head * 0.58, x + half * 1.08, y + brow], 182, 358, fill=hair)
    if kind == "woman":
        for side in (-1, 1):
            pen.polygon(
                [
                    (x + side * half * 1.05, y - head * 0.3),
                    (x + side * half * 0.72, y - head * 0.22),
                    (x + side * half * 0.98, y + head * 0.55),
                    (x + side * half * 1.28, y + head * 0.6),
                ],
                fill=hair,
            )


def _face(
    canvas: Canvas, pen: Pen, at: tuple[float, float], head: float, *, toward: int, cloth: _Cloth
) -> None:
    """A plane of shadow on the side away from the light, and the fewest strokes that make a face."""
    x, y = at
    half = head * 0.38
    shade = mix(cloth.skin, canvas.palette.dark, 0.34)
    pen.chord(
        [x - half, y - head * 0.5, x + half, y + head * 0.5],
        90 if toward > 0 else 270,
        270 if toward > 0 else 450,
        fill=shade,
    )
    pen.ellipse(
        [
            min(x, x + toward * half * 0.42) - half * 0.3,
            y - head * 0.44,
            max(x, x + toward * half * 0.42) + half * 0.3,
            y + head * 0.46,
        ],
        fill=cloth.skin,
    )
    line = mix(cloth.skin, canvas.palette.dark, 0.72)
    turn = toward * half * 0.1
    width = max(2, round(head * 0.018))
    for side in (-1, 1):
        cx = x + turn + side * half * 0.42
        pen.arc(
            [cx - half * 0.2, y - head * 0.12, cx + half * 0.2, y + head * 0.04],
            200,
            340,
            fill=line,
            width=width,
        )
        pen.ellipse([cx - half * 0.08, y - head * 0.055, cx + half * 0.08, y + head * 0.005], fill=line)
        pen.line(
            [(cx - half * 0.24, y - head * 0.13), (cx + half * 0.22, y - head * 0.15)], fill=line, width=width
        )
    pen.line(
        [
            (x + turn, y - head * 0.02),
            (x + turn + toward * half * 0.14, y + head * 0.14),
            (x + turn - toward * half * 0.04, y + head * 0.16),
        ],
        fill=line,
        width=width,
    )
    pen.arc(
        [x + turn - half * 0.26, y + head * 0.18, x + turn + half * 0.26, y + head * 0.3],
        20,
        160,
        fill=line,
        width=width,
    )


def _rim_light(canvas: Canvas, mask: Image.Image) -> None:
    """The edge toward the light, lit: what the shape does not share with itself moved aside."""
    reach = max(2, round(canvas.height * 0.006))
    center = mask.getbbox()
    if center is None:
        return
    toward = 1 if canvas.light_x > (center[0] + center[2]) / 2 / canvas.width else -1
    edge = ImageChops.subtract(mask, ImageChops.offset(mask, -toward * reach, reach // 2))
    canvas.image.paste(canvas.palette.light, (0, 0), edge.point([round(level * 0.6) for level in range(256)]))
