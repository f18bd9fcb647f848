"""Chosen jobs become attempts, in one transaction; their orders are published after it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Max

from apps.common.clock import database_now
from apps.common.machines import Move, events_together, move_each, record_event
from apps.renders.models import Attempt, Job
from apps.renders.scheduling.match import Pick
from apps.renders.services import bus
from apps.renders.services.failures import carry_out, decide
from apps.renders.services.giveback import hand_back
from apps.renders.services.limits import within_limits
from apps.renders.services.orders import Unorderable, order_for
from apps.renders.states import ATTEMPT, JOB, AttemptState, JobState
from farm.contracts import FailureClass, RenderOrder
from farm.logs import bound

logger = logging.getLogger(__name__)

ACTOR = "dispatcher"
BROKER_PAUSE = timedelta(seconds=2)


def send(picks: Sequence[Pick]) -> int:
    """Make an attempt of each pick and publish its order; return how many were sent.

    What somebody else moved meanwhile is left out. An order that cannot be made ends its attempt, and the
    others are sent all the same; with the first that the broker does not take, the rest is taken back.
    """
    sent, taken = 0, True
    for attempt in _attempts(picks):
        job = attempt.job
        with bound(job=job.pk, code=job.code, attempt=attempt.pk):
            order = _order(attempt) if taken else None
            if order is not None:
                taken = bus.publish(order, queue=attempt.queue)
                sent += taken
            if not taken:
                _take_back(attempt)
            elif order is not None:
                logger.info("order sent", extra={"queue": attempt.queue, "number": attempt.number})
    return sent


def _attempts(picks: Sequence[Pick]) -> list[Attempt]:
    """Move the jobs to DISPATCHED under new tokens and write their attempts, in one transaction."""
    if not picks:
        return []
    with transaction.atomic(), events_together():
        if any(pick.limited for pick in picks):
            picks = within_limits(picks)
        of_job = {pick.head.job_id: pick for pick in picks}
        jobs = _jobs(of_job)
        tokens = {job.pk: str(uuid4()) for job in jobs}
        moved = move_each(
            JOB,
            [
                Move(
                    row=job,
                    actor=ACTOR,
                    # Whoever steers a job moves it to another lane or lets it rest: so it was not chosen.
                    where={
                        "held": False,
                        "start_after": None,
                        "lane_id": of_job[job.pk].waiting.lane.pk,
                    },
                    data={"queue": of_job[job.pk].road.queue},
                    changes={
                        "token": tokens[job.pk],
                        "tier_gb": of_job[job.pk].tier_gb,
                        "wait_code": "",
                        "wait_params": {},
                    },
                )
                for job in jobs
            ],
            from_=(JobState.READY,),
            to=JobState.DISPATCHED,
        )
        jobs = [job for job in jobs if job.pk in moved]
        return _write(jobs, of_job, tokens)


def _write(jobs: Sequence[Job], of_job: dict[UUID, Pick], tokens: dict[UUID, str]) -> list[Attempt]:
    earlier = Attempt.objects.filter(job__in=jobs).order_by().values("job_id").annotate(last=Max("number"))
    numbers = {row["job_id"]: row["last"] for row in earlier}
    accept_by = database_now() + timedelta(seconds=settings.ACCEPT_SECONDS)
    attempts = []
    for job in jobs:
        pick = of_job[job.pk]
        job.token, job.state, job.tier_gb = tokens[job.pk], JobState.DISPATCHED, pick.tier_gb
        attempts.append(
            Attempt(
                job=job,
                number=numbers.get(job.pk, 0) + 1,
                state=AttemptState.DISPATCHED,
                token=tokens[job.pk],
                queue=pick.road.queue,
                tier_gb=pick.tier_gb,
                node_id=pick.road.node_id,
                accept_by=accept_by,
                warm=pick.warm,
                explores=pick.explores,
            )
        )
    Attempt.objects.bulk_create(attempts)
    for attempt in attempts:
        record_event(
            ATTEMPT,
            attempt.pk,
            to=AttemptState.DISPATCHED,
            story=attempt.job_id,
            actor=ACTOR,
            data={"number": attempt.number, "queue": attempt.queue},
        )
    return attempts


def _jobs(of_job: dict[UUID, Pick]) -> list[Job]:
    """The picked jobs with all an order is made of, in the order they were picked."""
    rows = (
        Job.objects.select_related(
            "template_version__template", "shot__sequence", "shot__project", "prompt_build", "project"
        )
        .defer("template_version__graph", "template_version__manifest")  # parsed once per process
        .in_bulk(list(of_job))
    )
    return [rows[key] for key in of_job if key in rows]


def _order(attempt: Attempt) -> RenderOrder | None:
    """Build the order of an attempt; None, and the attempt is over, if that cannot be done."""
    try:
        return order_for(attempt)
    except Unorderable as exc:
        logger.warning("job cannot be ordered", extra={"why": str(exc)})
        _unordered(attempt, exc.failure_class, str(exc))
    except OSError as exc:
        # A full or vanished store is the farm's own fault: again later, and on with the other jobs.
        logger.exception("order not built")
        _unordered(attempt, FailureClass.INFRASTRUCTURE, f"the artifact store cannot be used: {exc}")
    except DatabaseError:
        raise  # nobody's order can be built
    except Exception as exc:  # the outermost edge of one order: the others are sent all the same
        logger.exception("order not built")
        told = f"its order cannot be built: {type(exc).__name__}: {exc}"
        _unordered(attempt, FailureClass.UNKNOWN, told)
    return None


def _take_back(attempt: Attempt) -> None:
    """The broker takes no orders. The job rests a moment: it would be chosen again at once, and again."""
    later = database_now() + BROKER_PAUSE
    hand_back(attempt, actor=ACTOR, reason="the broker cannot be reached", start_after=later)


def _unordered(attempt: Attempt, failure_class: FailureClass, message: str) -> None:
    decision = decide(attempt.job, failure_class, on=attempt)
    carry_out(
        attempt,
        decision,
        failure_class=failure_class,
        message=message,
        end=AttemptState.FAILED,
        actor=ACTOR,
    )
