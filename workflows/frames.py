"""Frame arithmetic, exact: from a shot's length to the frames a model renders.

A shot counts frames at the project's rate; a model renders at its own, and only counts its rule allows. So
a clip is rendered a little long, *trimmed* to the frames that cover the shot, and *conformed*
(``workflows.conforming``): each frame of the shot shows one rendered frame. Rates are fractions
(``workflows.rates``): 23.976 is 24000/1001, and a long film tells the difference. Nothing here is rounded but
where a rule says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from workflows.conforming import Conform, Length
from workflows.errors import ValueRefused
from workflows.manifest import FrameRule
from workflows.wording import said as _

MOST_SEGMENTS: Final = 1_000
"""Clips in one chain: more are a typing error."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One clip of a chain: ``frames`` to render, the first of which is number ``first`` of the joined clip.

    It starts from the last frame of the clip before it, so that many (``drop``) of its own are left out.
    """

    number: int
    frames: int
    first: int
    drop: int

    @property
    def end(self) -> int:
        """Behind its last frame, in the joined clip."""
        return self.first + self.frames

    def as_json(self) -> dict[str, int]:
        """Whole numbers."""
        return {
            "number": self.number,
            "frames": self.frames,
            "first": self.first,
            "end": self.end,
            "drop": self.drop,
        }


def longest(rule: FrameRule) -> int:
    """Return the largest count the rule allows. Raises ValueRefused for a rule that allows none."""
    most = rule.maximum - (rule.maximum - rule.plus) % rule.multiple
    if most < rule.minimum or most < 1:
        raise ValueRefused(
            "frame_rule",
            str(rule),
            problem=_("allows no frame count"),
            remedy=_("give a maximum that is on the grid"),
        )
    return most


def render_frames(
    length: Length, rule: FrameRule, rate: Fraction, *, times: int = 1, overlap: int = 0
) -> Conform:
    """Return the fewest legal frames that cover a shot, and how the clip made of them becomes it.

    ``overlap``: of those the model renders, so many at the beginning repeat the clip that is continued.

    With ``times`` the clip is interpolated afterwards (see :func:`interpolated`): ``rendered`` and ``rate``
    are then what comes out of that; :func:`before_interpolation` tells what goes in. Raises ValueRefused,
    with the way to split it, for a shot longer than one clip.
    """
    skip = overlap * times
    count = rule.next_legal(before_interpolation(skip + length.at(rate * times), times))
    if count > rule.maximum:
        raise _too_long(length, rule, rate, times, overlap=overlap)
    frames, pace = interpolated(count, rate, times)
    return Conform(length, frames, pace, skip=skip)


def interpolated(frames: int, rate: Fraction, times: int) -> tuple[int, Fraction]:
    """Return count and rate of a clip after ``times`` − 1 frames were put between each two."""
    if times < 1 or frames < 1:
        raise ValueRefused("times", times, problem=_("is no interpolation"), remedy=_("give 1, 2, 3, …"))
    return (frames - 1) * times + 1, rate * times


def before_interpolation(frames: int, times: int) -> int:
    """Return the fewest frames from which an interpolation makes at least ``frames``."""
    return -(-(frames - 1) // times) + 1


def split(length: Length, rule: FrameRule, rate: Fraction, *, times: int = 1) -> tuple[Segment, ...]:
    """Say which chained clips cover a shot: as few as can be, each legal, each from the last frame before it.

    One segment for a shot that fits. Counts are what the model renders, before any interpolation.
    Raises ValueRefused if the rule allows only single frames, or too many clips would be needed.
    """
    most = longest(rule)
    needed = before_interpolation(length.at(rate * times), times)
    if needed <= most:
        return (Segment(1, rule.next_legal(needed), 0, 0),)
    clips = 1 + -(-(needed - most) // (most - 1)) if most > 1 else math.inf
    if clips > MOST_SEGMENTS:
        raise ValueRefused(
            "frames",
            length.total,
            problem=_(
                "at %(fps)s fps cannot be joined of clips of %(most)s frames",
                fps=f"{float(length.fps):g}",
                most=most,
            ),
            remedy=_("shorten the shot, or choose a template that makes longer clips"),
        )
    segments: list[Segment] = []
    first = 0
    for number in range(1, int(clips) + 1):
        frames = most if number < clips else rule.next_legal(needed - first)
        segments.append(Segment(number, frames, first, 0 if number == 1 else 1))
        first += frames - 1
    return tuple(segments)


def joined(segments: tuple[Segment, ...]) -> int:
    """Return the length of the clip made of a chain, overlaps counted once."""
    return segments[-1].end


def _too_long(
    length: Length, rule: FrameRule, rate: Fraction, times: int, *, overlap: int = 0
) -> ValueRefused:
    most = longest(rule)
    frames, pace = interpolated(most, rate, times)
    holds = math.floor((frames - overlap * times) * length.fps / pace)
    remedy = _(
        "one clip holds %(frames)s frames (%(most)s at %(rate)s fps)",
        frames=holds,
        most=most,
        rate=f"{float(rate):g}",
    )
    if most > 1 and not overlap:
        counts = [segment.frames for segment in split(length, rule, rate, times=times)]
        remedy = _(
            "split the shot into %(clips)s clips of %(counts)s frames; %(sentence)s",
            clips=len(counts),
            counts=_counted(counts),
            sentence=remedy,
        )
    return ValueRefused(
        "frames",
        length.total,
        problem=_("at %(fps)s fps is longer than one clip can be", fps=f"{float(length.fps):g}"),
        remedy=remedy,
    )


def _counted(counts: list[int]) -> str:
    """Written out where they are few."""
    if len(counts) > 4:
        return _("%(frames)s, the last of %(last)s", frames=counts[0], last=counts[-1])
    return " + ".join(map(str, counts))
