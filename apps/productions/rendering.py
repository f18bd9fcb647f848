"""What rendering does to a shot's status: work begins, work comes back. Signed-off shots are left alone."""

from __future__ import annotations

from apps.common.machines import move
from apps.productions.models import Shot
from apps.productions.states import DRAFT, IN_PROGRESS, READY, REVIEW, SHOT


def shot_is_rendering(shot: Shot, *, actor: str) -> bool:
    """A job was submitted: a draft or ready shot is in progress now."""
    return move(
        SHOT, shot, from_=(DRAFT, READY), to=IN_PROGRESS, actor=actor, reason="a render was submitted"
    )


def shot_has_take(shot: Shot, *, actor: str) -> bool:
    """A take came back: a shot in progress (or ready) waits for review now."""
    return move(SHOT, shot, from_=(IN_PROGRESS, READY), to=REVIEW, actor=actor, reason="a take came back")
