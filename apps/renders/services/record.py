"""A report comes home: checked, written once, whichever road it took (design §5).

Roads: the bell and the result backend, a node's repeated report, the manifest in the artifact store.
"""

from __future__ import annotations

import logging
from datetime import timedelta
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
from apps.renders.services.ended import Ended, tell_ended
from apps.renders.services.failures import carry_out, decide
from apps.renders.services.giveback import Columns, end_attempt, hand_back
from apps.renders.services.keys import attempt_key
from apps.renders.states import (
    ATTEMPT,
    ATTEMPT_OPEN,
    JOB,
    LATE,
    WITHOUT_TAKE,
    AttemptState,
    JobState,
)
from apps.review.services.queueing import request_media
from apps.review.services.takes import NewTake, create_take, unusable_files
from farm.contracts import FailureClass, Outcome, RenderReport, printable, to_json
from farm.logs import bound

logger = logging.getLogger(__name__)

MOST_LINES = 300
"""Log lines kept of one report. A node sends fewer."""
LATEST = 4e9
"""Seconds since 1970: the year 2096. What a node says of a later time has none."""

LONGEST_RENDER_S = 7 * 24 * 3600.0
"""A node that says more has a broken clock."""

STORE_PATIENCE = timedelta(seconds=20)
"""How long a reported file may take to appear in the store (NFS shows new files late)."""


class Recorded(StrEnum):
    """What became of a report. All but FORGED and UNSTORED are confirmed to the node."""

    DONE = "done"
    AGAIN = "again"  # written before
    STALE = "stale"  # another attempt has the job, or another node the attempt; counted and shown
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
    with bound(job=attempt.job_id, attempt=attempt.pk, node=report.node, code=attempt.job.code):
        return _record(attempt, report)


def _record(attempt: Attempt, report: RenderReport) -> Recorded:
    if not report.is_signed_with(attempt_key(attempt.pk)) or report.token != attempt.token:
        FarmClock.objects.filter(pk=1).update(forged_reports=F("forged_reports") + 1)
        logger.warning("forged report refused")
        return Recorded.FORGED
    if attempt.report:
        return Recorded.AGAIN
    report = printable(RenderReport, report)
    if report.outcome == Outcome.SUCCEEDED:
        recorded = _succeeded(attempt, report)
    elif _had_by_another(attempt, report.node):
        recorded = Recorded.STALE  # nothing is written: the word of the node that has it is still to come
    elif report.outcome == Outcome.FAILED:
        recorded = _failed(attempt, report)
    else:
        recorded = _not_rendered(attempt, report)
    if recorded is Recorded.STALE:
        FarmClock.objects.filter(pk=1).update(stale_reports=F("stale_reports") + 1)
    if recorded.confirmed:
        bus.poke()
    logger.info("report recorded", extra={"outcome": str(report.outcome), "recorded": str(recorded)})
    return recorded


def _had_by_another(attempt: Attempt, node: str) -> bool:
    """The order came twice, and this node is the one that was refused."""
    return attempt.accepted_at is not None and attempt.node is not None and attempt.node.name != node


def _succeeded(attempt: Attempt, report: RenderReport) -> Recorded:
    unusable = unusable_files(attempt.job.project.code, attempt.pk, report.artifacts)
    if unusable:
        return _without_files(attempt, report, unusable)
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
            # Cancelled, or another attempt was first: the files stay, no take is made (invariants 2, 4).
            return _close(attempt, report, to=AttemptState.SUPERSEDED, reason=f"the job is {_state(job)}")
        move(
            ATTEMPT,
            attempt,
            from_=(*ATTEMPT_OPEN, *LATE),
            to=AttemptState.SUCCEEDED,
            story=job.pk,
            actor=report.node,
            changes={"finished_at": database_now(), "holds_slot": False, **_facts(report)},
        )
        take = create_take(_new_take(job, attempt, report))
        shot_has_take(job.shot, actor=report.node)
        release_dependents(job, actor=report.node)
        called_off = _call_off_others(attempt)
        tell_ended([Ended(attempt=attempt, execute_s=_seconds(report))])
        transaction.on_commit(partial(_after_success, take.pk, called_off))
    return Recorded.DONE


