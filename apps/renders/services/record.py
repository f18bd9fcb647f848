"""Reports come home: checked, written once, whichever road they took (design §5).

Roads: the bell and the result backend, a node's repeated report, the manifest in the artifact store.
Successes are written together (success.py); every other end has its own decision to carry out.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import F

from apps.common.clock import database_now
from apps.common.ids import uuid_in
from apps.common.turns import in_turns
from apps.nodes.services import forget_capabilities
from apps.renders.models import Attempt, FarmClock, Job
from apps.renders.services import bus
from apps.renders.services.failures import carry_out, decide
from apps.renders.services.giveback import end_attempt, hand_back
from apps.renders.services.keys import attempt_key
from apps.renders.services.paid import was_cut_short
from apps.renders.services.proofs import record as record_proof
from apps.renders.services.rules import words_of
from apps.renders.services.success import succeed
from apps.renders.services.told import Told, attempts_of, with_nodes
from apps.renders.states import ATTEMPT_OPEN, AttemptState
from apps.review.services.takes import unusable_files
from farm.contracts import FailureClass, Outcome, RenderReport, printable
from farm.logs import bound

logger = logging.getLogger(__name__)

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


_PROVED = {True: Recorded.DONE, False: Recorded.FORGED, None: Recorded.UNKNOWN}
"""What became of the report of a golden render; None: it is none."""

_NO_NEWS = (Recorded.AGAIN, Recorded.UNKNOWN, Recorded.FORGED)


def record(report: RenderReport) -> Recorded:
    """Write down how an attempt ended. Safe to call any number of times, in any order, by anyone."""
    return record_all([report])[0]


def record_all(reports: Sequence[RenderReport]) -> list[Recorded]:
    """Write down how many attempts ended, each as :func:`record` does, in their order.

    An error says nothing about the other reports: record each again, alone.
    """
    return in_turns(reports, about=lambda report: uuid_in(report.job_id), answer_all=_record_all)


def _record_all(reports: Sequence[RenderReport]) -> list[Recorded]:
    """Record reports of different jobs: each is judged by itself, those with takes are written together."""
    attempts = attempts_of(reports)
    checked = [_check(report, attempts.get(uuid_in(report.attempt_id))) for report in reports]
    told = with_nodes({index: one for index, one in enumerate(checked) if isinstance(one, Told)})
    ends = {index: _judge(one) for index, one in told.items()}
    won = succeed([told[index] for index, end in ends.items() if end is None])
    recorded = [
        one if isinstance(one, Recorded) else ends[index] or _take_of(told[index], won)
        for index, one in enumerate(checked)
    ]
    _count(recorded)
    if any(one in (Recorded.DONE, Recorded.STALE) for one in recorded):
        bus.poke()
    for report, end in zip(reports, recorded, strict=True):
        if end in _NO_NEWS:
            continue
        with _bound(report, attempts.get(uuid_in(report.attempt_id))):
            logger.info("report recorded", extra={"outcome": str(report.outcome), "recorded": str(end)})
    return recorded


def _bound(report: RenderReport, attempt: Attempt | None) -> AbstractContextManager[None]:
    """Write what this report is about into the lines logged inside."""
    return bound(
        attempt=report.attempt_id,
        node=report.node,
        job=attempt and attempt.job_id,
        code=attempt and attempt.job.code,
    )


def _count(recorded: Sequence[Recorded]) -> None:
    """Count what should not come, for the operator's page."""
    stale, forged = recorded.count(Recorded.STALE), recorded.count(Recorded.FORGED)
    if stale or forged:
        FarmClock.objects.filter(pk=1).update(
            stale_reports=F("stale_reports") + stale, forged_reports=F("forged_reports") + forged
        )


def _check(report: RenderReport, attempt: Attempt | None) -> Told | Recorded:
    """Believe nothing that is not signed with the attempt's key, and write nothing twice."""
    if attempt is None:
        return _PROVED[record_proof(report)]
    # Reports take turns by the job they name: it must be the attempt's own.
    named_right = (report.token, uuid_in(report.job_id)) == (attempt.token, attempt.job_id)
    if not named_right or not report.is_signed_with(attempt_key(attempt.pk)):
        with _bound(report, attempt):
            logger.warning("forged report refused")
        return Recorded.FORGED
    if attempt.report:
        return Recorded.AGAIN
    return Told(printable(RenderReport, report), attempt)


