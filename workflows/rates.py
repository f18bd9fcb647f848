"""Frame rates, exact: as fractions, whatever people write for them."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Final

from workflows.errors import ValueRefused
from workflows.wording import said as _

NTSC: Final = tuple(Fraction(nominal * 1000, 1001) for nominal in (12, 15, 24, 30, 48, 60, 96, 120, 240))
"""Rates that people write as decimals (23.976, 29.97, 59.94) and that are none."""

FASTEST: Final = 1_000_000
SLOWEST: Final = Decimal("1e-9")
"""A tinier decimal is no rate, and its fraction may take minutes to write down."""

LONGEST_RATE: Final = 60
"""Characters: 16.666666666666668 is written so, and nothing needs more."""

FLOAT_ERROR: Final = Fraction(1, 10**9)

WRITTEN_OUT: Final = 9
"""Digits behind the point: nobody types so many, such a rate was reckoned."""

LARGEST_DENOMINATOR: Final = 1001

Rate = str | float | Decimal | Fraction
"""What a rate may be written as."""


def exact_fps(rate: Rate) -> Fraction:
    """Return a rate as the fraction it stands for: 23.976, 23.98 and "24000/1001" are 24000/1001.

    A decimal with two or more digits that is an NTSC rate, rounded or cut off there, is that rate; one of
    many digits is the simple fraction it was reckoned from (16.666666666666668 is 50/3); any other is what it
    says. Raises ValueRefused for what is no rate.
    """
    exact = rate if isinstance(rate, Fraction) else _read(str(rate).strip()[:LONGEST_RATE])
    if exact <= 0:
        raise ValueRefused("fps", str(rate), problem=_("is no frame rate"), remedy=_("give a number above 0"))
    return exact


def _read(text: str) -> Fraction:
    try:
        if "/" in text:
            return Fraction(text)
        decimal = Decimal(text)
        if not SLOWEST < decimal < FASTEST:
            raise ValueError(text)
        exact = Fraction(decimal)
    except (ValueError, ArithmeticError) as exc:
        raise ValueRefused(
            "fps",
            text,
            problem=_("is no frame rate"),
            remedy=_("give a number below %(most)s, such as 24, 23.976 or 24000/1001", most=FASTEST),
        ) from exc
    exponent = decimal.as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) else 0
    for ntsc in NTSC if digits >= 2 else ():
        shifted, written = ntsc * 10**digits, exact * 10**digits
        rounded = written in (math.floor(shifted), math.floor(shifted + Fraction(1, 2)))
        if rounded or abs(exact - ntsc) < FLOAT_ERROR:
            return ntsc
    simple = exact.limit_denominator(LARGEST_DENOMINATOR)
    return simple if digits >= WRITTEN_OUT and simple and abs(exact - simple) < FLOAT_ERROR else exact


def fps_text(rate: Fraction) -> str:
    """Return a rate as people and databases keep it: "24", "25/2", "24000/1001"."""
    return str(rate)
