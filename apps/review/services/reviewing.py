"""People look at takes and decide."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Problem, Refused
from apps.common.machines import move
from apps.productions.verdicts import count_retake, shot_is_approved, shot_lost_approval, shot_needs_retake
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.review.models import ReviewNote, Take, to_be_judged
from apps.review.numbering import number_of
from apps.review.services.selecting import select_if_none, unselect
from apps.review.signals import take_reviewed
from apps.review.states import REVIEW, Media, Review

logger = logging.getLogger(__name__)

_UNSEEN = (Media.BROKEN, Media.MISSING)
MOST_GATHERED: Final = 50
"""Open notes that become part of a retake's reason."""


def review_take(take: Take, *, to: str, user: User, note: str = "", gather: bool = False) -> bool:
    """Give a verdict on a take; return False if it has this verdict, or somebody else was faster.

    The shot follows: approved with its take, ready again for a retake; another approved take keeps it
    approved. An approved take is selected where none of its shot and stage is, a rejected one is selected no
    longer. A retake needs a reason: ``note``, or (``gather``) the take's open notes, which are put behind it.
    Raises NotAllowed; Refused for no known verdict, for approving what cannot be looked at, for a retake
    without a reason.
    """
    require(user, Act.REVIEW, take.project, shot=take.shot_id, stage=take.stage)
    reason = _reason(take, note, gather=gather)
    _check(take, to, reason)
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
            reason=reason,
        )
        if decided:
            _tell_shot(take, to, actor=actor)
            _tell_selection(take, to, actor=actor)
            to_be_judged(take)
            told = {"take": take.pk, "verdict": str(to), "actor": actor}
            transaction.on_commit(partial(take_reviewed.send_robust, sender=Take, **told))
    if decided:
        logger.info("take reviewed", extra={"take": str(take.pk), "verdict": str(to), "by": actor})
    return decided


@dataclass
class Reviewed:
    """What became of a verdict on many takes: how many have it now, and what was refused of which."""

    done: int = 0
    refused: list[str] = field(default_factory=list)


def review_takes(
    takes: Iterable[Take], *, to: str, user: User, note: str = "", gather: bool = False
) -> Reviewed:
    """Give many takes one verdict, each by itself: where one is refused, the others go on."""
    told = Reviewed()
    for take in takes:
        try:
            told.done += review_take(take, to=to, user=user, note=note, gather=gather)
        except Refused as refused:
            told.refused.append(f"{take}: {'; '.join(str(problem.message) for problem in refused.problems)}")
        except NotAllowed as refused:
            told.refused.append(f"{take}: {refused}")
    return told


def _check(take: Take, to: str, reason: str) -> None:
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
    if to == Review.RETAKE and not reason:
        told = _("a retake needs a reason: say what should be different")
        raise Refused(Problem("note", "", told, code="required"))


def _reason(take: Take, note: str, *, gather: bool) -> str:
    lines = [note.strip()] if note.strip() else []
    if gather:
        open_notes = ReviewNote.objects.filter(take=take, resolved_at=None, reply_to=None).exclude(text="")
        for one in open_notes[:MOST_GATHERED]:
            number = number_of(take, one.frame)
            lines.append(f"{number}: {one.text}" if number is not None else one.text)
    return "\n".join(lines)


def _tell_selection(take: Take, to: str, *, actor: str) -> None:
    reason = Review(to).value
    if to == Review.APPROVED:
        select_if_none(take, actor=actor, reason=reason)
    elif to == Review.REJECTED:
        unselect(take, actor=actor, reason=reason)


def _tell_shot(take: Take, to: str, *, actor: str) -> None:
    tell = partial(_of_take, take, actor=actor, reason=f"{take}: {Review(to).value}")
    if to == Review.RETAKE:
        count_retake(take.shot_id, actor=actor)
    if to == Review.APPROVED:
        tell(shot_is_approved)
    elif Take.objects.filter(shot=take.shot_id, review_state=Review.APPROVED).exists():
        return  # another take stands for the shot
    elif to == Review.RETAKE:
        tell(shot_needs_retake)
    elif take.review_state == Review.APPROVED:
        tell(shot_lost_approval)


def _of_take(take: Take, what: Callable[..., bool], *, actor: str, reason: str) -> bool:
    return what(take.shot, actor=actor, reason=reason, stage=take.stage, take=take.pk)
