"""The graph out of a picture, film or sound that ComfyUI wrote.

Every reader is given a stream that can be sought, reads no more than it must, and trusts nothing: sizes
are checked, parts counted, compressed texts unpacked only so far.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from workflows.convert.media import boxes, exif, matroska, png, sound
from workflows.convert.media.bounds import Malformed

__all__ = ["KINDS", "Malformed", "texts"]

KINDS = "PNG, WebP, JPEG, MP4, WebM, FLAC, MP3 or Opus"


def texts(stream: BinaryIO) -> dict[str, str] | None:
    """The texts of a media file that may hold a graph, by name; None if the file is of no known kind.

    Raises Malformed.
    """
    stream.seek(0)
    head = stream.read(12)
    stream.seek(0)
    reader = _reader(head)
    return None if reader is None else reader(stream)


def _reader(head: bytes) -> Callable[[BinaryIO], dict[str, str]] | None:
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return exif.webp_texts
    if head[4:8] == b"ftyp":
        return boxes.texts
    signatures = {
        png.SIGNATURE: png.texts,
        exif.JPEG: exif.jpeg_texts,
        sound.FLAC: sound.flac_texts,
        sound.OGG: sound.ogg_texts,
        sound.ID3: sound.mp3_texts,
        matroska.SIGNATURE: matroska.texts,
    }
    return next((reader for signature, reader in signatures.items() if head.startswith(signature)), None)