def _judge(told: Told) -> Recorded | None:
    """Write down an end without a take; None for a success whose files are in the store."""
    report = told.report
    with _bound(report, told.attempt):
        if report.outcome == Outcome.SUCCEEDED:
            unusable = unusable_files(told.attempt.job.project.code, told.attempt.pk, report.artifacts)
            return _without_files(told, unusable) if unusable else None
        if _had_by_another(told):
            return Recorded.STALE  # nothing is written: the word of the node that has it is still to come
        return _failed(told) if report.outcome == Outcome.FAILED else _not_rendered(told)


def _had_by_another(told: Told) -> bool:
    """The order came twice, and this node is the one that was refused."""
    attempt = told.attempt
    return (
        attempt.accepted_at is not None and attempt.node is not None and attempt.node.name != told.report.node
    )


def _take_of(told: Told, won: Collection[UUID]) -> Recorded:
    """Whether this success made its job's take; if not, it is kept as one that came too late."""
    job = told.attempt.job
    if job.pk in won:
        return Recorded.DONE
    return _close(told, to=AttemptState.SUPERSEDED, reason=f"the job is {_state(job)}")


def _without_files(told: Told, unusable: list[str]) -> Recorded:
    """Shared folders show new files late, so the node is asked again for a while; then it is a failure."""
    attempt = told.attempt
    names = ", ".join(unusable[:5])
    logger.error("success without files", extra={"unusable": names})
    waited = attempt.finished_at and database_now() - attempt.finished_at > STORE_PATIENCE
    if attempt.state not in ATTEMPT_OPEN or waited:
        message = (
            f"{told.report.node} says it stored {names}, but this farm's artifact store has no such usable "
            "file; check that SHOTFARM_ARTIFACTS names the same store on both sides"
        )
        return _fail(told, FailureClass.INFRASTRUCTURE, message)
    if attempt.finished_at is None:
        Attempt.objects.filter(pk=attempt.pk).update(finished_at=database_now())
    return Recorded.UNSTORED


def _failed(told: Told) -> Recorded:
    failure = told.report.failure
    name = failure.failure_class if failure else FailureClass.UNKNOWN
    if name == FailureClass.MISSING_MODEL and told.attempt.node is not None:
        forget_capabilities(told.attempt.node)
    return _fail(told, name, failure.message if failure else told.report.reason)


def _fail(told: Told, name: FailureClass, message: str) -> Recorded:
    attempt, failure = told.attempt, told.report.failure
    # A prompt that only waited in a ComfyUI that went down has not taken it down.
    bystander = name == FailureClass.COMFY_CRASHED and attempt.executing_at is None
    done = carry_out(
        attempt,
        decide(
            attempt.job,
            FailureClass.INFRASTRUCTURE if bystander else name,
            words=words_of(failure) if failure else message,
            on=attempt,
        ),
        failure_class=name,
        message=message,
        end=AttemptState.FAILED,
        actor=told.report.node,
        facts=told.facts,
        execute_s=told.execute_s,
        peak_mib=told.peak_mib,
    )
    return Recorded.DONE if done else _close(told, to=AttemptState.FAILED, reason=message)


def _not_rendered(told: Told) -> Recorded:
    """The node cancelled or dropped it: if the job still wants it, it becomes ready again."""
    report = told.report
    if report.outcome == Outcome.CANCELLED and was_cut_short(told.attempt, report):
        return _fail(told, FailureClass.INTERRUPTED, report.reason)
    end = AttemptState.CANCELLED if report.outcome == Outcome.CANCELLED else AttemptState.SUPERSEDED
    if not hand_back(
        told.attempt, actor=report.node, reason=report.reason, end=end, freed=True, facts=told.facts
    ):
        _close(told, to=end, reason=report.reason)
    return Recorded.DONE


def _close(told: Told, *, to: str, reason: str) -> Recorded:
    """Keep the report of an attempt that its job does not wait for any more, and free its slot."""
    attempt = told.attempt
    with transaction.atomic():
        if Attempt.objects.exclude(report={}).filter(pk=attempt.pk).exists():
            return Recorded.AGAIN  # the same report, by two roads at once
        end_attempt(attempt, to=to, actor=told.report.node, reason=reason)
        Attempt.objects.filter(pk=attempt.pk).update(holds_slot=False, **told.facts)
    return Recorded.STALE


def _state(job: Job) -> str:
    return str(Job.objects.values_list("state", flat=True).get(pk=job.pk))
