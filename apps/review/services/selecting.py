"""Which take of a shot and stage goes on: into the cut, and to the next stage. At most one is selected."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.common.machines import record_event
from apps.productions.automations import Happening, happened
from apps.productions.models import Automation, Trigger
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.review.models import Take, to_be_judged
from apps.review.signals import take_selected
from apps.review.states import SELECTED, SELECTION, UNSELECTED, Media, Review

logger = logging.getLogger(__name__)

_UNSEEN: Final = (Media.BROKEN, Media.MISSING)


def select_take(take: Take, user: User, reason: str = "") -> bool:
    """Make this the selected take of its shot and stage; return False if it is already.

    Raises NotAllowed; Refused for a take that was rejected or has no file; Conflict if somebody selected
    another in the same moment. Nothing is changed then.
    """
    require(user, Act.REVIEW, take.project, shot=take.shot_id, stage=take.stage)
    _check(take)
    if Take.objects.filter(pk=take.pk, selected=True).exists():
        return False
    actor = user.get_username()
    try:
        with transaction.atomic():
            return _exchange(take, actor=actor, reason=reason)
    except IntegrityError as exc:
        now = Take.objects.filter(shot=take.shot_id, stage=take.stage, selected=True).first()
        told = _("somebody else selected %(take)s in the same moment") % {"take": now or "…"}
        raise Conflict(Problem("selected", str(take), told, code="stale")) from exc


def select_if_none(take: Take, *, actor: str, reason: str = "") -> bool:
    """Select a take where none of its shot and stage is selected; return False where one is."""
    if Take.objects.filter(shot=take.shot_id, stage=take.stage, selected=True).exists():
        return False
    try:
        with transaction.atomic():
            return _exchange(take, actor=actor, reason=reason)
    except IntegrityError:
        return False  # somebody selected another in the same moment: theirs stands


def select_by_automation(row: Automation, what: Sequence[Happening]) -> list[UUID]:
    """What “select the take” of an automation does: where none of its shot and stage is selected."""
    keys = {one.take: one for one in what if one.take is not None}
    sound = Take.objects.filter(pk__in=keys).exclude(media_state__in=_UNSEEN)
    takes = sound.exclude(review_state=Review.REJECTED).select_related("shot__sequence")
    return [
        take.shot_id for take in takes if select_if_none(take, actor=keys[take.pk].actor, reason=row.name)
    ]


def unselect_take(take: Take, user: User, reason: str = "") -> bool:
    """Take the selection back; return False if the take is not selected. Raises NotAllowed."""
    require(user, Act.REVIEW, take.project, shot=take.shot_id, stage=take.stage)
    return unselect(take, actor=user.get_username(), reason=reason)


def unselect(take: Take, *, actor: str, reason: str = "") -> bool:
    """Leave the shot and stage without a selected take, if this one is it."""
    with transaction.atomic():
        if not _let_go(take.pk, take.job_id, actor=actor, reason=reason):
            return False
        _tell(take, now=None, before=take.pk, actor=actor)
    return True


def _check(take: Take) -> None:
    if take.media_state in _UNSEEN:
        told = _("this take's file is %s; nothing can be made of it") % take.get_media_state_display()
        raise Refused(Problem("selected", str(take), told, code="no_media"))
    if take.review_state == Review.REJECTED:
        told = _("this take was rejected; give it another verdict first")
        raise Refused(Problem("selected", str(take), told, code="rejected"))


def _exchange(take: Take, *, actor: str, reason: str) -> bool:
    """Deselect what is selected, then select: whoever comes second fails at the constraint."""
    before = Take.objects.filter(shot=take.shot_id, stage=take.stage, selected=True).exclude(pk=take.pk)
    old = before.values_list("pk", "job_id").first()
    if old:
        _let_go(*old, actor=actor, reason=reason)
    mine = Take.objects.filter(pk=take.pk, selected=False)
    won = mine.update(
        selected=True,
        selected_by=actor,
        selected_at=Now(),
        row_version=F("row_version") + 1,
        updated_at=Now(),
    )
    if not won:
        return False
    record_event(SELECTION, take.pk, to=SELECTED, story=take.job_id, actor=actor, reason=reason)
    _tell(take, now=take.pk, before=old[0] if old else None, actor=actor)
    return True


def _let_go(pk: UUID, job_id: UUID, *, actor: str, reason: str) -> bool:
    mine = Take.objects.filter(pk=pk, selected=True)
    lost = mine.update(
        selected=False,
        selected_by="",
        selected_at=None,
        row_version=F("row_version") + 1,
        updated_at=Now(),
    )
    if lost:
        record_event(
            SELECTION, pk, from_state=SELECTED, to=UNSELECTED, story=job_id, actor=actor, reason=reason
        )
    return bool(lost)


def _tell(take: Take, *, now: UUID | None, before: UUID | None, actor: str) -> None:
    told = {"shot": take.shot_id, "stage": take.stage, "take": now, "before": before, "actor": actor}
    to_be_judged(take)
    transaction.on_commit(partial(take_selected.send_robust, sender=Take, **told))
    if now is not None:
        one = Happening(
            shot=take.shot_id,
            project=take.project_id,
            actor=actor,
            stage=take.stage,
            take=now,
            why=f"{take}: selected",
        )
        happened(Trigger.TAKE_SELECTED, [one])
    logger.info("take selected", extra={key: str(value) for key, value in told.items()})
