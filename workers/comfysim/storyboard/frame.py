"""One storyboard frame: backdrop, figures, weather, grade, and a caption that says SIMULATED."""

from __future__ import annotations

from functools import cache
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

from workers.comfysim.storyboard import backdrop, figures
from workers.comfysim.storyboard.canvas import OVERSAMPLING, Canvas
from workers.comfysim.storyboard.palette import Palette, choose
from workers.comfysim.storyboard.scene import Scene, read

_MARK = "SIMULATED"
BAR_SHARE = 0.085
"""Height of each letterbox bar as a share of the frame."""
SMALLEST_CAPTIONED = 96
"""Below this many pixels of width a caption cannot be read."""
_GRAIN_TILE = 256


def paint(prompt: str, seed: int, size: tuple[int, int]) -> Image.Image:
    """An RGB frame of `size` (width, height in pixels) for a positive prompt and a seed."""
    scene = read(prompt)
    rng = Random(f"{prompt}|{seed}")
    palette = choose(scene, rng)
    canvas = Canvas(size, palette, rng)
    backdrop.draw(canvas, scene)
    figures.draw(canvas, scene)
    picture = canvas.image.reduce(OVERSAMPLING)
    _weather(picture, scene, palette, rng)
    picture = _grade(picture, scene, rng)
    if size[0] >= SMALLEST_CAPTIONED:
        letterbox(picture, prompt, seed)
    return picture


def _weather(picture: Image.Image, scene: Scene, palette: Palette, rng: Random) -> None:
    outdoors = scene.place != "interior"
    if outdoors and "rain" in scene.weather:
        _streaks(picture, rng, palette)
    elif outdoors and "snow" in scene.weather:
        _flakes(picture, rng)


def _streaks(picture: Image.Image, rng: Random, palette: Palette) -> None:
    mask = Image.new("L", picture.size, 0)
    pen = ImageDraw.Draw(mask)
    length, slant = picture.height * 0.07, rng.uniform(-0.35, 0.35)
    for _ in range(260):
        x, y = rng.uniform(-0.1, 1.1) * picture.width, rng.uniform(-0.1, 1) * picture.height
        reach = length * rng.uniform(0.5, 1.3)
        pen.line([(x, y), (x + slant * reach, y + reach)], fill=rng.randint(50, 130), width=1)
    picture.paste(palette.light, (0, 0), mask)


def _flakes(picture: Image.Image, rng: Random) -> None:
    mask = Image.new("L", picture.size, 0)
    pen = ImageDraw.Draw(mask)
    for _ in range(240):
        x, y = rng.random() * picture.width, rng.random() * picture.height
        radius = picture.height * rng.choice((0.002, 0.003, 0.003, 0.006))
        pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=rng.randint(110, 230))
    picture.paste((255, 255, 255), (0, 0), mask.filter(ImageFilter.BoxBlur(1)))


def _grade(picture: Image.Image, scene: Scene, rng: Random) -> Image.Image:
    if scene.monochrome:
        picture = ImageOps.autocontrast(picture.convert("L"), cutoff=1).convert("RGB")
    vignette = Image.radial_gradient("L").point([round(max(0, level - 110) * 0.75) for level in range(256)])
    picture.paste((0, 0, 0), (0, 0), vignette.resize(picture.size, Image.Resampling.BILINEAR))
    grain = Image.frombytes("L", (_GRAIN_TILE, _GRAIN_TILE), rng.randbytes(_GRAIN_TILE**2))
    grain = grain.point([122 + level * 12 // 255 for level in range(256)])
    sheet = Image.new("L", picture.size)
    for left in range(0, picture.width, _GRAIN_TILE):
        for top in range(0, picture.height, _GRAIN_TILE):
            sheet.paste(grain, (left, top))
    return ImageChops.add(picture, Image.merge("RGB", (sheet, sheet, sheet)), 1, -128)


def letterbox(picture: Image.Image, prompt: str, seed: int) -> None:
    """Lay the bars over a picture, with the mark above and prompt, seed and size below."""
    width, height = picture.size
    bar = round(height * BAR_SHARE)
    pen = ImageDraw.Draw(picture)
    pen.rectangle([0, 0, width, bar], fill=(0, 0, 0))
    pen.rectangle([0, height - bar, width, height], fill=(0, 0, 0))
    letters = _font(min(bar * 0.42, width / 34))
    middle, margin = height - bar / 2, width * 0.02
    facts = f"seed {seed}  {width}x{height}"
    pen.text((width - margin, middle), facts, font=letters, fill=(150, 150, 150), anchor="rm")
    room = width - 3 * margin - letters.getlength(facts)
    pen.text(
        (margin, middle), _excerpt(prompt, letters, room), font=letters, fill=(214, 214, 214), anchor="lm"
    )
    pen.text((width - margin, bar / 2), _MARK, font=letters, fill=(255, 176, 66), anchor="rm")


def _excerpt(prompt: str, letters: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: float) -> str:
    """The first words that fit; letters the built-in font lacks (Korean) are left out."""
    text = " ".join("".join(letter if letter.isascii() else " " for letter in prompt).split())
    if letters.getlength(text) <= room:
        return text
    while text and letters.getlength(text + "…") > room:
        text = text[:-4]
    return text.rstrip(" ,") + "…" if text else ""


@cache
def _font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(6.0, size))


def mark(size: tuple[int, int]) -> Image.Image:
    """The SIMULATED mark alone, on black, as it stands in a frame of `size`."""
    width, height = size
    letters = _font(min(height * BAR_SHARE * 0.42, width / 34))
    left, top, right, bottom = letters.getbbox(_MARK)
    label = Image.new("RGB", (round(right - left) + 8, round(bottom - top) + 6), (0, 0, 0))
    ImageDraw.Draw(label).text((4 - left, 3 - top), _MARK, font=letters, fill=(255, 176, 66))
    return label


def stamp(picture: Image.Image, box: tuple[int, int, int, int]) -> None:
    """Put the SIMULATED mark into the upper right corner of a box in a picture."""
    left, top, right, bottom = box
    label = mark(picture.size)
    if label.width > right - left or label.height > bottom - top:
        label.thumbnail((right - left, bottom - top))
    margin = round((right - left) * 0.02)
    picture.paste(label, (max(left, right - label.width - margin), min(top + margin, bottom - label.height)))
