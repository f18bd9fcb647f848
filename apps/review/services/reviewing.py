"""People look at takes and decide."""

from __future__ import annotations

import logging
from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.machines import move
from apps.productions.verdicts import count_retake, shot_is_approved, shot_lost_approval, shot_needs_retake
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.review.models import Take
from apps.review.signals import take_reviewed
from apps.review.states import REVIEW, Media, Review

logger = logging.getLogger(__name__)

_UNSEEN = (Media.BROKEN, Media.MISSING)


def review_take(take: Take, *, to: str, user: User, note: str = "") -> bool:
    """Give a verdict on a take; return False if it has this verdict, or somebody else was faster.

    The shot follows: approved with its take, ready again for a retake; another approved take keeps it
    approved. Raises NotAllowed; Refused for no known verdict, or for approving what cannot be looked at.
    """
    require(user, Act.REVIEW, take.project, shot=take.shot_id, stage=take.stage)
    if to not in Review.values:
        raise Refused(
            Problem("to", to, _("choose one of: %s") % ", ".join(Review.values), code="unknown_verdict")
        )
    if to == Review.APPROVED and take.media_state in _UNSEEN:
        raise Refused(
            Problem(
                "to",
                to,
                _("this take's file is %s, so nobody can have seen it; ask for a retake")
                % take.get_media_state_display(),
                code="no_media",
            )
        )
    if take.review_state == to:
        return False
    actor = user.get_username()
    with transaction.atomic():
        decided = move(
            REVIEW,
            take,
            from_=(take.review_state,),
            to=Review(to),
            story=take.job_id,
            actor=actor,
            reason=note,
        )
        if decided:
            _tell_shot(take, to, actor=actor)
            told = {"take": take.pk, "verdict": str(to), "actor": actor}
            transaction.on_commit(partial(take_reviewed.send_robust, sender=Take, **told))
    if decided:
        logger.info("take reviewed", extra={"take": str(take.pk), "verdict": str(to), "by": actor})
    return decided


def _tell_shot(take: Take, to: str, *, actor: str) -> None:
    told = {"actor": actor, "reason": f"{take}: {Review(to).value}", "stage": take.stage, "take": take.pk}
    if to == Review.RETAKE:
        count_retake(take.shot_id)
    if to == Review.APPROVED:
        shot_is_approved(take.shot, **told)
    elif Take.objects.filter(shot=take.shot_id, review_state=Review.APPROVED).exists():
        return  # another take stands for the shot
    elif to == Review.RETAKE:
        shot_needs_retake(take.shot, **told)
    elif take.review_state == Review.APPROVED:
        shot_lost_approval(take.shot, **told)
