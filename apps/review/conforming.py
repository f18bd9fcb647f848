"""What a clip is to its shot: asked for, ordered, found in its file; and how it becomes the shot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.review.models import Artifact, ArtifactRole, Take
from apps.workflows.models import Kind
from workflows.conforming import Conform, Length, length_from
from workflows.rates import NTSC, exact_fps, fps_text

FPS_TOLERANCE: Final = Fraction(1, 100)
"""Containers that count milliseconds state 16 fps as 15.873: within this part, a rate that nobody uses is the
one that was ordered. One that people use is meant: 23.976 is not 24, and a long film tells the difference."""


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """A take's length told three times: wanted by the shot, ordered of the node, measured in its file.

    ``measured_fps`` is None where the file states no rate. ``conform`` rests on what was measured.
    """

    wanted: Length
    ordered: tuple[int, Fraction]
    measured: int
    measured_fps: float | None
    conform: Conform

    @property
    def mismatches(self) -> list[str]:
        """Each way in which the take is not what was asked for, in a sentence."""
        told = []
        frames, rate = self.ordered
        if self.measured != frames:
            told.append(
                _("The file has %(measured)d frames; %(ordered)d were ordered.")
                % {"measured": self.measured, "ordered": frames}
            )
        if self.conform.rate != rate:
            told.append(
                _("The file runs at %(measured)s fps; %(ordered)s were ordered.")
                % {"measured": fps_text(self.conform.rate), "ordered": fps_text(rate)}
            )
        if self.conform.missing:
            told.append(
                _("The clip does not cover the shot: %(missing)d frames at %(fps)s fps are missing.")
                % {"missing": self.conform.missing, "fps": fps_text(self.conform.rate)}
            )
        return told

    def as_json(self) -> dict[str, Any]:
        """All of it as data, frame by frame aside."""
        frames, rate = self.ordered
        return {
            "wanted": {**self.wanted.as_json(), "total": self.wanted.total},
            "ordered": {"frames": frames, "fps": fps_text(rate)},
            "measured": {"frames": self.measured, "fps": self.measured_fps},
            "trim": {"in": self.conform.start, "out": self.conform.end},
            "speed": fps_text(self.conform.speed),
            "mismatches": self.mismatches,
        }

    @property
    def mapping(self) -> list[int]:
        """For each frame of the shot the one of the file, from 0; empty for a clip that does not cover it."""
        return [] if self.conform.missing else self.conform.mapping()


def lengths_of(take: Take, original: Artifact | None = None) -> Lengths | None:
    """Tell a clip's lengths; None for pictures, or a take made before lengths were kept.

    ``original`` saves the query for the file.
    """
    if not take.length:
        return None
    file = original or take.artifacts.filter(role=ArtifactRole.PRIMARY).order_by("key").first()
    if file is None or take.kind == Kind.FRAMES:
        return None
    return lengths(take.length, frames=file.frames, fps=file.fps)


def lengths(told: Mapping[str, Any], *, frames: int, fps: float | None) -> Lengths:
    """Set what was asked for (Job.length) beside a file of so many frames."""
    wanted, ordered = length_from(told["wanted"]), told["rendered"]
    rate = exact_fps(ordered["fps"])
    return Lengths(
        wanted=wanted,
        ordered=(int(ordered["frames"]), rate),
        measured=frames,
        measured_fps=fps,
        conform=Conform(
            wanted,
            frames,
            _true_rate(rate, fps),
            whole=bool(told.get("whole")),
            skip=int(told.get("skip", 0)),
            held=int(told.get("held", 0)),
        ),
    )


def _true_rate(ordered: Fraction, stated: float | None) -> Fraction:
    if not stated:
        return ordered
    exact = exact_fps(stated)
    usual = exact.denominator == 1 or exact in NTSC
    return ordered if not usual and abs(exact - ordered) <= ordered * FPS_TOLERANCE else exact
