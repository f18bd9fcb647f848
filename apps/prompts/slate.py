"""The slate: what a coordinator wants to know of a shot, as a picture that needs no model.

ComfyUI's core draws no text, so the farm draws and the plain_slate graph frames it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw

from apps.productions.models import Shot
from apps.prompts.fonts import Font, Typeface, find_typeface

GROUND: Final = (18, 20, 24)
PANEL: Final = (27, 30, 36)
RULE: Final = (62, 68, 79)
LABEL: Final = (139, 147, 160)
INK: Final = (241, 240, 234)
KOREAN: Final = (184, 198, 214)
CODE: Final = (255, 198, 74)
STRIPE: Final = (232, 231, 225)

DESIGN: Final = (1232, 672)
"""The size in pixels the layout is drawn for; other sizes scale it."""
NO_HANGUL: Final = "Korean text is not shown: no font with Hangul. Install fonts-nanum or set SHOTFARM_FONT."


@dataclass(frozen=True)
class SlateFacts:
    """What stands on a slate. ``frames`` at ``fps``; ``width`` and ``height`` of the picture in pixels."""

    width: int
    height: int
    project: str
    sequence: str
    shot: str
    description: str
    description_ko: str
    cast: tuple[str, ...]
    location: str
    frames: int
    fps: float
    take: int


def slate_png(shot: Shot, *, take: int, width: int, height: int) -> bytes:
    """Draw the slate of a shot's take; names in the project's prompt language where it has them."""
    korean = shot.project.prompt_language == "ko"
    casting = shot.casting.select_related("character").order_by("order", "character__code")
    facts = SlateFacts(
        width=width,
        height=height,
        project=_named(shot.project.name, shot.project.name_ko, korean=korean),
        sequence=f"{shot.sequence.code}  {_named(shot.sequence.name, shot.sequence.name_ko, korean=korean)}",
        shot=shot.full_code,
        description=shot.description,
        description_ko=shot.description_ko,
        cast=tuple(_named(one.character.name, one.character.name_ko, korean=korean) for one in casting),
        location=_named(shot.location.name, shot.location.name_ko, korean=korean) if shot.location else "",
        frames=shot.frames,
        fps=shot.project.fps,
        take=take,
    )
    return draw_slate(facts)


def draw_slate(facts: SlateFacts, *, typeface: Typeface | None = None) -> bytes:
    """Draw a slate as PNG: the same facts and font give the same bytes. Nothing on it is a date."""
    return _Slate(facts, typeface or find_typeface()).png()


def _named(english: str, korean_name: str, *, korean: bool) -> str:
    return korean_name if korean and korean_name else english


QUICK: Final = 1
"""zlib's quickest level: a sixth more bytes in less than half the time, which the dispatcher spends."""


@dataclass(frozen=True)
class _Box:
    """A cell, in pixels of the design."""

    left: int
    top: int
    right: int
    bottom: int


