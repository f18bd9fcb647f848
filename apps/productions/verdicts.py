"""What a verdict on a take does to its shot's status. Shots on hold, omitted or final are left alone."""

from __future__ import annotations

from apps.common.machines import move
from apps.productions.models import Shot
from apps.productions.states import APPROVED, IN_PROGRESS, READY, REVIEW, SHOT


def shot_is_approved(shot: Shot, *, actor: str, reason: str) -> bool:
    """A take was approved: the shot is. While other takes still render it passes through review."""
    move(SHOT, shot, from_=(READY, IN_PROGRESS), to=REVIEW, actor=actor, reason=reason)
    return move(SHOT, shot, from_=(REVIEW,), to=APPROVED, actor=actor, reason=reason)


def shot_needs_retake(shot: Shot, *, actor: str, reason: str) -> bool:
    """A take is to be made again: the shot is ready to be rendered."""
    return move(SHOT, shot, from_=(REVIEW, IN_PROGRESS, APPROVED), to=READY, actor=actor, reason=reason)


def shot_lost_approval(shot: Shot, *, actor: str, reason: str) -> bool:
    """Its approved take is approved no longer: the shot is to be looked at again."""
    return move(SHOT, shot, from_=(APPROVED,), to=REVIEW, actor=actor, reason=reason)
