"""Which preset of the library the prototype's word means.

Exact names first, then words that mean the same, then the one preset that shares the most words with it;
where two share as many, none is chosen, and the word goes to the shot's notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from apps.presets.models import CinematicPreset

CATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "camera": ("stock_format",),
    "camera_body": ("stock_format",),
    "film_stock": ("stock_format",),
    "focal_length": ("lens_focal",),
    "lens": ("lens_focal", "lens_filter"),
    "lens_type": ("lens_focal", "lens_filter"),
    "lighting": ("lighting_style", "light_source"),
    "lighting_style": ("lighting_style", "light_source"),
    "lighting_source": ("light_source", "lighting_style"),
    "shot_type": ("shot_size", "coverage", "camera_angle"),
    "filter": ("lens_filter",),
    "filters": ("lens_filter",),
    "filter_type": ("lens_filter",),
    "aspect_ratio": ("aspect_ratio",),
    "style": ("medium_style", "colour_palette"),
    "look_and_feel": ("medium_style", "colour_palette", "era"),
    "atmosphere": ("mood", "weather"),
    "weather": ("weather",),
    "time_of_day": ("time_of_day",),
}
"""Where to look for what a field of the prototype says, the likeliest first; what says more goes first."""

SAME: Final[Mapping[str, str]] = {
    "anamorphic": "lens_focal/anamorphic-40mm",
    "macro": "lens_focal/100mm-macro",
    "ultra wide": "lens_focal/14mm-ultra-wide",
    "wide angle": "lens_focal/24mm-wide",
    "telephoto": "lens_focal/135mm-tele",
    "portrait": "lens_focal/85mm-portrait",
    "24mm": "lens_focal/24mm-wide",
    "50mm": "lens_focal/50mm-normal",
    "85mm": "lens_focal/85mm-portrait",
    "135mm": "lens_focal/135mm-tele",
    "vintage": "lens_filter/vintage-uncoated-glass",
    "pro mist": "lens_filter/black-diffusion",
    "black pro mist": "lens_filter/black-diffusion",
    "promist": "lens_filter/black-diffusion",
    "diffusion": "lens_filter/black-diffusion",
    "polarizer": "lens_filter/polariser",
    "cpl": "lens_filter/polariser",
    "kodak vision3 500t": "stock_format/35mm-500t",
    "vision3 500t": "stock_format/35mm-500t",
    "kodak vision3 50d": "stock_format/35mm-50d",
    "vision3 50d": "stock_format/35mm-50d",
    "16mm": "stock_format/super-16",
    "65mm": "stock_format/65mm-large-format",
    "imax": "stock_format/65mm-large-format",
    "arri alexa lf": "stock_format/digital-large-format",
    "arri alexa 65": "stock_format/digital-large-format",
    "natural": "lighting_style/soft-window",
    "window light": "lighting_style/soft-window",
    "practical": "lighting_style/motivated-practicals",
    "backlight": "lighting_style/rim-light",
    "candle": "light_source/candlelight",
    "full body": "shot_size/full-shot",
    "cowboy shot": "shot_size/medium-wide-cowboy",
    "long shot": "shot_size/wide-shot",
    "pov": "coverage/point-of-view",
    "ots": "coverage/over-the-shoulder",
    "bird s eye": "camera_angle/overhead-bird-s-eye",
    "top down": "camera_angle/overhead-bird-s-eye",
    "dutch angle": "camera_angle/dutch-tilt",
    "photorealistic": "medium_style/photoreal-live-action",
    "realistic": "medium_style/photoreal-live-action",
    "anime": "medium_style/cel-animation",
    "noir": "medium_style/film-noir",
    "watercolor": "medium_style/watercolour",
    "black and white": "colour_palette/monochrome",
    "hazy": "weather/dust-and-haze",
    "rainy": "weather/light-rain",
    "snowy": "weather/snowfall",
    "foggy": "weather/fog",
    "cinemascope": "aspect_ratio/2-39-1-scope",
    "2 39 1": "aspect_ratio/2-39-1-scope",
    "2 35 1": "aspect_ratio/2-39-1-scope",
    "1 85 1": "aspect_ratio/1-85-1-flat",
    "4 3": "aspect_ratio/4-3-academy",
    "1 1": "aspect_ratio/1-1-square",
    "9 16": "aspect_ratio/9-16-vertical",
}
"""Words in film schools' English for one preset each."""


@dataclass(frozen=True)
class Match:
    """The preset that a word means. ``sure``: it is the very name, or a word for the same."""

    preset: CinematicPreset
    sure: bool

    @property
    def name(self) -> str:
        """category/slug."""
        return f"{self.preset.category.slug}/{self.preset.slug}"


class Library:
    """The presets that may be chosen, by their words."""

    def __init__(self, presets: Iterable[CinematicPreset]) -> None:
        self._by_name: dict[str, CinematicPreset] = {}
        self._found: dict[tuple[str, str], Match | None] = {}
        self._by_category: dict[str, list[tuple[frozenset[str], CinematicPreset]]] = {}
        for preset in presets:
            category = preset.category.slug
            self._by_name[f"{category}/{preset.slug}"] = preset
            told = frozenset(normal(preset.slug).split()) | frozenset(normal(preset.name).split())
            self._by_category.setdefault(category, []).append((told, preset))

    def find(self, field: str, value: str) -> Match | None:
        """Find what a value of a field means; None where nothing does, or two things might."""
        if (field, value) not in self._found:  # ten thousand shots say the same few things
            self._found[field, value] = self._find(field, value)
        return self._found[field, value]

    def _find(self, field: str, value: str) -> Match | None:
        spoken = normal(value)
        categories = CATEGORIES.get(field, ())
        if not spoken or not categories:
            return None
        for category in categories:
            for _told, preset in self._by_category.get(category, ()):
                if spoken in {normal(preset.slug), normal(preset.name), normal(preset.name_ko)}:
                    return Match(preset, sure=True)
        same = SAME.get(spoken, "")
        if same.partition("/")[0] in categories and same in self._by_name:
            return Match(self._by_name[same], sure=True)
        for category in categories:
            if found := self._nearest(category, frozenset(spoken.split())):
                return Match(found, sure=False)
        return None

    def _nearest(self, category: str, spoken: frozenset[str]) -> CinematicPreset | None:
        telling = spoken - _COMMON
        scored = [
            (len(telling & told), preset)
            for told, preset in self._by_category.get(category, ())
            if (telling and telling <= told) or (told - _COMMON) <= spoken
        ]
        best = max((score for score, _preset in scored), default=0)
        nearest = [preset for score, preset in scored if score == best]
        return nearest[0] if best and len(nearest) == 1 else None


_COMMON: Final = frozenset(
    {"shot", "light", "lighting", "style", "the", "a", "of", "film", "lens", "camera", "look"}
)
"""Words that tell no preset from another."""


def normal(text: str) -> str:
    """Small letters and digits, one space between words."""
    return " ".join(re.findall(r"[0-9]+[^\W\d_]*|[^\W\d_]+[0-9]*", text.casefold()))
