"""Lock a shot's plan, so that nobody changes it by accident; take the lock off again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.ledger.services.recording import changing
from apps.productions.models import Shot
from apps.projects.roles import Act
from apps.projects.selectors import require

MOST_NAMED: Final = 20
"""Locked shots that a refusal names."""


def lock_shot(shot: Shot, *, user: User) -> bool:
    """Lock a shot's plan; return False if somebody had locked it already. Raises NotAllowed."""
    require(user, Act.PLAN, shot.project, shot=shot.pk)
    mine = Shot.objects.filter(pk=shot.pk, locked_by="")
    with changing(Shot, [shot.pk], actor=user, verb="locked"):
        return bool(mine.update(locked_by=user.get_username(), locked_at=Now(), **_newer()))


def lock_shots(shots: Collection[UUID], *, actor: str) -> int:
    """Lock the plans of those that nobody has locked, whoever may; return how many. For the farm itself."""
    with changing(Shot, shots, actor=actor, verb="locked"):
        free = Shot.objects.filter(pk__in=shots, locked_by="")
        return free.update(locked_by=actor[:150], locked_at=Now(), **_newer())


def unlock_shot(shot: Shot, *, user: User) -> bool:
    """Take the lock off, whoever put it on; return False if there was none. Raises NotAllowed."""
    require(user, Act.PLAN, shot.project, shot=shot.pk)
    theirs = Shot.objects.filter(pk=shot.pk).exclude(locked_by="")
    with changing(Shot, [shot.pk], actor=user, verb="unlocked"):
        return bool(theirs.update(locked_by="", locked_at=None, **_newer()))


def require_unlocked(shot: Shot) -> None:
    """Raise Refused, naming who locked it and when, unless the shot's plan may be changed now."""
    found = Shot.objects.filter(pk=shot.pk).exclude(locked_by="").values("locked_by", "locked_at").first()
    if found:
        told = _("%(user)s locked this shot on %(day)s; unlock it to change its plan")
        facts = {"user": found["locked_by"], "day": f"{found['locked_at']:%Y-%m-%d %H:%M} UTC"}
        raise Refused(Problem("locked_by", shot.full_code, told % facts, code="locked"))


def require_all_unlocked(shots: Collection[UUID]) -> None:
    """Raise Refused, naming the first of those that are locked and by whom; one query."""
    told = _("%(user)s locked this shot; unlock it to change its plan")
    locked = Shot.objects.filter(pk__in=shots).exclude(locked_by="").select_related("sequence")
    problems = [
        Problem("shots", shot.full_code, told % {"user": shot.locked_by}, code="locked")
        for shot in locked.order_by("sequence__order", "order", "pk")[:MOST_NAMED]
    ]
    if problems:
        raise Refused(*problems)


def _newer() -> dict[str, object]:
    return {"row_version": F("row_version") + 1, "updated_at": Now()}
