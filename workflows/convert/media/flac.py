"""Texts of a FLAC sound, in its block of Vorbis comments."""

from __future__ import annotations

from typing import BinaryIO, Final

from workflows.convert.media.bounds import MOST_PARTS, TEXTS, Malformed, exactly, text_of

SIGNATURE: Final = b"fLaC"
_COMMENTS: Final = 4


def texts(stream: BinaryIO) -> dict[str, str]:
    """Return the texts that may hold a graph, by name. Raises Malformed."""
    exactly(stream, len(SIGNATURE))
    last = False
    while not last:
        head = exactly(stream, 4)
        last, kind, length = bool(head[0] & 0x80), head[0] & 0x7F, int.from_bytes(head[1:], "big")
        if kind == _COMMENTS:
            return _comments(exactly(stream, length))
        stream.seek(length, 1)
    return {}


def _comments(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 4 + _length(data, 0)
    count, at = _length(data, at), at + 4
    if count > MOST_PARTS:
        raise Malformed("the sound has too many comments")
    for _ in range(count):
        length = _length(data, at)
        name, _, value = data[at + 4 : at + 4 + length].partition(b"=")
        key = name.decode("latin-1").lower()
        if key in TEXTS:
            found[key] = text_of(value)
        at += 4 + length
    return found


def _length(data: bytes, at: int) -> int:
    if at + 4 > len(data):
        raise Malformed("its comments end in the middle")
    return int.from_bytes(data[at : at + 4], "little")
