"""Codes people say aloud (SQ010, SH0040, CH0007): how each kind is written, counted and kept apart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from apps.common.codes import at_least, next_number

CODE_LENGTH: Final = 20
CODE_RULE: Final = _(
    "Use capital letters and digits, joined by single hyphens, at most 20 characters, such as SH0040."
)
_CODE = re.compile(r"[A-Z0-9]+(?:-[A-Z0-9]+)*")
_MOST_DIGITS = 8


def is_code(text: str) -> bool:
    """Tell whether this may be a code. Codes become folder names, so no dots, slashes or underscores."""
    return len(text) <= CODE_LENGTH and _CODE.fullmatch(text) is not None


@dataclass(frozen=True)
class Numbering:
    """One kind of code: ``prefix`` and a number of at least ``digits`` digits, growing by ``step``.

    Steps of ten leave room for a shot cut in between later.
    """

    kind: str
    prefix: str
    digits: int
    step: int = 1

    def write(self, number: int) -> str:
        """Write a number as a code: 40 → SH0040."""
        return f"{self.prefix}{number:0{self.digits}}"

    def number_of(self, code: str) -> int | None:
        """Read the number of a code of this kind; None if it is not one, such as a code with a suffix."""
        found = re.fullmatch(rf"{self.prefix}([0-9]{{1,{_MOST_DIGITS}}})", code)
        return int(found[1]) if found else None

    def next_code(self, scope: UUID, *, taken: Callable[[str], bool]) -> str:
        """Hand out the next code in this scope that is not ``taken`` by a row someone typed in."""
        while True:
            code = self.write(next_number(scope=scope, kind=self.kind, step=self.step))
            if not taken(code):
                return code

    def keep_ahead(self, scope: UUID, codes: Iterable[str]) -> None:
        """Move the counter past codes that people typed, staying on whole steps (SH0045 → next is SH0050)."""
        numbers = [number for code in codes if (number := self.number_of(code)) is not None]
        if numbers:
            highest = max(numbers)
            at_least(scope=scope, kind=self.kind, value=highest - highest % self.step)
