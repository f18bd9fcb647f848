"""A node's whole ``/object_info`` as it travels: named by its content, packed, bounded where it is read."""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from farm.contracts.reading import ContractError, canonical

MAX_PACKED_BYTES: Final = 4 * 1024**2
MAX_BYTES: Final = 48 * 1024**2
"""Plain. ComfyUI 0.27 has 1.4 MB for 802 classes, packed 0.14 MB."""

MAX_CLASSES: Final = 20_000


@dataclass(frozen=True, kw_only=True)
class PackedCatalogue:
    """``sha256``: over the canonical JSON, 64 hexadecimal digits. ``packed``: that JSON by gzip."""

    sha256: str
    packed: bytes

    @property
    def text(self) -> str:
        """The packed bytes as a message takes them."""
        return base64.b64encode(self.packed).decode("ascii")


def pack_catalogue(object_info: Mapping[str, Any]) -> PackedCatalogue | None:
    """Pack a catalogue; None if it is larger than anybody takes."""
    plain = canonical(object_info)
    packed = gzip.compress(plain, mtime=0)
    if len(plain) > MAX_BYTES or len(packed) > MAX_PACKED_BYTES or len(object_info) > MAX_CLASSES:
        return None
    return PackedCatalogue(sha256=hashlib.sha256(plain).hexdigest(), packed=packed)


def read_catalogue_text(text: str, sha256: str) -> tuple[PackedCatalogue, dict[str, Any]]:
    """Read what came in a message. Raises ContractError: too large, another content, no catalogue."""
    if len(text) > MAX_PACKED_BYTES * 4 // 3 + 4:
        raise ContractError(f"catalogue: {len(text)} characters; at most {MAX_PACKED_BYTES} bytes packed")
    try:
        packed = base64.b64decode(text, validate=True)
    except binascii.Error as exc:
        raise ContractError(f"catalogue: no base64 ({exc})") from exc
    plain = _unpacked(packed)
    if hashlib.sha256(plain).hexdigest() != sha256:
        raise ContractError(f"catalogue: its SHA-256 is not {sha256[:64]}")
    return PackedCatalogue(sha256=sha256, packed=packed), parse_catalogue(plain)


def unpack_catalogue(packed: bytes) -> dict[str, Any]:
    """Read a catalogue that was checked when it came."""
    return parse_catalogue(_unpacked(packed))


def parse_catalogue(plain: bytes) -> dict[str, Any]:
    """Read a catalogue's JSON: an object of classes, no NaN, not nested without end. Raises ContractError."""
    try:
        found = json.loads(plain, parse_constant=_no_number)
    except (ValueError, RecursionError) as exc:
        raise ContractError(f"catalogue: no JSON that can be read ({type(exc).__name__})") from exc
    if not isinstance(found, dict) or not all(isinstance(one, dict) for one in found.values()):
        raise ContractError("catalogue: not an object of node classes")
    if len(found) > MAX_CLASSES:
        raise ContractError(f"catalogue: {len(found)} classes; at most {MAX_CLASSES}")
    return found


def _unpacked(packed: bytes) -> bytes:
    reader = zlib.decompressobj(wbits=31)
    try:
        plain = reader.decompress(packed, MAX_BYTES)
    except zlib.error as exc:
        raise ContractError(f"catalogue: no gzip ({exc})") from exc
    if not reader.eof:
        raise ContractError(f"catalogue: cut off, or more than {MAX_BYTES} bytes")
    return plain


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