def _without_files(attempt: Attempt, report: RenderReport, unusable: list[str]) -> Recorded:
    """Shared folders show new files late, so the node is asked again for a while; then it is a failure."""
    names = ", ".join(unusable[:5])
    logger.error("success without files", extra={"unusable": names})
    waited = attempt.finished_at and database_now() - attempt.finished_at > STORE_PATIENCE
    if attempt.state not in ATTEMPT_OPEN or waited:
        message = (
            f"{report.node} says it stored {names}, but this farm's artifact store has no such usable file; "
            "check that SHOTFARM_ARTIFACTS names the same store on both sides"
        )
        return _fail(attempt, report, FailureClass.INFRASTRUCTURE, message)
    if attempt.finished_at is None:
        Attempt.objects.filter(pk=attempt.pk).update(finished_at=database_now())
    return Recorded.UNSTORED


def _failed(attempt: Attempt, report: RenderReport) -> Recorded:
    failure = report.failure
    name = failure.failure_class if failure else FailureClass.UNKNOWN
    if name == FailureClass.MISSING_MODEL and attempt.node is not None:
        forget_capabilities(attempt.node)
    return _fail(attempt, report, name, failure.message if failure else report.reason)


def _fail(attempt: Attempt, report: RenderReport, name: FailureClass, message: str) -> Recorded:
    # A prompt that only waited in a ComfyUI that went down has not taken it down.
    bystander = name == FailureClass.COMFY_CRASHED and attempt.executing_at is None
    done = carry_out(
        attempt,
        decide(attempt.job, FailureClass.INFRASTRUCTURE if bystander else name),
        failure_class=name,
        message=message,
        end=AttemptState.FAILED,
        actor=report.node,
        facts=_facts(report),
        execute_s=_seconds(report),
    )
    if done:
        return Recorded.DONE
    return _close(attempt, report, to=AttemptState.FAILED, reason=message)


def _not_rendered(attempt: Attempt, report: RenderReport) -> Recorded:
    """The node cancelled or dropped it: if the job still wants it, it becomes ready again."""
    end = AttemptState.CANCELLED if report.outcome == Outcome.CANCELLED else AttemptState.SUPERSEDED
    if not hand_back(
        attempt, actor=report.node, reason=report.reason, end=end, freed=True, facts=_facts(report)
    ):
        _close(attempt, report, to=end, reason=report.reason)
    return Recorded.DONE


def _close(attempt: Attempt, report: RenderReport, *, to: str, reason: str) -> Recorded:
    """Keep the report of an attempt that its job does not wait for any more, and free its slot."""
    if Attempt.objects.exclude(report={}).filter(pk=attempt.pk).exists():
        return Recorded.AGAIN  # the same report, by two roads at once
    end_attempt(attempt, to=to, actor=report.node, reason=reason)
    Attempt.objects.filter(pk=attempt.pk).update(holds_slot=False, **_facts(report))
    return Recorded.STALE


def _call_off_others(winner: Attempt) -> list[Attempt]:
    """A late success won: newer attempts are not needed any more."""
    others = Attempt.objects.select_related("node", "job").filter(job=winner.job_id, state__in=ATTEMPT_OPEN)
    reason = f"attempt {winner.number} succeeded late"
    return [
        attempt
        for attempt in others.exclude(pk=winner.pk)
        if end_attempt(attempt, to=AttemptState.SUPERSEDED, actor="record", reason=reason)
    ]


def _after_success(take_id: UUID, called_off: list[Attempt]) -> None:
    request_media(take_id)
    for attempt in called_off:
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


def _seconds(report: RenderReport) -> float:
    """Seconds on the GPU; what cannot be a duration counts nothing."""
    told = report.timings.execute_s
    return told if 0 < told < LONGEST_RENDER_S else 0.0


def _facts(report: RenderReport) -> Columns:
    """What the attempt keeps of its report: all of it, and what lists show in columns."""
    failure = report.failure
    told = to_json(report)
    lines = [line for line in told.pop("log") if 0 <= line["at"] < LATEST]  # NaN is no JSON, nor a time
    facts: Columns = {"log": lines[-MOST_LINES:], "report": told, "prompt_id": report.prompt_id}
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
