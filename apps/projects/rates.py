"""A project's frame rate: a fraction, because 23.976 frames per second are 24000/1001."""

from __future__ import annotations

from fractions import Fraction
from typing import Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from workflows.errors import ValueRefused
from workflows.rates import Rate, exact_fps

SLOWEST: Final = 1
FASTEST: Final = 240
FINEST: Final = 1_000_000
"""The largest denominator kept; 24000/1001 has one of 1001."""


def frame_rate_of(told: Rate) -> Fraction:
    """Return the rate in frames per second that was written, as "24", 23.976 or "24000/1001".

    Raises Refused for what is no rate from 1 to 240 frames per second.
    """
    try:
        rate = exact_fps(told)
    except ValueRefused as exc:
        raise _refused(told) from exc
    if not SLOWEST <= rate <= FASTEST or rate.denominator > FINEST:
        raise _refused(told)
    return rate


def _refused(told: Rate) -> Refused:
    problem = _("write frames per second from %(slowest)d to %(fastest)d, such as 24, 23.976 or 24000/1001")
    return Refused(
        Problem("fps", str(told)[:60], problem % {"slowest": SLOWEST, "fastest": FASTEST}, "invalid")
    )
