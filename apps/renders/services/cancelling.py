"""Cancel jobs, one or thousands, down to ComfyUI."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.machines import Move, move_each
from apps.renders.models import Attempt, Job, RenderBatch
from apps.renders.services import bus
from apps.renders.services.chains import waiting_for
from apps.renders.services.dependents import explain_blocked
from apps.renders.services.rights import require_batch, require_jobs
from apps.renders.states import ATTEMPT, ATTEMPT_OPEN, JOB, OPEN, AttemptState, JobState

logger = logging.getLogger(__name__)

AT_ONCE: Final = 1_000
"""Jobs cancelled in one transaction: the dispatcher and the record wait for no more than these."""
REASON: Final = "cancelled"


def cancel(job: Job, *, user: User) -> bool:
    """Cancel an open job and interrupt what a node does for it; False if it was closed already.

    The node stops ComfyUI and confirms; until then its slot stays taken.
    """
    return bool(cancel_jobs(Job.objects.filter(pk=job.pk), user=user))


def cancel_batch(batch: RenderBatch, *, user: User) -> int:
    """Cancel every open job of a batch; return how many were."""
    require_batch(batch, user)
    return cancel_jobs(Job.objects.filter(batch=batch), user=user)


def cancel_jobs(jobs: QuerySet[Job], *, user: User, dependents: bool = False) -> int:
    """Cancel every open job of a selection, see :func:`cancel`; return how many were.

    ``dependents``: and whatever waits for them, however long the chain. It takes a constant number of
    statements for each AT_ONCE jobs. Raises NotAllowed, and cancels none, unless the person may render all of
    them.
    """
    keys = set(jobs.filter(state__in=OPEN).order_by().values_list("pk", flat=True))
    if dependents:
        keys |= waiting_for(set(jobs.order_by().values_list("pk", flat=True)))
    require_jobs(jobs, user)
    if dependents:
        require_jobs(Job.objects.filter(pk__in=keys), user)
    order = sorted(keys)
    return sum(
        _cancel(order[start : start + AT_ONCE], user.get_username())
        for start in range(0, len(order), AT_ONCE)
    )


@transaction.atomic
def _cancel(keys: Sequence[UUID], actor: str) -> int:
    closed = {"token": "", "finished_at": database_now(), "doing": "", "wait_code": "", "wait_params": {}}
    moves = [Move(row=Job(pk=key), actor=actor, reason=REASON, changes=closed) for key in keys]
    cancelled = move_each(JOB, moves, from_=OPEN, to=JobState.CANCELLED)
    if not cancelled:
        return 0
    stopped = _stop_attempts(cancelled, actor)
    explain_blocked(Job.objects.filter(dependencies__depends_on__in=cancelled))
    ended = Job.objects.filter(pk__in=cancelled).values("shot")
    explain_blocked(Job.objects.filter(continuity__shot__in=ended, continuity__take=None))
    transaction.on_commit(lambda: _after_cancel(stopped))
    logger.info("jobs cancelled", extra={"jobs": [str(key) for key in sorted(cancelled)], "by": actor})
    return len(cancelled)


def _stop_attempts(jobs: Iterable[UUID], actor: str) -> list[Attempt]:
    """End the open attempts of cancelled jobs. One that a node accepted keeps its slot till that confirms."""
    rows = Attempt.objects.filter(job__in=list(jobs), state__in=ATTEMPT_OPEN)
    attempts = {attempt.pk: attempt for attempt in rows.select_related("node").defer("report", "log")}
    ended: set[UUID] = set()
    for accepted in (True, False):
        # Nobody accepts an attempt whose job is locked here: what was read of it still holds.
        some = [one for one in attempts.values() if (one.accepted_at is not None) == accepted]
        facts = {"finished_at": database_now(), "holds_slot": accepted}
        moves = [Move(row=one, story=one.job_id, actor=actor, reason=REASON, changes=facts) for one in some]
        ended |= move_each(ATTEMPT, moves, from_=ATTEMPT_OPEN, to=AttemptState.CANCELLED)
    return [attempts[key] for key in ended]


def _after_cancel(stopped: list[Attempt]) -> None:
    if stopped and bus.is_up():  # else the answer to each node's next report says it
        for attempt in stopped:
            bus.send_cancel(attempt)
    bus.poke()
