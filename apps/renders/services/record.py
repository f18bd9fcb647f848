"""A report comes home: checked, written once, whichever road it took (design §5).

Roads: the bell and the result backend, a node's repeated report, the manifest in the artifact store.
"""

from __future__ import annotations

import logging
from enum import StrEnum
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.common.clock import database_now
from apps.common.machines import move
from apps.nodes.models import Node
from apps.nodes.services import forget_capabilities
from apps.productions.rendering import shot_has_take
from apps.renders.models import Attempt, FarmClock, Job
from apps.renders.services import bus
from apps.renders.services.dependents import release_dependents
from apps.renders.services.failures import Decision, decide
from apps.renders.services.giveback import Columns, end_attempt, fail_for_good, hand_back
from apps.renders.services.keys import attempt_key
from apps.renders.states import (
    ATTEMPT,
    ATTEMPT_OPEN,
    IN_FLIGHT,
    JOB,
    LATE,
    WITHOUT_TAKE,
    AttemptState,
    JobState,
)
from apps.review.services.queueing import request_media
from apps.review.services.takes import NewTake, create_take, missing_files
from farm.contracts import FailureClass, Outcome, RenderReport, to_json

logger = logging.getLogger(__name__)


class Recorded(StrEnum):
    """What became of a report. All but FORGED and UNSTORED are confirmed to the node."""

    DONE = "done"
    AGAIN = "again"  # written before
    STALE = "stale"  # another attempt has the job; counted and shown
    UNKNOWN = "unknown"  # no such attempt here
    FORGED = "forged"  # not signed with the attempt's key
    UNSTORED = "unstored"  # success without its files in the store

    @property
    def confirmed(self) -> bool:
        """Whether the node may forget this report."""
        return self not in (Recorded.FORGED, Recorded.UNSTORED)


def record(report: RenderReport) -> Recorded:
    """Write down how an attempt ended. Safe to call any number of times, in any order, by anyone."""
    attempt = _attempt(report.attempt_id)
    if attempt is None:
        return Recorded.UNKNOWN
    if not report.is_signed_with(attempt_key(attempt.pk)) or report.token != attempt.token:
        FarmClock.objects.filter(pk=1).update(forged_reports=F("forged_reports") + 1)
        logger.warning("forged report refused", extra={"attempt": report.attempt_id, "node": report.node})
        return Recorded.FORGED
    if attempt.report:
        return Recorded.AGAIN
    facts = _facts(report)
    if report.outcome == Outcome.SUCCEEDED:
        recorded = _succeeded(attempt, report, facts)
    elif report.outcome == Outcome.FAILED:
        recorded = _failed(attempt, report, facts)
    else:
        recorded = _not_rendered(attempt, report, facts)
    if recorded is Recorded.STALE:
        FarmClock.objects.filter(pk=1).update(stale_reports=F("stale_reports") + 1)
    bus.poke()
    logger.info(
        "report recorded",
        extra={
            "job": attempt.job.code,
            "attempt": str(attempt.pk),
            "node": report.node,
            "outcome": str(report.outcome),
            "recorded": str(recorded),
        },
    )
    return recorded


def _succeeded(attempt: Attempt, report: RenderReport, facts: Columns) -> Recorded:
    missing = missing_files(attempt.job.project.code, attempt.pk, report.artifacts)
    if missing:
        logger.error("success without files", extra={"attempt": str(attempt.pk), "missing": missing[:5]})
        return Recorded.UNSTORED
    job = attempt.job
    with transaction.atomic():
        won = move(
            JOB,
            job,
            from_=WITHOUT_TAKE,
            to=JobState.SUCCEEDED,
            changes={
                "token": "",
                "progress": 1.0,
                "doing": "",
                "finished_at": database_now(),
                "failure_class": "",
                "failure_message": "",
                "wait_code": "",
                "wait_params": {},
            },
            actor=report.node,
            reason="rendered" if job.token == attempt.token else "late success of an earlier attempt",
            data={"attempt": attempt.number, "seconds": report.timings.execute_s},
        )
        if not won:
            if Attempt.objects.filter(pk=attempt.pk, state=AttemptState.SUCCEEDED).exists():
                return Recorded.AGAIN  # the same report, by two roads at once
            # Cancelled, or another attempt was first: the files stay, no take is made (invariants 2, 4).
            _close(attempt, report, facts, to=AttemptState.SUPERSEDED, reason=f"the job is {_state(job)}")
            return Recorded.STALE
        move(
            ATTEMPT,
            attempt,
            from_=(*ATTEMPT_OPEN, *LATE),
            to=AttemptState.SUCCEEDED,
            story=job.pk,
            actor=report.node,
            changes={"finished_at": database_now()},
        )
        Attempt.objects.filter(pk=attempt.pk).update(holds_slot=False, **facts)
        take = create_take(_new_take(job, attempt, report))
        shot_has_take(job.shot, actor=report.node)
        release_dependents(job, actor=report.node)
        transaction.on_commit(partial(request_media, take.pk))
    _call_off_others(attempt)
    return Recorded.DONE


