"""Frames as people number them: a take's first frame has the shot's number, handles counted."""

from __future__ import annotations

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.productions.models import MAX_FRAMES
from apps.review.models import Take


def first_number(take: Take) -> int:
    """Return the number of a take's first frame: the cut's first, less the handles the take has before it."""
    wanted = (take.length or {}).get("wanted", {})
    head = int(wanted.get("head", take.shot.handles))
    return max(0, take.shot.first_cut_frame - head)


def number_of(take: Take, frame: int | None) -> int | None:
    """Return the number of a frame that counts from the take's first."""
    return None if frame is None else first_number(take) + frame


def frame_from(take: Take, number: int | None, frames: int | None) -> int | None:
    """Count a numbered frame from the take's first; ``frames``: how many it shows, None where nobody knows.

    Raises Refused for one before its first or behind its last.
    """
    if number is None:
        return None
    first = first_number(take)
    if first <= number < first + (frames or MAX_FRAMES):
        return number - first
    told = _("the take begins at frame %d; write that number or a later one") % first
    if frames is not None:
        told = _("the take goes from frame %(first)d to %(last)d; write a number among these") % {
            "first": first,
            "last": first + frames - 1,
        }
    raise Refused(Problem("frame", str(number), told, code="no_such_frame"))
