"""What a verdict on a take does to its shot's status: what the automations say (docs/statuses.md).

As shipped: approved with its take, ready again for a retake. Shots on hold, omitted or final are left alone.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now

from apps.ledger.services.recording import changing
from apps.productions.automations import Happening, happened
from apps.productions.models import Shot, Trigger


def shot_is_approved(
    shot: Shot, *, actor: str, reason: str, stage: str = "", take: UUID | None = None
) -> bool:
    """A take was approved. Return whether the shot moved."""
    return _told(Trigger.TAKE_APPROVED, shot, actor=actor, reason=reason, stage=stage, take=take)


def shot_needs_retake(
    shot: Shot, *, actor: str, reason: str, stage: str = "", take: UUID | None = None
) -> bool:
    """A take is to be made again, and no other stands for the shot. Return whether it moved."""
    return _told(Trigger.TAKE_RETAKE, shot, actor=actor, reason=reason, stage=stage, take=take)


def shot_lost_approval(
    shot: Shot, *, actor: str, reason: str, stage: str = "", take: UUID | None = None
) -> bool:
    """Its approved take is approved no longer, and no other is. Return whether it moved."""
    return _told(Trigger.APPROVAL_LOST, shot, actor=actor, reason=reason, stage=stage, take=take)


def _told(trigger: str, shot: Shot, *, actor: str, reason: str, stage: str, take: UUID | None) -> bool:
    one = Happening(shot=shot.pk, project=shot.project_id, actor=actor, stage=stage, take=take, why=reason)
    return shot.pk in happened(trigger, [one])


def count_retake(shot: UUID, *, actor: str) -> None:
    """A retake was asked for: it counts once, for it is written with the verdict that only one can give."""
    with changing(Shot, [shot], actor=actor, lists=False):
        Shot.objects.filter(pk=shot).update(
            retake_count=F("retake_count") + 1, row_version=F("row_version") + 1, updated_at=Now()
        )
