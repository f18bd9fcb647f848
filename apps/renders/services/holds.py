"""Pause a project, a VRAM tier or the whole farm. What nodes already have goes on."""

from __future__ import annotations

import logging
from typing import Final

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Problem, Refused
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.renders.models import Hold
from apps.renders.services import bus
from apps.renders.services.wishes import FARM_WISH, OF_THE_FARM, PAUSED, PROJECT_WISH, RESUMED, wish
from farm.tiers import NO_VRAM, TIERS_GB

logger = logging.getLogger(__name__)

PERMISSION: Final = "renders.change_hold"
SCOPES: Final = (Hold.FARM, *map(str, (NO_VRAM, *TIERS_GB)))


def hold(scope: str, *, user: User, reason: str = "") -> bool:
    """Pause the farm or a tier (see SCOPES); False if that is so already. Raises Refused, NotAllowed."""
    _check(scope, user)
    longest = Hold._meta.get_field("reason").max_length or 0
    if len(reason) > longest:
        raise Refused(Problem("reason", reason[:40], _("write at most %d characters") % longest))
    actor = user.get_username()
    with transaction.atomic():
        _row, made = Hold.objects.get_or_create(scope=scope, defaults={"by": actor, "reason": reason})
        if made:
            _tell(scope, PAUSED, actor, reason)
    return made


def release(scope: str, *, user: User) -> bool:
    """Let the farm or a tier go on; False if it was not paused. Raises Refused, NotAllowed."""
    _check(scope, user)
    with transaction.atomic():
        gone, _by_model = Hold.objects.filter(scope=scope).delete()
        if gone:
            _tell(scope, RESUMED, user.get_username(), "")
    return bool(gone)


def pause_project(project: Project, *, paused: bool, user: User, reason: str = "") -> bool:
    """Hold every job of a project back, or let them go on; False if it is so already.

    Raises NotAllowed unless the person manages the project.
    """
    require(user, Act.MANAGE, project)
    actor = user.get_username()
    with transaction.atomic():
        moved = (
            Project.objects.filter(pk=project.pk)
            .exclude(paused=paused)
            .update(
                paused=paused,
                paused_by=actor if paused else "",
                row_version=F("row_version") + 1,
                updated_at=Now(),
            )
        )
        if not moved:
            return False
        wish(PROJECT_WISH, project.pk, PAUSED if paused else RESUMED, actor=actor, reason=reason).save()
        transaction.on_commit(bus.poke)
    logger.info(
        "project paused" if paused else "project resumed", extra={"project": project.code, "by": actor}
    )
    return True


def may_hold(user: User) -> bool:
    """Tell whether this person may pause the farm and its tiers."""
    return user.has_perm(PERMISSION)


def require_holding(user: User) -> None:
    """Raise NotAllowed, naming the permission it takes, unless the user may pause farm and tiers."""
    if not may_hold(user):
        told = _("%(user)s may not pause the farm or a tier; that takes the permission %(permission)s")
        raise NotAllowed(told % {"user": user, "permission": PERMISSION})


def _check(scope: str, user: User) -> None:
    require_holding(user)
    if scope not in SCOPES:
        told = _("choose one of %s") % ", ".join(SCOPES)
        raise Refused(Problem("scope", scope[:40], told, code="unknown_scope"))


def _tell(scope: str, to: str, actor: str, reason: str) -> None:
    wish(FARM_WISH, OF_THE_FARM, to, actor=actor, reason=reason, data={"scope": scope}).save()
    transaction.on_commit(bus.poke)
    logger.info("farm or tier paused or resumed", extra={"scope": scope, "to": to, "by": actor})
