"""What a file is, by its first bytes. Names are only held against it, and are believed in nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from apps.materials.models import MEDIA_OF, MaterialKind, Medium

SNIFFED: Final = 64
"""Bytes that tell the formats apart."""


@dataclass(frozen=True)
class Format:
    """A kind of file the farm takes.

    ``suffixes``: what its name may end in; ``reader``: what FFmpeg calls it.
    """

    title: str
    medium: Medium
    media_type: str
    suffixes: tuple[str, ...]
    reader: str = ""

    @property
    def suffix(self) -> str:
        """What it is called in the store, whence ComfyUI's loaders know it."""
        return self.suffixes[0]


PNG: Final = Format("PNG", Medium.IMAGE, "image/png", ("png",))
JPEG: Final = Format("JPEG", Medium.IMAGE, "image/jpeg", ("jpg", "jpeg"))
WEBP: Final = Format("WebP", Medium.IMAGE, "image/webp", ("webp",))
_MOV, _MATROSKA = "mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"
MP4: Final = Format("MP4", Medium.VIDEO, "video/mp4", ("mp4", "m4v"), _MOV)
QUICKTIME: Final = Format("QuickTime", Medium.VIDEO, "video/quicktime", ("mov",), _MOV)
WEBM: Final = Format("WebM", Medium.VIDEO, "video/webm", ("webm",), _MATROSKA)
MATROSKA: Final = Format("Matroska", Medium.VIDEO, "video/x-matroska", ("mkv",), _MATROSKA)
WAV: Final = Format("WAV", Medium.AUDIO, "audio/wav", ("wav",), "wav")
FLAC: Final = Format("FLAC", Medium.AUDIO, "audio/flac", ("flac",), "flac")
MP3: Final = Format("MP3", Medium.AUDIO, "audio/mpeg", ("mp3",), "mp3")
OGG: Final = Format("Ogg", Medium.AUDIO, "audio/ogg", ("ogg", "oga", "opus"), "ogg")
M4A: Final = Format("M4A", Medium.AUDIO, "audio/mp4", ("m4a",), _MOV)

_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"fLaC", FLAC),
    (b"OggS", OGG),
    (b"ID3", MP3),
)
_BRANDS: Final = {b"qt  ": QUICKTIME, b"M4A ": M4A, b"M4B ": M4A}

KNOWN: Final = "PNG, JPEG, WebP, MP4, MOV, WebM, MKV, WAV, FLAC, MP3, OGG, M4A"

_WORDS: Final[Mapping[MaterialKind, frozenset[str]]] = {
    MaterialKind.MASK: frozenset({"mask", "masks", "matte", "mattes", "roto"}),
    MaterialKind.CONTROL: frozenset(
        {"control", "pose", "openpose", "skeleton", "depth", "canny", "edge", "edges", "lineart", "normal"}
    ),
}
_USUAL: Final = {
    Medium.IMAGE: MaterialKind.PLATE,
    Medium.VIDEO: MaterialKind.VIDEO,
    Medium.AUDIO: MaterialKind.AUDIO,
}


def format_of(head: bytes) -> Format | None:
    """Tell the format by the first bytes of a file; None for what the farm does not take."""
    if head[:4] == b"RIFF":
        return {b"WEBP": WEBP, b"WAVE": WAV}.get(head[8:12])
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], MP4)
    if head.startswith(b"\x1aE\xdf\xa3"):
        return WEBM if b"webm" in head else MATROSKA
    is_mp3 = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2  # a frame of layer III
    return next((one for begin, one in _BEGINNINGS if head.startswith(begin)), MP3 if is_mp3 else None)


def suffix_of(name: str) -> str:
    """What a file's name ends in, small, without the dot; "" if in nothing."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower().lstrip(".")


def usual_kind(medium: Medium, name: str) -> MaterialKind:
    """Guess from its name what a file is to a shot: sky_mask.png, pose_0012.png; else the medium decides."""
    words = set(re.split(r"[\W_\d]+", name.casefold()))
    for kind, telling in _WORDS.items():
        if medium in MEDIA_OF[kind] and words & telling:
            return kind
    return _USUAL[medium]
