"""Successes are written down: job, attempt, take, shot, and whoever waited for them (design §4, §5).

Many at once in one transaction, in a number of statements that does not grow with theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

from django.db import transaction

from apps.common.clock import database_now
from apps.common.machines import Move, events_together, move_each
from apps.productions.rendering import shots_have_takes
from apps.renders.models import Attempt
from apps.renders.services import bus
from apps.renders.services.dependents import release_dependents
from apps.renders.services.giveback import end_attempt
from apps.renders.services.lessons import tell_ended
from apps.renders.services.parents import write_parents
from apps.renders.services.told import Told
from apps.renders.states import ATTEMPT, ATTEMPT_OPEN, JOB, LATE, WITHOUT_TAKE, AttemptState, JobState
from apps.review.services.queueing import request_media
from apps.review.services.takes import NewTake, create_takes


def succeed(told: Sequence[Told]) -> set[UUID]:
    """Make the takes of attempts of different jobs; return the jobs that got theirs by this.

    The others were cancelled, or another attempt was first: files stay, no take is made (invariants 2, 4).
    """
    if not told:
        return set()
    now = database_now()
    with transaction.atomic(), events_together():
        won = _move_jobs(told, now)
        winners = [one for one in told if one.attempt.job_id in won]
        if winners:
            _move_attempts(winners, now)
            takes = create_takes([_new_take(one) for one in winners])
            write_parents(takes)
            shots_have_takes(
                [
                    (one.attempt.job.shot, one.report.node, take.stage, take.pk)
                    for one, take in zip(winners, takes, strict=True)
                ]
            )
            release_dependents([(one.attempt.job, one.report.node) for one in winners])
            called_off = _call_off_others([one.attempt for one in winners])
            tell_ended([one.ended() for one in winners])
            transaction.on_commit(partial(_after_success, [take.pk for take in takes], called_off))
    return won


def _move_jobs(told: Sequence[Told], now: datetime) -> set[UUID]:
    return move_each(
        JOB,
        [
            Move(
                row=one.attempt.job,
                changes={
                    "token": "",
                    "progress": 1.0,
                    "doing": "",
                    "finished_at": now,
                    "failure_class": "",
                    "failure_message": "",
                    "wait_code": "",
                    "wait_params": {},
                },
                actor=one.report.node,
                reason="rendered" if one.is_current else "late success of an earlier attempt",
                data={"attempt": one.attempt.number, "seconds": one.report.timings.execute_s},
            )
            for one in told
        ],
        from_=WITHOUT_TAKE,
        to=JobState.SUCCEEDED,
    )


def _move_attempts(winners: Sequence[Told], now: datetime) -> None:
    move_each(
        ATTEMPT,
        [
            Move(
                row=one.attempt,
                story=one.attempt.job_id,
                actor=one.report.node,
                changes={"finished_at": now, "holds_slot": False, **one.facts},
            )
            for one in winners
        ],
        from_=(*ATTEMPT_OPEN, *LATE),
        to=AttemptState.SUCCEEDED,
    )


def _call_off_others(winners: Sequence[Attempt]) -> list[Attempt]:
    """A late success won: newer attempts are not needed any more."""
    numbers = {winner.job_id: winner.number for winner in winners}
    others = Attempt.objects.filter(job__in=numbers, state__in=ATTEMPT_OPEN).select_related("node")
    return [
        attempt
        for attempt in others.exclude(pk__in=[winner.pk for winner in winners]).only("job_id", "node__worker")
        if end_attempt(
            attempt,
            to=AttemptState.SUPERSEDED,
            actor="record",
            reason=f"attempt {numbers[attempt.job_id]} succeeded late",
        )
    ]


def _after_success(takes: Sequence[UUID], called_off: Sequence[Attempt]) -> None:
    for take_id in takes:
        request_media(take_id)
    for attempt in called_off:
        bus.send_cancel(attempt)


def _new_take(one: Told) -> NewTake:
    job = one.attempt.job
    return NewTake(
        project_code=job.project.code,
        shot=job.shot,
        job_id=job.pk,
        attempt_id=one.attempt.pk,
        kind=job.kind,
        stage=job.stage,
        number=job.take_number,
        template=str(job.template_version),
        prompt_build_id=job.prompt_build_id,
        seed=job.seed,
        length=job.length,
        node=one.report.node,
        simulated=one.report.simulated,
        render_seconds=one.report.timings.execute_s,
        artifacts=one.report.artifacts,
    )
