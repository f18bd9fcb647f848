"""From rendered frames back to a shot: how long it is, and which frame each of its own shows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from workflows.errors import ValueRefused
from workflows.rates import exact_fps, fps_text
from workflows.wording import said as _


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


def with_skip(data: Mapping[str, Any], skip: int) -> dict[str, Any]:
    """What :meth:`Conform.as_json` wrote, where so many frames repeat the clip continued; {} stays {}."""
    if not data:
        return {}
    return Conform(
        length_from(data["wanted"]),
        int(data["rendered"]["frames"]),
        exact_fps(str(data["rendered"]["fps"])),
        still=bool(data.get("still")),
        whole=bool(data.get("whole")),
        skip=skip,
        held=int(data.get("held", 0)),
    ).as_json()


def length_from(data: Mapping[str, Any]) -> Length:
    """Read what :meth:`Length.as_json` wrote."""
    return Length(
        frames=int(data["frames"]),
        fps=exact_fps(str(data["fps"])),
        head=int(data.get("head", 0)),
        tail=int(data.get("tail", 0)),
    )