class _Slate:
    """Draws in the design's pixels; ``x``, ``y`` and ``size`` scale to the real picture."""

    def __init__(self, facts: SlateFacts, typeface: Typeface) -> None:
        self.facts = facts
        self.typeface = typeface
        self.image = Image.new("RGB", (facts.width, facts.height), GROUND)
        self.draw = ImageDraw.Draw(self.image)
        self.note = ""

    def png(self) -> bytes:
        facts = self.facts
        self._clapper(72)
        self._cell(_Box(0, 72, 616, 156), "PRODUCTION", facts.project, 34)
        self._cell(_Box(616, 72, 1232, 156), "SEQUENCE", facts.sequence, 34)
        self._cell(_Box(0, 156, 936, 316), "SHOT", facts.shot, 98, ink=CODE, bold=True)
        self._cell(_Box(936, 156, 1232, 316), "TAKE", str(facts.take), 98, ink=CODE, bold=True)
        self._description(_Box(0, 316, 1232, 508))
        self._cell(_Box(0, 508, 512, 588), "LOCATION", facts.location or "–", 30)
        self._cell(_Box(512, 508, 1232, 588), "CAST", ", ".join(facts.cast) or "–", 30)
        self._cell(_Box(0, 588, 616, 672), "FRAMES", f"{facts.frames} @ {facts.fps:g} fps", 34, bold=True)
        self._cell(_Box(616, 588, 1232, 672), "SECONDS", f"{facts.frames / facts.fps:.2f}", 34, bold=True)
        if self.note:
            self._text(18, 484, self.note, self._font(15), LABEL)
        file = io.BytesIO()
        self.image.save(file, format="PNG", compress_level=QUICK)
        return file.getvalue()

    def _clapper(self, bottom: int) -> None:
        self.draw.rectangle((0, 0, self.facts.width, self._y(bottom)), fill=(8, 9, 11))
        for left in range(-60, DESIGN[0], 154):
            corners = ((left + 44, 0), (left + 121, 0), (left + 77, bottom - 4), (left, bottom - 4))
            self.draw.polygon([(self._x(x), self._y(y)) for x, y in corners], fill=STRIPE)

    def _cell(
        self,
        box: _Box,
        label: str,
        value: str,
        size: int,
        *,
        ink: tuple[int, int, int] = INK,
        bold: bool = False,
    ) -> None:
        self._panel(box, label)
        shown = self._readable(value)
        room = self._x(box.right - box.left - 36)
        font = self._fitting(shown, size, room, bold=bold)
        place = self._x(box.left + 18), self._y((box.top + 20 + box.bottom) // 2)
        self.draw.text(place, _cut(shown, font, room), font=font, fill=ink, anchor="lm")

    def _description(self, box: _Box) -> None:
        self._panel(box, "DESCRIPTION")
        english, korean = self._readable(self.facts.description), self._readable(self.facts.description_ko)
        room, height = self._x(box.right - box.left - 36), self._y(box.bottom - box.top - 58)
        for size in range(34, 14, -2):
            font = self._font(size)
            lines = [(line, INK) for line in _wrapped(english, font, room)]
            lines += [(line, KOREAN) for line in _wrapped(korean, font, room)]
            step = round(font.size * 1.3)
            if len(lines) * step <= height:
                break
        fitting = lines[: max(1, height // step)]
        if len(fitting) < len(lines):
            fitting[-1] = (_cut(f"{fitting[-1][0]} …", font, room), fitting[-1][1])
        for number, (line, ink) in enumerate(fitting):
            place = (self._x(box.left + 18), self._y(box.top + 36) + number * step)
            self.draw.text(place, line, font=font, fill=ink)

    def _panel(self, box: _Box, label: str) -> None:
        corners = (self._x(box.left), self._y(box.top), self._x(box.right) - 1, self._y(box.bottom) - 1)
        self.draw.rectangle(corners, fill=PANEL, outline=RULE, width=max(1, self._size(2)))
        self._text(box.left + 18, box.top + 8, label, self._font(15, bold=True), LABEL)

    def _text(self, left: int, top: int, text: str, font: Font, ink: tuple[int, int, int]) -> None:
        self.draw.text((self._x(left), self._y(top)), text, font=font, fill=ink)

    def _readable(self, text: str) -> str:
        plain = " ".join(text.split())
        shown = self.typeface.readable(plain)
        if len(shown) < len(plain):
            self.note = NO_HANGUL
        return shown

    def _fitting(self, text: str, size: int, room: int, *, bold: bool) -> Font:
        """The largest font from ``size`` down to half of it in which the text fits, else the smallest."""
        for smaller in range(size, size // 2, -2):
            font = self._font(smaller, bold=bold)
            if font.getlength(text) <= room:
                return font
        return self._font(size // 2, bold=bold)

    def _font(self, size: int, *, bold: bool = False) -> Font:
        return self.typeface.at(self._size(size), bold=bold)

    def _x(self, design: int) -> int:
        return round(design * self.facts.width / DESIGN[0])

    def _y(self, design: int) -> int:
        return round(design * self.facts.height / DESIGN[1])

    def _size(self, design: int) -> int:
        return round(design * min(self.facts.width / DESIGN[0], self.facts.height / DESIGN[1]))


def _wrapped(text: str, font: Font, room: int) -> list[str]:
    """Break at spaces, and within a word only where it is wider than a line."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= room:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for letter in word:
            if lines[-1] and font.getlength(lines[-1] + letter) > room:
                lines.append("")
            lines[-1] += letter
    return lines


def _cut(text: str, font: Font, room: int) -> str:
    """Shorten by an ellipsis until it fits."""
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}…") > room:
        text = text[:-1].rstrip()
    return f"{text}…"
