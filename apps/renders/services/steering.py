"""What a person changes in waiting jobs: pause, priority, times, place. It acts with the next tick."""

from __future__ import annotations

import logging
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.common.collisions import again_after_collision
from apps.common.errors import Conflict, Problem, Refused
from apps.renders.models import Job, RenderBatch
from apps.renders.services.applying import ONLY_WAITING, Outcome, Wishes, change, judge, read
from apps.renders.services.pausing import pause_batch
from apps.renders.services.rights import require_batch, require_jobs

__all__ = ["Outcome", "Wishes", "change_batch", "change_job", "change_jobs", "pause", "prioritise"]

logger = logging.getLogger(__name__)

AT_ONCE: Final = 1_000
"""Jobs changed in one transaction: the dispatcher and the record wait for no more than these."""

_change_portion = again_after_collision(change)


def change_jobs(jobs: QuerySet[Job], wishes: Wishes, *, user: User, reason: str = "") -> Outcome:
    """Change every open job of a selection that no node has yet; say what became of each.

    Priority, pause and deadline change for jobs on a node too: they count if it comes back. Jobs that change
    alike cost one statement together. Raises NotAllowed unless the person may render every one of them;
    Refused, and changes nothing, for wishes that cannot be kept. A large selection is changed in portions
    (AT_ONCE), and judged as a whole before: only if somebody else makes a wish impossible meanwhile, Conflict
    says how far it came. What is changed already is the same when it is asked for again.
    """
    require_jobs(jobs, user)
    columns = read(wishes)
    outcome = Outcome()
    keys = sorted(jobs.order_by().values_list("pk", flat=True))
    portions = [keys[start : start + AT_ONCE] for start in range(0, len(keys), AT_ONCE)]
    for portion in portions if len(portions) > 1 else ():
        judge(portion, columns, user.get_username())
    for portion in portions:
        try:
            outcome.add(_change_portion(portion, columns, user.get_username(), reason))
        except Refused as refused:
            if not outcome.changed:
                raise
            raise _partly_done(outcome, len(keys), refused) from refused
    return outcome


def _partly_done(outcome: Outcome, asked: int, refused: Refused) -> Conflict:
    done = len(outcome.changed)
    told = ngettext(
        "%(done)d of %(asked)d jobs was changed before this was found; the rest is as it was. Put right "
        "what is named, and ask again: what is changed already stays",
        "%(done)d of %(asked)d jobs were changed before this was found; the rest is as it was. Put right "
        "what is named, and ask again: what is changed already stays",
        done,
    )
    logger.warning("jobs changed in part", extra={"done": done, "asked": asked, "why": str(refused)})
    facts = {"done": done, "asked": asked}
    return Conflict(*refused.problems, Problem("jobs", str(done), told % facts, code="partly_done"))


def change_job(job: Job, wishes: Wishes, *, user: User, reason: str = "") -> bool:
    """Change one job; False if it is so already. Raises Conflict, and changes nothing, if it is too late."""
    with transaction.atomic():
        outcome = change_jobs(Job.objects.filter(pk=job.pk), wishes, user=user, reason=reason)
        if outcome.closed:
            raise _too_late(job, _("it is closed, so this means nothing any more"))
        if outcome.in_flight:
            names = ", ".join(name for name in ONLY_WAITING if name in wishes)
            raise _too_late(job, _("a node has it, so these no longer count: %s; cancel it first") % names)
    return bool(outcome.changed)


def change_batch(batch: RenderBatch, wishes: Wishes, *, user: User, reason: str = "") -> Outcome:
    """Change a whole batch: the pause is the batch's own, all else goes to each of its open jobs."""
    require_batch(batch, user)
    own: Wishes = {**wishes}
    paused = own.pop("paused", None)
    jobs = Job.objects.filter(batch=batch)
    outcome = change_jobs(jobs, own, user=user, reason=reason) if own else Outcome()
    if paused is not None:
        pause_batch(batch, paused=paused, user=user, reason=reason)
    return outcome


def prioritise(job: Job, *, priority: int, user: User) -> bool:
    """Change the priority of an open job; False if it is closed. Raises Refused for no known priority."""
    return not change_jobs(Job.objects.filter(pk=job.pk), {"priority": priority}, user=user).closed


def pause(job: Job, *, paused: bool, user: User) -> bool:
    """Hold an open job back, or let it go on; False if it is closed. What a node already has goes on."""
    return not change_jobs(Job.objects.filter(pk=job.pk), {"paused": paused}, user=user).closed


def _too_late(job: Job, told: str) -> Conflict:
    state = Job.objects.values_list("state", flat=True).get(pk=job.pk)
    return Conflict(Problem("state", state, told, code="illegal_move"))
