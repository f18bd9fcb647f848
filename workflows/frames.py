"""Frame arithmetic, in one place and exact: from a shot's length to the frames a model renders, and back.

A shot counts frames at the project's rate; a model renders at its own, and only counts its rule allows. So
a clip is rendered a little long, *trimmed* to the frames that cover the shot, and *conformed*: each frame of
the shot shows one rendered frame. Rates are fractions: 23.976 is 24000/1001, and a long film tells the
difference. Nothing here is rounded but where a rule says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from workflows.errors import ValueRefused
from workflows.manifest import FrameRule
from workflows.wording import said as _

NTSC: Final = tuple(Fraction(nominal * 1000, 1001) for nominal in (12, 15, 24, 30, 48, 60, 96, 120, 240))
"""Rates that people write as decimals (23.976, 29.97, 59.94) and that are none."""

FASTEST: Final = 1_000_000
LONGEST_RATE: Final = 60
"""Characters: 16.666666666666668 is written so, and nothing needs more."""

FLOAT_ERROR: Final = Fraction(1, 10**9)
WRITTEN_OUT: Final = 9
"""Digits behind the point: nobody types so many, a rate was reckoned."""
LARGEST_DENOMINATOR: Final = 1001

Rate = str | float | Decimal | Fraction
"""What a rate may be written as."""

MOST_SEGMENTS: Final = 1_000
"""Clips in one chain: more are a typing error."""


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
        if not 0 < decimal < FASTEST:
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


@dataclass(frozen=True, slots=True)
class Length:
    """How long a shot is: ``frames`` of picture at ``fps``, and handles before (``head``) and after it."""

    frames: int
    fps: Fraction
    head: int = 0
    tail: int = 0

    def __post_init__(self) -> None:
        if self.frames < 1 or self.head < 0 or self.tail < 0:
            raise ValueRefused(
                "frames",
                self.frames,
                problem=_("at %(fps)s fps is no length", fps=f"{float(self.fps):g}"),
                remedy=_("give at least 1 frame"),
            )

    @property
    def total(self) -> int:
        """Frames with handles."""
        return self.frames + self.head + self.tail

    @property
    def seconds(self) -> Fraction:
        """With handles."""
        return self.total / self.fps

    def at(self, rate: Fraction) -> int:
        """The fewest frames at ``rate`` that last as long."""
        return math.ceil(self.total * rate / self.fps)

    def as_json(self) -> dict[str, Any]:
        """Whole numbers, and the rate as text."""
        return {"frames": self.frames, "head": self.head, "tail": self.tail, "fps": fps_text(self.fps)}


@dataclass(frozen=True, slots=True)
class Conform:
    """How ``rendered`` frames at ``rate`` become the shot.

    Those from ``start`` to ``end`` (exclusive) cover it, and :meth:`source` says which of them each frame of
    the shot shows. A single picture (``still``) is held for the whole shot. A clip that arrives at a picture
    (``whole``) is never trimmed: its last frame is the shot's last, and what is too long runs faster.
    The first ``skip`` frames are none of the shot: they repeat the clip that this one continues.
    An interpolation puts nothing behind the last frame, which stood on screen for a whole frame of the slower
    clip: the last of its result stands for ``held`` frames more.
    """

    length: Length
    rendered: int
    rate: Fraction
    still: bool = False
    whole: bool = False
    skip: int = 0
    held: int = 0

    @property
    def start(self) -> int:
        """The first rendered frame used: a clip begins with its keyframe, or behind what it repeats."""
        return 0 if self.still else self.skip

    @property
    def end(self) -> int:
        """Behind the last rendered frame used."""
        if self.still or self.whole:
            return 1 if self.still else self.rendered
        return (
            self.skip + self.needed
            if self.missing
            else min(self.rendered, self.skip + self.length.at(self.rate))
        )

    @property
    def needed(self) -> int:
        """The fewest frames at ``rate`` that show the shot: up to the one that its last frame shows."""
        last = _nearest(self.length.total - 1, self.rate / self.length.fps)
        return min(last + 1, self.length.at(self.rate))

    @property
    def missing(self) -> int:
        """Frames at ``rate`` that the clip lacks to show the shot to its end; 0 for one that covers it."""
        return 0 if self.still else max(0, self.skip + self.needed - self.rendered - self.held)

    @property
    def speed(self) -> Fraction:
        """Rendered frames per frame of the shot."""
        if self.whole and self.length.total > 1:
            return Fraction(self.rendered - self.skip - 1, self.length.total - 1)
        return Fraction(0) if self.still else self.rate / self.length.fps

    @property
    def untouched(self) -> bool:
        """The rendered clip is the shot already: same rate, same count."""
        here = self.speed == 1 and not self.skip and self.rendered == self.length.total
        return here and not self.still

    def source(self, frame: int) -> int:
        """Return the rendered frame that a frame of the shot (from 0, handles included) shows.

        The one that begins nearest to it in time; of two as near, the earlier. Where the nearest lies behind
        what covers the shot, the one on screen at that moment: the last.
        """
        if not 0 <= frame < self.length.total:
            raise IndexError(f"frame {frame} of a shot of {self.length.total} frames")
        return min(self.start + _nearest(frame, self.speed), self.end - 1)

    def mapping(self) -> list[int]:
        """For each frame of the shot, in order: the rendered frame it shows."""
        return [self.source(frame) for frame in range(self.length.total)]

    def as_json(self) -> dict[str, Any]:
        """What was wanted, what is rendered for it, and which frames of that are used."""
        return {
            "wanted": {**self.length.as_json(), "total": self.length.total},
            "rendered": {"frames": self.rendered, "fps": fps_text(self.rate)},
            "trim": {"in": self.start, "out": self.end},
            "speed": fps_text(self.speed),
            "still": self.still,
            "missing": self.missing,
            **({"whole": True} if self.whole else {}),
            **({"skip": self.skip} if self.skip else {}),
            **({"held": self.held} if self.held else {}),
        }


def _nearest(frame: int, speed: Fraction) -> int:
    """The rendered frame that begins nearest to a frame of the shot; of two as near, the earlier."""
    return math.ceil(frame * speed - Fraction(1, 2))


def conform(length: Length, *, rendered: int, rate: Fraction, still: bool = False) -> Conform:
    """Say how a clip of ``rendered`` frames at ``rate`` becomes the shot.

    Raises ValueRefused for one that does not cover it.
    """
    told = Conform(length, rendered, rate, still=still)
    if told.missing:
        raise ValueRefused(
            "frames",
            rendered,
            problem=_(
                "at %(rate)s fps are too few for %(frames)s at %(fps)s fps",
                rate=f"{float(rate):g}",
                frames=length.total,
                fps=f"{float(length.fps):g}",
            ),
            remedy=_("render at least %(frames)s", frames=told.needed),
        )
    return told


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


def length_from(data: Mapping[str, Any]) -> Length:
    """Read what :meth:`Length.as_json` wrote."""
    return Length(
        frames=int(data["frames"]),
        fps=exact_fps(str(data["fps"])),
        head=int(data.get("head", 0)),
        tail=int(data.get("tail", 0)),
    )