def _failed(attempt: Attempt, report: RenderReport, facts: Columns) -> Recorded:
    failure = report.failure
    job = attempt.job
    name = failure.failure_class if failure else FailureClass.UNKNOWN
    message = failure.message if failure else report.reason
    decision = decide(job, name, attempts=attempt.number)
    if name == FailureClass.MISSING_MODEL and attempt.node is not None:
        forget_capabilities(attempt.node)
    if job.token != attempt.token or job.state not in IN_FLIGHT:
        _close(attempt, report, facts, to=AttemptState.FAILED, reason=message)
        return Recorded.STALE
    applied = apply(
        attempt,
        decision,
        failure_class=name,
        message=message,
        end=AttemptState.FAILED,
        actor=report.node,
        facts=facts,
    )
    return Recorded.DONE if applied else Recorded.STALE


def _not_rendered(attempt: Attempt, report: RenderReport, facts: Columns) -> Recorded:
    """The node cancelled or dropped it: if the job still wants it, it becomes ready again."""
    end = AttemptState.CANCELLED if report.outcome == Outcome.CANCELLED else AttemptState.SUPERSEDED
    job = attempt.job
    if attempt.state in ATTEMPT_OPEN and job.token == attempt.token:
        given_back = hand_back(
            attempt, actor=report.node, reason=report.reason, end=end, freed=True, facts=facts
        )
        if given_back:
            return Recorded.DONE
    _close(attempt, report, facts, to=end, reason=report.reason)
    return Recorded.DONE


def apply(
    attempt: Attempt,
    decision: Decision,
    *,
    failure_class: str,
    message: str,
    end: str,
    actor: str,
    facts: Columns | None = None,
) -> bool:
    """Carry out a decision about a failed or lost attempt; False if its token is stale."""
    words = f"{message} — {decision.advice}" if decision.advice else message
    facts = {
        **(facts or {}),
        "failure_class": failure_class,
        "failure_message": message,
        "counted": decision.counted,
    }
    counts = {
        "attempts_used": F("attempts_used") + int(decision.counted),
        "crashes": F("crashes") + int(decision.crash),
        "failure_class": failure_class,
        "failure_message": words,
    }
    if decision.to == JobState.READY:
        return hand_back(
            attempt,
            actor=actor,
            reason=words,
            end=end,
            freed=True,
            start_after=database_now() + decision.pause if decision.pause else None,
            facts=facts,
            **counts,
            **({"tier_gb": decision.tier_gb} if decision.tier_gb else {}),
        )
    return fail_for_good(attempt, to=decision.to, actor=actor, reason=words, end=end, facts=facts, **counts)


def _close(attempt: Attempt, report: RenderReport, facts: Columns, *, to: str, reason: str) -> None:
    """Write an ended attempt's report and free its slot; if it is still open, end it too."""
    end_attempt(attempt, to=to, actor=report.node, reason=reason)
    Attempt.objects.filter(pk=attempt.pk).update(holds_slot=False, **facts)


def _call_off_others(winner: Attempt) -> None:
    """A late success won: the newer attempt is not needed any more."""
    others = Attempt.objects.select_related("node", "job").filter(job=winner.job_id, state__in=ATTEMPT_OPEN)
    for attempt in others.exclude(pk=winner.pk):
        if end_attempt(
            attempt,
            to=AttemptState.SUPERSEDED,
            actor="record",
            reason=f"attempt {winner.number} succeeded late",
            freed=attempt.accepted_at is None,
        ):
            bus.send_cancel(attempt)


def _new_take(job: Job, attempt: Attempt, report: RenderReport) -> NewTake:
    return NewTake(
        shot=job.shot,
        job_id=job.pk,
        attempt_id=attempt.pk,
        kind=job.kind,
        number=job.take_number,
        template=str(job.template_version),
        prompt_build=job.prompt_build,
        seed=job.seed,
        node=report.node,
        simulated=report.simulated,
        render_seconds=report.timings.execute_s,
        artifacts=report.artifacts,
    )


def _facts(report: RenderReport) -> Columns:
    """What the attempt keeps of its report: all of it, and what lists show in columns."""
    failure = report.failure
    facts: Columns = {"report": to_json(report), "prompt_id": report.prompt_id}
    if failure:
        facts |= {"failure_class": failure.failure_class, "failure_message": failure.message}
    node = Node.objects.filter(name=report.node).only("pk").first()
    return facts | ({"node": node} if node else {})


def _attempt(attempt_id: str) -> Attempt | None:
    try:
        key = UUID(attempt_id)
    except ValueError:
        return None
    attempts = Attempt.objects.select_related(
        "job__project", "job__shot__sequence", "job__template_version__template", "job__prompt_build", "node"
    )
    return attempts.filter(pk=key).first()


def _state(job: Job) -> str:
    return str(Job.objects.values_list("state", flat=True).get(pk=job.pk))
