"""Decode a take's file to its last frame. Nothing is believed from its name.

Pillow reads pictures and animated WebP, PNG and GIF; everything else goes to PyAV (FFmpeg).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Final

import av
from django.utils.translation import gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from apps.productions.models import MAX_FRAMES

MAX_PIXELS: Final = 80_000_000
"""Of one frame. 8K is 33 million; decoded, 80 million take 240 MB of the media worker's memory."""

SOUND_RATE: Final = 48_000
"""Samples per second of what browsers play."""

_OPTIONS: Final = {"format_whitelist": "mov,matroska,avi,gif,webp", "protocol_whitelist": "file"}
"""A playlist is a "video" that makes FFmpeg open other files and addresses: containers only."""

_PICTURES: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What Pillow may open. Others it knows run programs (EPS) or are no render."""

_TYPES: Final = {
    "PNG": ("image/png", "image/apng"),
    "JPEG": ("image/jpeg",),
    "MPO": ("image/jpeg",),
    "WEBP": ("image/webp",),
    "GIF": ("image/gif",),
    "TIFF": ("image/tiff",),
    "BMP": ("image/bmp",),
    "AVIF": ("image/avif",),
    "mov,mp4,m4a,3gp,3g2,mj2": ("video/mp4", "video/quicktime"),
    "matroska,webm": ("video/x-matroska", "video/webm"),
    "avi": ("video/x-msvideo",),
}

_PILLOW_ERRORS: Final = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)
_AV_ERRORS: Final = (av.FFmpegError, OSError)


class Undecodable(Exception):
    """The file is no picture or video, is broken, or is larger than we dare to decode. Says which."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a file is: ``kind`` image or video, ``format`` as its reader names it, pixels, fps, any sound."""

    kind: str
    reader: str  # "pillow" | "ffmpeg"
    format: str
    width: int
    height: int
    fps: Fraction | None = None
    sounds: bool = False


def look(path: Path) -> Facts:
    """Read what a file says of itself. Raises Undecodable; :func:`frames` tells whether it is true."""
    try:
        with _pillow_speaks(), Image.open(path, formats=_PICTURES) as picture:
            _check_size(*picture.size)
            moves = int(getattr(picture, "n_frames", 1)) > 1
            return Facts(
                kind="video" if moves else "image",
                reader="pillow",
                format=picture.format or "",
                width=picture.width,
                height=picture.height,
                fps=_pace(picture) if moves else None,
            )
    except UnidentifiedImageError:
        return _look_at_video(path)


def true_type(facts: Facts, claimed: str) -> str:
    """Return the media type of a file that was decoded; what was claimed decides only within a container.

    FFmpeg reads MP4 and QuickTime, or WebM and Matroska, as one: there a fitting claim is kept.
    """
    fitting = _TYPES.get(facts.format, ("application/octet-stream",))
    return claimed if claimed in fitting else fitting[0]


def frames(path: Path, facts: Facts, *, most: int = MAX_FRAMES) -> Iterator[Image.Image]:
    """Decode every frame, in order, as RGB or RGBA pictures. Raises Undecodable where it breaks."""
    pictures = _pillow_frames(path) if facts.reader == "pillow" else _video_frames(path)
    count = 0
    for picture in pictures:
        count += 1
        if count > most:
            raise Undecodable(_("it has more than %d frames") % most)
        yield picture
    if not count:
        raise Undecodable(_("it holds no frame"))


def frame_at(path: Path, facts: Facts, number: int) -> Image.Image:
    """Decode one frame, counted from 0, or the last before it. Raises Undecodable.

    Of a video, only what lies between it and the frame before it that stands alone is decoded.
    """
    if facts.reader != "ffmpeg" or not facts.fps:
        return _last(islice(frames(path, facts), number + 1))
    with _av_speaks(), av.open(str(path), options=_OPTIONS) as container:
        stream = container.streams.video[0]
        base = stream.time_base or Fraction(1, 1000)
        begins = stream.start_time or 0
        wanted = begins + int(Fraction(number) / facts.fps / base)
        container.seek(wanted, stream=stream, backward=True)
        half = 1 / facts.fps / base / 2
        found = None
        for frame in container.decode(stream):
            _check_size(frame.width, frame.height)
            found = frame
            if frame.pts is not None and frame.pts >= wanted - half:
                break
        if found is None:
            raise Undecodable(_("it holds no frame"))
        picture: Image.Image = found.to_image()  # type: ignore[no-untyped-call]  # PyAV has no types here
        return picture


def _last(pictures: Iterable[Image.Image]) -> Image.Image:
    return deque(pictures, maxlen=1).pop()


def sound(path: Path) -> Generator[av.AudioFrame, None, None]:
    """Decode a video's sound as stereo at SOUND_RATE, piece by piece. Raises Undecodable where it breaks."""
    resampler = av.AudioResampler(format="fltp", layout="stereo", rate=SOUND_RATE)
    with _av_speaks(), av.open(str(path), options=_OPTIONS) as container:
        for frame in container.decode(container.streams.audio[0]):
            yield from resampler.resample(frame)
        yield from resampler.resample(None)


def _look_at_video(path: Path) -> Facts:
    with _av_speaks(), av.open(str(path), options=_OPTIONS) as container:
        if not container.streams.video:
            raise Undecodable(_("it holds no picture"))
        stream = container.streams.video[0]
        _check_size(stream.width, stream.height)
        return Facts(
            kind="video",
            reader="ffmpeg",
            format=container.format.name,
            width=stream.width,
            height=stream.height,
            fps=stream.average_rate or stream.guessed_rate,
            sounds=bool(container.streams.audio),
        )


def _pillow_frames(path: Path) -> Iterator[Image.Image]:
    with _pillow_speaks(), Image.open(path, formats=_PICTURES) as picture:
        for number in range(int(getattr(picture, "n_frames", 1))):
            picture.seek(number)
            picture.load()
            yield _eight_bits(ImageOps.exif_transpose(picture))


def _video_frames(path: Path) -> Iterator[Image.Image]:
    with _av_speaks(), av.open(str(path), options=_OPTIONS) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            _check_size(frame.width, frame.height)
            yield frame.to_image()  # type: ignore[no-untyped-call]  # PyAV has no types here


def _eight_bits(picture: Image.Image) -> Image.Image:
    """RGB, or RGBA where it is transparent; 16-bit greys are scaled, not cut off."""
    if picture.mode.startswith("I;16"):
        picture = picture.point(lambda value: value / 256).convert("L")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")


def _pace(picture: Image.Image) -> Fraction | None:
    """Frames per second, from how long an animation shows its first frame (milliseconds)."""
    milliseconds = float(picture.info.get("duration") or 0)
    return Fraction(1000 / milliseconds).limit_denominator(1001) if milliseconds else None


def _check_size(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise Undecodable(_("it has no size"))
    if width * height > MAX_PIXELS:
        raise Undecodable(
            _("%(width)d × %(height)d pixels are more than the %(most)d this farm decodes")
            % {"width": width, "height": height, "most": MAX_PIXELS}
        )


@contextmanager
def _pillow_speaks() -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError:
        raise
    except _PILLOW_ERRORS as exc:
        raise Undecodable(str(exc)) from exc


@contextmanager
def _av_speaks() -> Iterator[None]:
    try:
        yield
    except _AV_ERRORS as exc:
        raise Undecodable(exc.strerror or str(exc)) from exc  # without the name of our copy
