"""Texts of WebM films, in the tags of a Matroska segment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from workflows.convert.media.bounds import MOST_PARTS, TEXTS, Malformed, exactly, length_of, text_of
from workflows.wording import said as _

SIGNATURE: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT, _TAGS, _TAG, _SIMPLE = 0x18538067, 0x1254C367, 0x7373, 0x67C8
_NAME, _VALUE = 0x45A3, 0x4487


def texts(stream: BinaryIO) -> dict[str, str]:
    """Return the texts that may hold a graph, by name. Raises Malformed."""
    return _Film(stream, length_of(stream)).texts()


class _Film:
    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream, self._length = stream, length
        self._parts = 0

    def texts(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for start, end in self._at(0, self._length, (_SEGMENT, _TAGS, _TAG, _SIMPLE)):
            parts = {element: (inner, after) for element, inner, after in self._elements(start, end)}
            if _NAME in parts and _VALUE in parts:
                inner, after = parts[_NAME]
                key = text_of(self._bytes(inner, min(after - inner, 64))).strip("\0 ").lower()
                if key in TEXTS:
                    inner, after = parts[_VALUE]
                    found[key] = text_of(self._bytes(inner, after - inner)).rstrip("\0")
        return found

    def _at(self, start: int, end: int, way: tuple[int, ...]) -> Iterator[tuple[int, int]]:
        for element, inner, after in self._elements(start, end):
            if element == way[0]:
                if len(way) == 1:
                    yield inner, after
                else:
                    yield from self._at(inner, after, way[1:])

    def _elements(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The elements between two places: id, start and end of what is in them."""
        while start < end:
            self._parts += 1
            if self._parts > MOST_PARTS:
                raise Malformed(_("the film has too many elements"))
            element, at = self._number(start, keep_mark=True)
            size, at = self._number(at, keep_mark=False)
            after = end if size is None else at + size
            if element is None or after > end:
                raise Malformed(_("an element of the film does not fit into the one around it"))
            yield element, at, after
            start = after

    def _number(self, at: int, *, keep_mark: bool) -> tuple[int | None, int]:
        """A number of one to eight bytes, its length told by the first; None for 'not known'."""
        first = self._bytes(at, 1)[0]
        if not first:
            raise Malformed(_("a number of the film is too long"))
        length = 9 - first.bit_length()
        value = int.from_bytes(self._bytes(at, length), "big")
        if keep_mark:
            return value, at + length
        value &= (1 << (7 * length)) - 1
        return (None if value == (1 << (7 * length)) - 1 else value), at + length

    def _bytes(self, at: int, size: int) -> bytes:
        self._stream.seek(at)
        return exactly(self._stream, size)
