"""What may stand in braces: each field's letters, how it is written, and how it is read back."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

CODE: Final = r"[A-Z0-9]+(?:-[A-Z0-9]+)*"
_CODE_LETTERS: Final = frozenset(string.ascii_uppercase + string.digits + "-")
_WORD_LETTERS: Final = frozenset(string.ascii_lowercase + string.digits)
_DIGITS: Final = frozenset(string.digits)

Value = str | int


@dataclass(frozen=True)
class Kind:
    """One kind of field: ``pattern`` matches whole values, all of ``letters``; ``example`` is for people."""

    pattern: str
    letters: frozenset[str]
    example: str
    number: bool = False


_A_CODE: Final = Kind(CODE, _CODE_LETTERS, "SH0040")
_A_WORD: Final = Kind("[a-z0-9]+", _WORD_LETTERS, "render")
_A_NUMBER: Final = Kind("[0-9]+", _DIGITS, "3", number=True)

FIELDS: Final[Mapping[str, Kind]] = {
    "project": Kind("[A-Z][A-Z0-9]{1,15}", _CODE_LETTERS - {"-"}, "FROST"),
    "episode": _A_CODE,
    "sequence": _A_CODE,
    "shot": _A_CODE,
    "character": _A_CODE,
    "location": _A_CODE,
    "stage": _A_WORD,
    "version": _A_NUMBER,
    "take": _A_NUMBER,
    "frame": _A_NUMBER,
    "ext": _A_WORD,
    "suffix": _A_WORD,
    "date": Kind("[0-9]{4}-[0-9]{2}-[0-9]{2}", _DIGITS | {"-"}, "2026-02-14"),
}


@dataclass(frozen=True)
class Field:
    """A field as it stands in a template: ``digits`` at least, for a number; ``lower`` for small letters."""

    name: str
    digits: int = 1
    lower: bool = False
    optional: bool = False

    @property
    def kind(self) -> Kind:
        """What the field is."""
        return FIELDS[self.name]

    @property
    def letters(self) -> frozenset[str]:
        """Every character that a written value may hold."""
        letters = self.kind.letters
        return frozenset(letter.lower() for letter in letters) if self.lower else letters

    @property
    def pattern(self) -> str:
        """A regular expression for exactly what ``write`` writes."""
        if self.kind.number:
            more = f"|[1-9][0-9]{{{self.digits},}}"  # more digits than asked for have no zero before them
            return f"(?:[0-9]{{{self.digits}}}{more})"
        pattern = self.kind.pattern
        return pattern.replace("A-Z", "a-z") if self.lower else pattern

    def fits(self, value: Value) -> bool:
        """Tell whether the value may be written here."""
        if self.kind.number:
            return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**9
        return isinstance(value, str) and re.fullmatch(self.kind.pattern, value) is not None

    def write(self, value: Value) -> str:
        """Write a value that fits."""
        if self.kind.number:
            return f"{value:0{self.digits}}"
        return str(value).lower() if self.lower else str(value)

    def read(self, text: str) -> Value:
        """Read back what was written."""
        if self.kind.number:
            return int(text)
        return text.upper() if self.lower else text
