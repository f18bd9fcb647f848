"""How much of a media file is looked at. Files come from anywhere, and say of themselves what they like."""

from __future__ import annotations

import os
import zlib
from typing import BinaryIO, Final

from workflows.wording import Said
from workflows.wording import said as _

MOST_TEXT: Final = 32 * 1024 * 1024
"""Bytes of a text that is read; the largest graph known has 0.3 MB."""
MOST_PARTS: Final = 100_000
"""Parts (chunks, boxes, blocks) of a file that are passed on the way to its texts."""

TEXTS: Final = frozenset({"prompt", "workflow", "comment"})
"""Names of the texts that may hold a graph. Video Combine of the VHS pack writes both into a comment."""


class Malformed(Exception):
    """The file is not what it says it is, or asks for more than a reader gives. ``told`` says which."""

    def __init__(self, told: Said) -> None:
        super().__init__(told)
        self.told = told


def exactly(stream: BinaryIO, count: int) -> bytes:
    """Read ``count`` bytes. Raises Malformed if there are fewer, or more than a text may have."""
    if count > MOST_TEXT:
        raise Malformed(_("a part of %(count)s bytes is larger than any workflow", count=count))
    data = stream.read(count)
    if len(data) < count:
        raise Malformed(_("the file ends in the middle"))
    return data


def length_of(stream: BinaryIO) -> int:
    """The length of a stream; it is at its start afterwards."""
    length = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    return length


def unpacked(data: bytes, room: int = MOST_TEXT) -> bytes:
    """Decompress zlib data. Raises Malformed if it is none, or a bomb: more than ``room`` bytes."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, max(room, 0) + 1)
    except zlib.error as exc:
        raise Malformed(_("a compressed text cannot be unpacked (%(why)s)", why=str(exc))) from exc
    if len(text) > room:
        raise Malformed(_("compressed texts unpack to more than %(most)s bytes", most=MOST_TEXT))
    return text


def text_of(data: bytes) -> str:
    """Decode a text; what writes no UTF-8 writes Latin-1."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
