"""How an attempt ends without a take: its job goes back to READY, or is closed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q

from apps.common.clock import database_now
from apps.common.machines import move
from apps.renders.models import Attempt
from apps.renders.services.dependents import tell_dependents
from apps.renders.services.lanes import wake
from apps.renders.states import ATTEMPT, ATTEMPT_OPEN, JOB, AttemptState, JobState

Columns = dict[str, Any]


def hand_back(
    attempt: Attempt,
    *,
    actor: str,
    reason: str,
    end: str = AttemptState.SUPERSEDED,
    from_: tuple[str, ...] = ATTEMPT_OPEN,
    freed: bool | None = None,
    where: Columns | None = None,
    start_after: datetime | None = None,
    facts: Columns | None = None,
    **changes: Any,
) -> bool:
    """End an open attempt and make its job READY again; False, and nothing done, if either moved on.

    ``from_``, ``freed``, ``where``: see :func:`end_attempt`. ``facts`` are columns of the attempt,
    ``changes`` of the job.
    """
    back = {"token": "", "progress": 0.0, "doing": "", "start_after": start_after, **changes}
    with transaction.atomic():
        done = _together(
            _move_job(attempt, to=JobState.READY, changes=back, actor=actor, reason=reason),
            lambda: end_attempt(
                attempt,
                to=end,
                from_=from_,
                freed=freed,
                where=where,
                actor=actor,
                reason=reason,
                **(facts or {}),
            ),
        )
        if done:  # after the job: everybody locks jobs before lanes
            wake([attempt.job.lane_id])
    return done


def close_job(
    attempt: Attempt,
    *,
    actor: str,
    reason: str,
    to: str = JobState.FAILED,
    end: str = AttemptState.FAILED,
    where: Columns | None = None,
    facts: Columns | None = None,
    **changes: Any,
) -> bool:
    """End an open attempt and close its job; False, and nothing done, if either moved on."""
    closed = {"token": "", "finished_at": database_now(), "doing": "", **changes}
    with transaction.atomic():
        done = _together(
            _move_job(attempt, to=to, changes=closed, actor=actor, reason=reason),
            lambda: end_attempt(
                attempt, to=end, freed=True, where=where, actor=actor, reason=reason, **(facts or {})
            ),
        )
        if done:
            tell_dependents(attempt.job)
    return done


def end_attempt(
    attempt: Attempt,
    *,
    to: str,
    actor: str,
    reason: str,
    from_: tuple[str, ...] = ATTEMPT_OPEN,
    freed: bool | None = None,
    where: Columns | None = None,
    **facts: Any,
) -> bool:
    """End an open attempt; False if it has ended. ``facts`` are columns to set with the state.

    ``freed`` says whether its node has let go of it. By default a slot is free unless some node has
    accepted the attempt: then it stays taken until the node confirms, or is given up itself.
    """
    accepted = ExpressionWrapper(Q(accepted_at__isnull=False), output_field=BooleanField())
    return move(
        ATTEMPT,
        attempt,
        from_=from_,
        to=to,
        story=attempt.job_id,
        actor=actor,
        reason=reason,
        where=where,
        changes={
            "finished_at": database_now(),
            "holds_slot": accepted if freed is None else not freed,
            **facts,
        },
    )


def _move_job(attempt: Attempt, *, to: str, changes: Columns, actor: str, reason: str) -> bool:
    """Everybody locks the job before its attempt, so that nobody waits for each other."""
    quarantine = to == JobState.QUARANTINED
    return move(
        JOB,
        attempt.job,
        from_=(JobState.RUNNING,) if quarantine else (JobState.RUNNING, JobState.DISPATCHED),
        to=to,
        where={"token": attempt.token},
        changes=changes,
        actor=actor,
        reason=reason,
        data={"attempt": attempt.number},
    )


def _together(first: bool, second: Callable[[], bool]) -> bool:
    """Both moves or none."""
    done = first and second()
    if first and not done:
        transaction.set_rollback(True)
    return done
