"""Texts of sounds: Vorbis comments of FLAC and Opus, ID3 frames of MP3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from workflows.convert.media.bounds import MOST_PARTS, MOST_TEXT, TEXTS, Malformed, exactly, text_of
from workflows.wording import said as _

FLAC: Final = b"fLaC"
OGG: Final = b"OggS"
ID3: Final = b"ID3"
_COMMENTS: Final = 4
_OPUS: Final = b"OpusTags"
_ENCODINGS: Final = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}


def flac_texts(stream: BinaryIO) -> dict[str, str]:
    """Return the texts of a FLAC that may hold a graph, by name. Raises Malformed."""
    exactly(stream, len(FLAC))
    last = False
    for _part in range(MOST_PARTS):
        if last:
            return {}
        head = exactly(stream, 4)
        last, kind, length = bool(head[0] & 0x80), head[0] & 0x7F, int.from_bytes(head[1:], "big")
        if kind == _COMMENTS:
            return _comments(exactly(stream, length))
        stream.seek(length, 1)
    raise Malformed(_("the sound has too many blocks"))


def ogg_texts(stream: BinaryIO) -> dict[str, str]:
    """Return the texts of an Opus sound that may hold a graph, by name. Raises Malformed."""
    packets = _packets(stream)
    next(packets, b"")
    tags = next(packets, b"")
    return _comments(tags[len(_OPUS) :]) if tags.startswith(_OPUS) else {}


def mp3_texts(stream: BinaryIO) -> dict[str, str]:
    """Return the texts of an MP3 that may hold a graph, by name. Raises Malformed."""
    head = exactly(stream, 10)
    data, newest = exactly(stream, _seven_bits(head[6:])), head[3] >= 4
    found: dict[str, str] = {}
    at = 0
    for _part in range(MOST_PARTS):
        if at + 10 > len(data) or not data[at]:
            return found
        size = data[at + 4 : at + 8]
        length = _seven_bits(size) if newest else int.from_bytes(size, "big")
        if data[at : at + 4] == b"TXXX":
            name, value = _named_text(data[at + 10 : at + 10 + length])
            if name in TEXTS:
                found[name] = value
        at += 10 + length
    raise Malformed(_("the sound has too many frames"))


def _comments(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 4 + _length(data, 0)
    count, at = _length(data, at), at + 4
    if count > MOST_PARTS:
        raise Malformed(_("the sound has too many comments"))
    for _part in range(count):
        length = _length(data, at)
        name, _mark, value = data[at + 4 : at + 4 + length].partition(b"=")
        key = name.decode("latin-1").lower()
        if key in TEXTS:
            found[key] = text_of(value)
        at += 4 + length
    return found


def _length(data: bytes, at: int) -> int:
    if at + 4 > len(data):
        raise Malformed(_("its comments end in the middle"))
    return int.from_bytes(data[at : at + 4], "little")


def _packets(stream: BinaryIO) -> Iterator[bytes]:
    """The packets of the first stream in an Ogg file: pieces of up to 255 bytes, the last one shorter."""
    pieces: list[bytes] = []
    size = 0
    for _part in range(MOST_PARTS):
        head = stream.read(27)
        if len(head) < 27 or head[:4] != OGG:
            return
        for length in exactly(stream, head[26]):
            pieces.append(exactly(stream, length))
            size += length
            if size > MOST_TEXT:
                raise Malformed(
                    _("a packet of more than %(most)s bytes is larger than any workflow", most=MOST_TEXT)
                )
            if length < 255:
                yield b"".join(pieces)
                pieces, size = [], 0


def _seven_bits(data: bytes) -> int:
    """A number of which each byte holds seven bits."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
    return number


def _named_text(frame: bytes) -> tuple[str, str]:
    try:
        text = frame[1:].decode(_ENCODINGS.get(frame[0] if frame else 0, "latin-1"))
    except UnicodeDecodeError:
        text = frame[1:].decode("latin-1")
    name, _mark, value = text.partition("\0")
    return name.lower(), value.strip("\0\ufeff")
