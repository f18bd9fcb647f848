"""Text of the prototype that is not UTF-8: kept as far as it can be read, and told where it stands."""

from __future__ import annotations

import codecs
import re
from typing import Any, Final

from apps.productions.prototype.report import About

KOREAN: Final = "cp949"
"""What Windows writes in Korea where a program names no encoding."""
_ESCAPED: Final = re.compile(r"[\udc80-\udcff]")
"""A byte that is no UTF-8, as ``surrogateescape`` carries it."""
_LONE: Final = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")


class Decoded(str):
    """A text that was not UTF-8: its bytes (``raw``), what was done (``told``), whether no letter is lost."""

    __slots__ = ("raw", "told", "whole")
    raw: bytes
    told: str
    whole: bool

    def __new__(cls, text: str, raw: bytes, told: str, *, whole: bool) -> Decoded:
        """Carry the text with what was done to read it."""
        made = super().__new__(cls, text)
        made.raw, made.told, made.whole = raw, told, whole
        return made


def decoded(raw: bytes) -> str:
    """Read bytes as UTF-8, else as Korean if all of it is, else with � for what cannot be read.

    The answer is a ``Decoded`` unless the bytes are UTF-8.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        start = exc.start
    text, read = _up_to_a_cut(raw)
    if not text.isascii():  # plain letters before it would be UTF-8 by chance
        told = f"it ends within a letter (byte {read}); what stands before was kept"
        return Decoded(text, raw, told, whole=False)
    told = f"it is not UTF-8 (byte {start}); "
    try:
        return Decoded(raw.decode(KOREAN), raw, f"{told}it was read as CP949 (Korean)", whole=True)
    except UnicodeDecodeError:
        text = raw.decode(errors="replace")
        return Decoded(text, raw, f"{told}what cannot be read became �", whole=False)


def _up_to_a_cut(raw: bytes) -> tuple[str, int]:
    """The text before a last letter of UTF-8 that was cut through, and its bytes; "" for any other fault."""
    try:
        return codecs.utf_8_decode(raw, "strict", False)
    except UnicodeDecodeError:
        return "", 0


def legible(value: Any) -> Any:
    """Make a text of bytes, and of a text that carries bytes (``surrogateescape``); anything else stays."""
    if isinstance(value, bytes):
        return decoded(value)
    if isinstance(value, str) and _ESCAPED.search(value):
        return decoded(_LONE.sub("�", value).encode(errors="surrogateescape"))
    return value


def settled(value: Any, field: str, about: About) -> Any:
    """Make plain texts of all texts in a value; the report says of each that was not UTF-8 what was done."""
    value = legible(value)
    if isinstance(value, Decoded):
        (about.mended if value.whole else about.doubtful)(field, value, value.told)
        return str(value)
    if isinstance(value, list):
        return [settled(one, field, about) for one in value]
    if isinstance(value, dict):
        return {settled(key, field, about): settled(one, field, about) for key, one in value.items()}
    return value
