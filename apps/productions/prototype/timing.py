"""How long the prototype's shots are: frames, rate and seconds that need not agree with each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from apps.productions.models import MAX_FRAMES
from apps.productions.prototype.fields import number, text
from apps.productions.prototype.reading import Document
from apps.productions.prototype.report import About

FRAMES, SECONDS, RATE = 24, 1.0, 24.0
"""What the prototype writes where nobody said anything."""
_TIMECODE: Final = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})[:;.](\d{2,3})")


def rate_of_most(shots: Iterable[Document]) -> float:
    """The frame rate that most shots have; the prototype keeps one with each shot."""
    rates: Counter[float] = Counter()
    for shot in shots:
        told = shot.get("fps")
        if isinstance(told, int | float) and not isinstance(told, bool) and 1 <= told <= 240:
            rates[round(float(told), 3)] += 1
    return rates.most_common(1)[0][0] if rates else RATE


def frames_of(record: Document, project_rate: Fraction, about: About) -> int:
    """Count a shot's frames at the project's rate."""
    rate = number(record, "fps", about)
    if rate is None or not 1 <= rate <= 240:
        if rate is not None or "fps" not in record:
            about.mended("fps", record.get("fps"), f"{float(project_rate):g}, the project's rate, was taken")
        rate = float(project_rate)
    frames, seconds = number(record, "frame_count", about), number(record, "duration_seconds", about)
    counted = _counted(frames, seconds, rate, about)
    if abs(rate - float(project_rate)) > 0.002:
        ours = max(1, round(counted / rate * float(project_rate)))
        about.mended(
            "fps", rate, f"the project has {float(project_rate):g}: {counted} frames became {ours}, as long"
        )
        counted = ours
    kept = min(max(counted, 1), MAX_FRAMES)
    if kept != counted:
        about.mended("frame_count", counted, f"a shot has 1 to {MAX_FRAMES} frames; {kept} was taken")
    _check_timecodes(record, kept, project_rate, about)
    return kept


def _counted(frames: float | None, seconds: float | None, rate: float, about: About) -> int:
    if frames is not None and (frames < 1 or not frames.is_integer()):
        about.mended("frame_count", frames, "no number of frames")
        frames = None
    if seconds is not None and seconds <= 0:
        about.mended("duration_seconds", seconds, "no length")
        seconds = None
    if frames is None and seconds is None:
        about.mended("frame_count", None, f"there was none; {FRAMES} was taken")
        return FRAMES
    by_time = None if seconds is None else max(1, round(min(seconds * rate, 10.0**9)))
    if frames is None:
        about.mended("frame_count", None, f"{by_time} frames of the {seconds:g} seconds")
        return int(by_time or 1)
    counted = int(min(frames, 10.0**9))
    if by_time is None or abs(by_time - counted) <= 1:
        return counted
    if counted == FRAMES and seconds != SECONDS:
        about.mended("frame_count", counted, f"nobody had said it; {seconds:g} seconds are {by_time} frames")
        return by_time
    if seconds == SECONDS:
        about.mended(
            "duration_seconds",
            seconds,
            f"nobody had said it; {counted} frames are {counted / rate:g} seconds",
        )
    else:
        about.doubtful(
            "frame_count", counted, f"{seconds:g} seconds would be {by_time} frames; the frames were taken"
        )
    return counted


def _check_timecodes(record: Document, frames: int, rate: Fraction, about: About) -> None:
    spans = [(name, text(record, name, about, most=40)) for name in ("timecode_in", "timecode_out")]
    if not any(told for _name, told in spans):
        return
    counted = [_frame_number(told, rate) for _name, told in spans]
    for (name, told), found in zip(spans, counted, strict=True):
        if told and found is None:
            about.dropped(name, told, "no timecode")
    first, last = counted
    if first is None or last is None:
        return
    if abs((last - first) - frames) > 1:
        told = f"{spans[0][1]} to {spans[1][1]} is {last - first} frames; the shot has {frames}"
        about.doubtful("timecode_out", spans[1][1], told)


def _frame_number(told: str, rate: Fraction) -> int | None:
    found = _TIMECODE.fullmatch(told)
    if found is None:
        return None
    hours, minutes, seconds, frames = (int(part) for part in found.groups())
    whole = round(float(rate))
    if minutes > 59 or seconds > 59 or frames >= whole:
        return None
    return ((hours * 60 + minutes) * 60 + seconds) * whole + frames
