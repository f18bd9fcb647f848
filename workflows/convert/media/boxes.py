"""Texts of MP4 and MOV films, which stand in boxes within boxes (ISO 14496-12).

ComfyUI writes each under a key of its own (``moov/meta`` with ``keys`` and ``ilst``); other nodes write
the one that players show, ``©cmt``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from workflows.convert.media.bounds import MOST_PARTS, TEXTS, Malformed, exactly, length_of, text_of
from workflows.wording import said as _

_WAYS: Final = ((b"moov", b"meta"), (b"moov", b"udta", b"meta"), (b"meta",))


def texts(stream: BinaryIO) -> dict[str, str]:
    """Return the texts that may hold a graph, by name. Raises Malformed."""
    return _Film(stream, length_of(stream)).texts()


class _Film:
    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream, self._length = stream, length
        self._parts = 0

    def texts(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for way in _WAYS:
            for start, end in self._at(0, self._length, way):
                self._meta(start, end, found)
        return found

    def _at(self, start: int, end: int, way: tuple[bytes, ...]) -> Iterator[tuple[int, int]]:
        for kind, inner, after in self._boxes(start, end):
            if kind == way[0]:
                if len(way) == 1:
                    yield inner, after
                else:
                    yield from self._at(inner, after, way[1:])

    def _boxes(self, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
        """The boxes between two places: kind, start and end of what is in them."""
        while start + 8 <= end:
            self._parts += 1
            if self._parts > MOST_PARTS:
                raise Malformed(_("the film has too many boxes"))
            size, kind, inner = self._number(start, 4), self._bytes(start + 4, 4), start + 8
            if size == 1:
                size, inner = self._number(start + 8, 8), start + 16
            elif size == 0:
                size = end - start
            if size < inner - start or start + size > end:
                raise Malformed(_("a box of the film does not fit into the one around it"))
            yield kind, inner, start + size
            start += size

    def _meta(self, start: int, end: int, found: dict[str, str]) -> None:
        if end - start >= 8 and self._bytes(start + 4, 4) != b"hdlr":
            start += 4  # in MP4, unlike MOV, a version stands before the boxes
        keys: list[str] = []
        for kind, inner, after in self._boxes(start, end):
            if kind == b"keys":
                keys = self._keys(inner, after)
            elif kind == b"ilst":
                self._list(inner, after, keys, found)

    def _keys(self, start: int, end: int) -> list[str]:
        return [
            text_of(self._bytes(inner, min(after - inner, 64))).lower()
            for _kind, inner, after in self._boxes(start + 8, end)
        ]

    def _list(self, start: int, end: int, keys: list[str], found: dict[str, str]) -> None:
        for kind, inner, after in self._boxes(start, end):
            number = int.from_bytes(kind, "big")
            key = "comment" if kind == b"\xa9cmt" else keys[number - 1] if 0 < number <= len(keys) else ""
            key = key.rpartition(".")[2]
            if key not in TEXTS or key in found:
                continue
            for part, value, over in self._boxes(inner, after):
                if part == b"data" and over - value >= 8:
                    found[key] = text_of(self._bytes(value + 8, over - value - 8))

    def _number(self, at: int, size: int) -> int:
        return int.from_bytes(self._bytes(at, size), "big")

    def _bytes(self, at: int, size: int) -> bytes:
        self._stream.seek(at)
        return exactly(self._stream, size)
