"""What flows along the links: real pictures, and symbols that stand for models and latents."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from PIL.Image import Image

Pictures = list[Image]
"""One IMAGE or MASK: a batch of Pillow pictures of one size (RGB, RGBA or L)."""


Slot = tuple[float, ...]
"""One latent frame: a number per channel, which stands for the whole plane."""


@dataclass(frozen=True)
class Symbol:
    """A value without content: `kind` is its ComfyUI type, `files` the model files behind it."""

    kind: str
    files: tuple[str, ...] = ()
    half: bool = False
    """Weights cast to fp8 while loading: half the size of the file."""


@dataclass(frozen=True)
class Conditioning:
    text: str
    hints: tuple[Image, ...] = ()
    """Control pictures: poses, depths, edges."""
    references: tuple[Image, ...] = ()
    """Pictures to edit or to take something from."""


@dataclass(frozen=True)
class Noise:
    seed: int


@dataclass(frozen=True)
class Guider:
    model: Symbol
    positive: Conditioning
    negative: Conditioning


@dataclass(frozen=True)
class Sigmas:
    steps: int
    denoise: float = 1.0


@dataclass(frozen=True)
class Silence:
    """One AUDIO: all that the stand-in can sing."""

    seconds: float
    rate: int
    channels: int


@dataclass(frozen=True)
class Latent:
    """Pixels to come. `width`/`height` are pixels, `frames` counts video frames (1 for stills)."""

    width: int
    height: int
    frames: int = 1
    batch: int = 1
    start: tuple[Image, ...] = ()
    """The picture a video starts from, or the encoded pictures of an unsampled latent."""
    end: tuple[Image, ...] = ()
    """The picture a video ends in."""
    sound: Silence | None = None
    """What LTX-2 makes with the picture."""
    positive: str = ""
    negative: str = ""
    seed: int | None = None
    """None until a sampler has worked on it."""
    kept: float = 0.0
    """How much of `start` shows in a sampled still: 1 less the denoise."""
    hole: Image | None = None
    """The mask (L) under which alone a sampler paints."""
    hints: tuple[Image, ...] = ()
    references: tuple[Image, ...] = ()
    motion: tuple[Slot, ...] = ()
    """Latent frames of a clip that this one goes on from: they stand behind its anchor."""
    slots: tuple[Slot, ...] = ()
    """What each latent frame holds, of latents that were loaded, cut or joined."""

    @property
    def is_video(self) -> bool:
        return self.frames > 1


@dataclass(frozen=True)
class Video:
    pictures: tuple[Image, ...]
    fps: Fraction
    sound: Silence | None = None


def plain(value: object) -> object:
    """A value as ComfyUI's error reports hold it: numbers and texts as they are, the rest described."""
    return value if value is None or isinstance(value, int | float | str) else describe(value)


def describe(value: object) -> str:
    """A value in words; pictures as the shape of their tensor."""
    if isinstance(value, list) and value and isinstance(value[0], Image):
        first = value[0]
        return f"tensor(..., size=({len(value)}, {first.height}, {first.width}, {len(first.getbands())}))"
    return str(value)
