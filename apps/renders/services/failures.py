"""What happens after a failure: the class decides (design §6). One row of a table per class."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F

from apps.common.clock import database_now
from apps.renders.models import Attempt, Job
from apps.renders.services.ended import Ended, tell_ended
from apps.renders.services.giveback import Columns, close_job, hand_back
from apps.renders.services.lanes import assign
from apps.renders.states import JobState
from farm.contracts import FailureClass
from farm.tiers import TIERS_GB

MOST_FREE_RETRIES = 20
"""Attempts that cost no budget still end somewhere: a farm that fails twenty times needs a person."""
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Where the job goes. ``counted``: the attempt is taken off the budget; ``free``: it is one of those
    that cost none, which are limited too. ``advice`` is for people.
    """

    to: str
    counted: bool = False
    free: bool = False
    tier_gb: int | None = None
    crash: bool = False
    pause: timedelta = timedelta()
    advice: str = ""


def decide(job: Job, failure_class: str) -> Decision:
    """Decide what a failed attempt means for its job."""
    match failure_class:
        case FailureClass.OUT_OF_MEMORY:
            return _next_tier(job)
        case FailureClass.REJECTED_GRAPH | FailureClass.INPUT_MISSING:
            return Decision(to=JobState.FAILED, counted=True)
        case FailureClass.COMFY_CRASHED | FailureClass.COMFY_HUNG:
            return after_crash(job)
        case FailureClass.INFRASTRUCTURE:
            return _again_free(job)
        case FailureClass.OUTPUT_INVALID if job.failure_class == FailureClass.OUTPUT_INVALID:
            return Decision(to=JobState.FAILED, counted=True, advice="unusable even with empty caches")
        case _:
            return _within_budget(job)


def after_crash(job: Job) -> Decision:
    """A worker or its ComfyUI went down under this job: again elsewhere, but not for ever."""
    if job.crashes + 1 >= settings.CRASHES_TO_QUARANTINE:
        return Decision(
            to=JobState.QUARANTINED, crash=True, advice=f"it has taken {job.crashes + 1} workers down"
        )
    return replace(_again_free(job), crash=True)


def carry_out(
    attempt: Attempt,
    decision: Decision,
    *,
    failure_class: str,
    message: str,
    end: str,
    actor: str,
    where: Columns | None = None,
    facts: Columns | None = None,
    execute_s: float = 0.0,
) -> bool:
    """Do what was decided about a failed or lost attempt; False, and nothing done, if it has moved on."""
    with transaction.atomic():
        done = _carry_out(
            attempt,
            decision,
            failure_class=failure_class,
            message=message,
            end=end,
            actor=actor,
            where=where,
            facts=facts,
        )
        if done:
            tell_ended([Ended(attempt=attempt, failure_class=failure_class, execute_s=execute_s)])
    return done


def _carry_out(
    attempt: Attempt,
    decision: Decision,
    *,
    failure_class: str,
    message: str,
    end: str,
    actor: str,
    where: Columns | None,
    facts: Columns | None,
) -> bool:
    words = f"{message} — {decision.advice}" if decision.advice else message
    failed = {"failure_class": failure_class, "failure_message": message, "counted": decision.counted}
    on_job: Columns = {
        "attempts_used": F("attempts_used") + int(decision.counted),
        "free_retries": F("free_retries") + int(decision.free),
        "crashes": F("crashes") + int(decision.crash),
        "failure_class": failure_class,
        "failure_message": words,
    }
    common: Columns = {
        "actor": actor,
        "reason": words,
        "end": end,
        "where": where,
        "facts": {**(facts or {}), **failed},
    }
    if decision.to != JobState.READY:
        return close_job(attempt, to=decision.to, **common, **on_job)
    if decision.tier_gb:
        on_job |= _in_larger_lane(attempt.job, decision.tier_gb)
    later = database_now() + decision.pause if decision.pause else None
    return hand_back(attempt, freed=True, start_after=later, **common, **on_job)


def _in_larger_lane(job: Job, tier_gb: int) -> Columns:
    """The columns that keep a job off every card below this tier."""
    job.floor_gb = tier_gb
    assign([job])
    return {"tier_gb": tier_gb, "floor_gb": tier_gb, "lane": job.lane}


def _next_tier(job: Job) -> Decision:
    larger = next((tier for tier in TIERS_GB if tier > (job.tier_gb or 0)), None)
    if larger is None:
        return Decision(
            to=JobState.FAILED, advice="there is no larger tier: choose a smaller size or fewer frames"
        )
    return Decision(to=JobState.READY, tier_gb=larger, advice=f"moved up to {larger} GB")


def _again_free(job: Job) -> Decision:
    if job.free_retries + 1 >= MOST_FREE_RETRIES:
        advice = f"gave up after {MOST_FREE_RETRIES} failures of the farm itself"
        return Decision(to=JobState.FAILED, free=True, advice=advice)
    pause = min(FIRST_PAUSE * 2 ** min(job.free_retries, 10), LONGEST_PAUSE)
    return Decision(to=JobState.READY, free=True, pause=pause)


def _within_budget(job: Job) -> Decision:
    if job.attempts_used + 1 >= job.attempt_budget:
        return Decision(
            to=JobState.FAILED, counted=True, advice=f"all {job.attempt_budget} attempts are used up"
        )
    return Decision(to=JobState.READY, counted=True)
