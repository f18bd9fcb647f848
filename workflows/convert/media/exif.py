"""Texts of WebP and JPEG pictures, in their Exif data: ``prompt:{…}`` and ``workflow:{…}``."""

from __future__ import annotations

from typing import BinaryIO, Final

from workflows.convert.media.bounds import MOST_PARTS, TEXTS, Malformed, exactly, text_of
from workflows.wording import said as _

JPEG: Final = b"\xff\xd8"
_HEADER: Final = b"Exif\0\0"
_ASCII, _UNDEFINED = 2, 7
_USER_COMMENT, _SUB_DIRECTORY = 0x9286, 0x8769
_CODES: Final = {b"ASCII\0\0\0": "utf-8", b"UNICODE\0": "utf-16", b"\0" * 8: "utf-8"}


def webp_texts(stream: BinaryIO) -> dict[str, str]:
    """Return the texts of a WebP that may hold a graph, by name. Raises Malformed."""
    exactly(stream, 12)
    for _part in range(MOST_PARTS):
        head = stream.read(8)
        if len(head) < 8:
            return {}
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"EXIF":
            return exif_texts(exactly(stream, length))
        stream.seek(length + length % 2, 1)
    raise Malformed(_("the picture has too many chunks"))


def jpeg_texts(stream: BinaryIO) -> dict[str, str]:
    """Return the texts of a JPEG that may hold a graph, by name. Raises Malformed."""
    exactly(stream, 2)
    for _part in range(MOST_PARTS):
        head = stream.read(4)
        if len(head) < 4 or head[0] != 0xFF or head[1] == 0xDA:
            return {}
        data = exactly(stream, max(0, int.from_bytes(head[2:], "big") - 2))
        if head[1] == 0xE1 and data.startswith(_HEADER):
            return exif_texts(data)
    raise Malformed(_("the picture has too many segments"))


def exif_texts(data: bytes) -> dict[str, str]:
    """Return the texts in Exif data, with or without its header. Raises Malformed."""
    data = data.removeprefix(_HEADER)
    orders: dict[bytes, _Order] = {b"II": _Order(data, "little"), b"MM": _Order(data, "big")}
    tiff = orders.get(data[:2])
    if tiff is None:
        raise Malformed(_("its Exif data has no byte order"))
    found: dict[str, str] = {}
    tiff.directory(tiff.number(4, 4), found, inner=True)
    return found


class _Order:
    """Exif data with its byte order."""

    def __init__(self, data: bytes, order: str) -> None:
        self._data = data
        self._little = order == "little"
        self._parts = 0

    def number(self, at: int, size: int) -> int:
        piece = self._data[at : at + size]
        if len(piece) < size:
            raise Malformed(_("its Exif data ends in the middle"))
        return int.from_bytes(piece, "little" if self._little else "big")

    def directory(self, at: int, found: dict[str, str], *, inner: bool) -> None:
        for index in range(self.number(at, 2)):
            self._parts += 1
            if self._parts > MOST_PARTS:
                raise Malformed(_("its Exif data have too many entries"))
            entry = at + 2 + 12 * index
            tag, kind, count = self.number(entry, 2), self.number(entry + 2, 2), self.number(entry + 4, 4)
            place = entry + 8 if count <= 4 else self.number(entry + 8, 4)
            if kind == _ASCII:
                self._named(place, count, found)
            elif kind == _UNDEFINED and tag == _USER_COMMENT:
                self._comment(place, count, found)
            elif tag == _SUB_DIRECTORY and inner:
                self.directory(self.number(entry + 8, 4), found, inner=False)

    def _named(self, place: int, count: int, found: dict[str, str]) -> None:
        name, colon, _rest = self._data[place : place + min(count, 16)].partition(b":")
        key = name.decode("latin-1").lower()
        if colon and key in TEXTS and key not in found:
            whole = self._data[place : place + count].rstrip(b"\0")
            found[key] = text_of(whole[len(name) + 1 :])

    def _comment(self, place: int, count: int, found: dict[str, str]) -> None:
        encoding = _CODES.get(self._data[place : place + 8])
        if encoding is not None and "comment" not in found:
            text = self._data[place + 8 : place + count]
            found["comment"] = text.decode(encoding, errors="replace").rstrip("\0")
