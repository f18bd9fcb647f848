"""How an attempt ends without a take: its job goes back to READY, or is closed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from apps.common.clock import database_now
from apps.common.machines import move
from apps.renders.models import Attempt
from apps.renders.states import ATTEMPT, ATTEMPT_OPEN, JOB, AttemptState, JobState

Columns = dict[str, Any]


def hand_back(
    attempt: Attempt,
    *,
    actor: str,
    reason: str,
    end: str = AttemptState.SUPERSEDED,
    freed: bool | None = None,
    start_after: datetime | None = None,
    facts: Columns | None = None,
    **changes: Any,
) -> bool:
    """End an open attempt and make its job READY again; False if it has ended or its token is stale.

    ``freed``: see :func:`end_attempt`. ``facts`` are columns of the attempt, ``changes`` of the job.
    """
    with transaction.atomic():
        if not end_attempt(attempt, to=end, actor=actor, reason=reason, freed=freed, **(facts or {})):
            return False
        return move(
            JOB,
            attempt.job,
            from_=(JobState.RUNNING, JobState.DISPATCHED),
            to=JobState.READY,
            where={"token": attempt.token},
            changes={"token": "", "progress": 0.0, "doing": "", "start_after": start_after, **changes},
            actor=actor,
            reason=reason,
            data={"attempt": attempt.number},
        )


def fail_for_good(
    attempt: Attempt,
    *,
    actor: str,
    reason: str,
    to: str = JobState.FAILED,
    end: str = AttemptState.FAILED,
    facts: Columns | None = None,
    **changes: Any,
) -> bool:
    """End an open attempt and close its job; False if it has ended or its token is stale."""
    sources = (JobState.RUNNING,) if to == JobState.QUARANTINED else (JobState.RUNNING, JobState.DISPATCHED)
    with transaction.atomic():
        if not end_attempt(attempt, to=end, actor=actor, reason=reason, freed=True, **(facts or {})):
            return False
        return move(
            JOB,
            attempt.job,
            from_=sources,
            to=to,
            where={"token": attempt.token},
            changes={"token": "", "finished_at": database_now(), "doing": "", **changes},
            actor=actor,
            reason=reason,
            data={"attempt": attempt.number},
        )


def end_attempt(
    attempt: Attempt, *, to: str, actor: str, reason: str, freed: bool | None = None, **facts: Any
) -> bool:
    """End an open attempt; False if it has ended. ``facts`` are columns to set with the state.

    ``freed`` says whether its node has let go of it. By default a slot is free unless some node has
    accepted the attempt: then it stays taken until the node confirms, or is given up itself.
    """
    holds = attempt.accepted_at is not None if freed is None else not freed
    return move(
        ATTEMPT,
        attempt,
        from_=ATTEMPT_OPEN,
        to=to,
        story=attempt.job_id,
        actor=actor,
        reason=reason,
        changes={"finished_at": database_now(), "holds_slot": holds, **facts},
    )
