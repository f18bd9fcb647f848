"""Find a font for slates, one with Hangul if the machine has any.

Searched in this order: SHOTFARM_FONT (settings.SLATE_FONT), the Korean fonts that Debian packages
(fonts-noto-cjk, fonts-nanum, fonts-unfonts-core, fonts-baekmuk), DejaVu, and the Latin font inside Pillow.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from PIL import ImageFont

_SHARE: Final = Path("/usr/share/fonts")
_KOREAN_IN_TTC: Final = 1
"""Place of the Korean face in Noto's collections (JP, KR, SC, TC, HK)."""

_KNOWN: Final = (
    ("opentype/noto/NotoSansCJK-Regular.ttc", "opentype/noto/NotoSansCJK-Bold.ttc"),
    ("truetype/nanum/NanumGothic.ttf", "truetype/nanum/NanumGothicBold.ttf"),
    ("truetype/nanum/NanumBarunGothic.ttf", "truetype/nanum/NanumBarunGothicBold.ttf"),
    ("truetype/unfonts-core/UnDotum.ttf", "truetype/unfonts-core/UnDotumBold.ttf"),
    ("truetype/unfonts-core/UnBatang.ttf", "truetype/unfonts-core/UnBatangBold.ttf"),
    ("truetype/baekmuk/dotum.ttf", "truetype/baekmuk/dotum.ttf"),
    ("truetype/dejavu/DejaVuSans.ttf", "truetype/dejavu/DejaVuSans-Bold.ttf"),
)

Font = ImageFont.FreeTypeFont
_NO_LETTER: Final = "\U0010fffe"
"""Not a character: every font draws its "missing" box for it."""


@dataclass(frozen=True)
class Typeface:
    """A font in two weights. ``None`` stands for the Latin font inside Pillow."""

    regular: Path | None
    bold: Path | None

    def at(self, size: int, *, bold: bool = False) -> Font:
        """Return the font at a height in pixels. Raises ImproperlyConfigured for a file that is no font."""
        return _font(self.bold if bold else self.regular, max(1, size))

    def readable(self, text: str) -> str:
        """Return the text without letters the font lacks, or "" if that would be most of them."""
        shown = "".join(letter for letter in text if letter.isspace() or _has(self.regular, letter))
        shown = " ".join(shown.split())
        wanted = len("".join(text.split()))
        return shown if 2 * len("".join(shown.split())) > wanted else ""


def find_typeface() -> Typeface:
    """Return the first typeface of the search. The same machine gives the same one."""
    if settings.SLATE_FONT is not None:
        return Typeface(settings.SLATE_FONT, settings.SLATE_FONT)
    for regular, bold in _KNOWN:
        if (_SHARE / regular).is_file():
            weights = _SHARE / regular, _SHARE / bold
            return Typeface(weights[0], weights[1] if weights[1].is_file() else weights[0])
    return Typeface(None, None)


@cache
def _font(path: Path | None, size: int) -> Font:
    if path is None:
        return _pillows_own(size)
    try:
        return ImageFont.truetype(path, size, index=_KOREAN_IN_TTC if path.suffix == ".ttc" else 0)
    except OSError as exc:
        raise ImproperlyConfigured(
            f"The font {path} cannot be read ({exc}). Set SHOTFARM_FONT to a .ttf, .otf or .ttc file."
        ) from exc


def _pillows_own(size: int) -> Font:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise ImproperlyConfigured("Pillow has no FreeType. Install Pillow from its wheel.")
    return font


@cache
def _has(path: Path | None, letter: str) -> bool:
    font = _font(path, 24)
    missing, drawn = font.getmask(_NO_LETTER), font.getmask(letter)
    return (drawn.size, bytes(drawn)) != (missing.size, bytes(missing))
