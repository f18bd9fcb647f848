"""Files as people bring them: pictures, clips, sounds, made small."""

from __future__ import annotations

import io
import math
import struct
import wave
from fractions import Fraction
from pathlib import Path

import av
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image


def picture(size: tuple[int, int] = (64, 36), colour: str = "teal", kind: str = "PNG") -> bytes:
    """A picture of one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind)
    return file.getvalue()


def mask(size: tuple[int, int] = (64, 36)) -> bytes:
    """A mask whose left half is white."""
    drawn = Image.new("L", size, 0)
    drawn.paste(255, (0, 0, size[0] // 2, size[1]))
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return file.getvalue()


def clip(folder: Path, *, frames: int = 6, fps: int = 12, suffix: str = "mp4") -> bytes:
    """A clip of 64 × 48 pixels."""
    path = folder / f"made.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(fps))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for level in range(frames):
            shown = Image.new("RGB", (64, 48), (level * 20, 90, 60))
            frame = av.VideoFrame.from_image(shown)  # type: ignore[no-untyped-call]  # PyAV has no type for it
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path.read_bytes()


def sound(seconds: float = 0.5, rate: int = 8_000) -> bytes:
    """A tone, as WAV."""
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(rate)
        tones = (int(9_000 * math.sin(n / 3)) for n in range(int(seconds * rate)))
        written.writeframes(b"".join(struct.pack("<h", tone) for tone in tones))
    return file.getvalue()


def upload(content: bytes, name: str) -> SimpleUploadedFile:
    """As it comes out of a form."""
    return SimpleUploadedFile(name, content)
