"""Texts of a PNG: chunks tEXt, zTXt and iTXt, and ``comf``, in which ComfyUI writes its animated ones."""

from __future__ import annotations

from typing import BinaryIO, Final

from workflows.convert.media.bounds import MOST_PARTS, MOST_TEXT, TEXTS, Malformed, exactly, text_of, unpacked
from workflows.wording import said as _

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_KINDS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt", b"comf"})


def texts(stream: BinaryIO) -> dict[str, str]:
    """Return the texts that may hold a graph, by name. Raises Malformed."""
    exactly(stream, len(SIGNATURE))
    found: dict[str, str] = {}
    room = MOST_TEXT
    for _part in range(MOST_PARTS):
        head = stream.read(8)
        if len(head) < 8 or head[4:] == b"IEND":
            return found
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind in _KINDS:
            name, _nul, rest = exactly(stream, length).partition(b"\0")
            key = name.decode("latin-1").strip().lower()
            if key in TEXTS:
                text = _text(kind, rest, room)
                room -= len(text)  # the last of one name counts, but thousands that unpack are a bomb too
                found[key] = text_of(text)
            stream.seek(4, 1)
        else:
            stream.seek(length + 4, 1)
    raise Malformed(_("the picture has too many chunks"))


def _text(kind: bytes, data: bytes, room: int) -> bytes:
    if kind == b"zTXt":
        return unpacked(data[1:], room)
    if kind == b"iTXt":
        compressed, rest = data[:1], data[2:]
        text = rest.partition(b"\0")[2].partition(b"\0")[2]
        return unpacked(text, room) if compressed == b"\x01" else text
    return data
