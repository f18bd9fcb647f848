"""Decode a rendered file to its last frame and say what it is. Nothing is believed from its name.

Pillow reads pictures and animated WebP, PNG and GIF; everything else goes to PyAV (FFmpeg).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from PIL import Image, UnidentifiedImageError

from farm.contracts import LatentForm
from farm.latents import NoLatentsError, read_latents
from workers.errors import OutputWrong

MAX_FRAMES: Final = 100_000
"""Over an hour at 24 fps."""

MAX_PIXELS: Final = 80_000_000
"""Of one frame. 8K is 33 million; decoded, 80 million take 240 MB of this node's memory."""

CHUNK: Final = 1024 * 1024

LATENTS_TYPE: Final = "application/octet-stream"
"""Safetensors have no registered type; no browser shows them."""

PICTURES: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What Pillow may open. Others it knows run programs (EPS) or are no render."""

_OPTIONS: Final = {"format_whitelist": "mov,matroska,avi,gif,webp", "protocol_whitelist": "file"}
"""A playlist is a "video" that makes FFmpeg open other files and addresses: containers only."""

_CONTAINERS: Final = {
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mov": "video/quicktime",
    ".mkv": "video/x-matroska",
}


@dataclass(frozen=True, kw_only=True)
class Media:
    """What a file is: ``kind`` image, video or latent, pixels, frames, frames per second if it moves."""

    kind: str
    media_type: str
    width: int
    height: int
    frames: int
    fps: float | None


def inspect(path: Path) -> Media:
    """Decode every frame. Raises OutputWrong if the file is no picture or video, or is broken."""
    try:
        with Image.open(path, formats=PICTURES) as picture:
            return _inspect_picture(picture, path.name)
    except UnidentifiedImageError:
        return _inspect_video(path)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as exc:
        raise OutputWrong(f"{path.name} does not decode: {exc}") from exc


def inspect_latents(path: Path, form: LatentForm | None) -> Media:
    """Say which clip these latents stand for. Raises OutputWrong if they are not whole or of another form."""
    if form is None:
        raise OutputWrong(f"{path.name}: latents were ordered, and not of which form")
    try:
        found = read_latents(path)
    except (NoLatentsError, OSError) as exc:
        raise OutputWrong(f"{path.name} is no file of latents: {exc}") from exc
    if found.channels != form.channels:
        told = f"{found.channels} channels where {form.channels} were ordered"
        raise OutputWrong(f"{path.name} has latents of {told}")
    return Media(
        kind="latent",
        media_type=LATENTS_TYPE,
        width=found.width * form.scale,
        height=found.height * form.scale,
        frames=(found.time - 1) * form.stride + 1,
        fps=None,
    )


def sha256_of(path: Path) -> str:
    """Hash a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _inspect_picture(picture: Image.Image, name: str) -> Media:
    width, height = picture.size
    _check_size(width, height, name)
    frames = int(getattr(picture, "n_frames", 1))
    if frames > MAX_FRAMES:
        raise OutputWrong(f"{name} has {frames} frames; at most {MAX_FRAMES} are read")
    milliseconds = 0.0
    for number in range(frames):
        picture.seek(number)
        picture.load()
        milliseconds += float(picture.info.get("duration") or 0)
    moves = frames > 1
    return Media(
        kind="video" if moves else "image",
        media_type=Image.MIME.get(picture.format or "", "application/octet-stream"),
        width=width,
        height=height,
        frames=frames,
        fps=round(1000 * frames / milliseconds, 3) if moves and milliseconds else None,
    )


def _inspect_video(path: Path) -> Media:
    try:
        with av.open(path, options=_OPTIONS) as container:
            if not container.streams.video:
                raise OutputWrong(f"{path.name} holds no picture")
            stream = container.streams.video[0]
            _check_size(stream.width, stream.height, path.name)
            stream.thread_type = "AUTO"
            frames = 0
            for frame in container.decode(stream):
                _check_size(frame.width, frame.height, path.name)
                frames += 1
                if frames > MAX_FRAMES:
                    raise OutputWrong(f"{path.name} has more than {MAX_FRAMES} frames")
            if not frames:
                raise OutputWrong(f"{path.name} holds no frame")
            return Media(
                kind="video",
                media_type=_CONTAINERS.get(path.suffix.lower(), "application/octet-stream"),
                width=stream.width,
                height=stream.height,
                frames=frames,
                fps=round(float(stream.average_rate), 3) if stream.average_rate else None,
            )
    except (av.FFmpegError, OSError) as exc:
        raise OutputWrong(f"{path.name} does not decode: {exc}") from exc


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise OutputWrong(f"{name} has {width} × {height} pixels; at most {MAX_PIXELS} are decoded")
