"""What happens after a failure: the class decides (design §6). One row of a table per class."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from apps.renders.models import Job
from apps.renders.states import JobState
from farm.contracts import FailureClass
from farm.tiers import TIERS_GB

MOST_FREE_RETRIES = 20
"""Attempts that cost no budget still end somewhere: a farm that fails twenty times needs a person."""
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=2)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Where the job goes. ``counted``: the attempt is taken off the budget. ``advice`` is for people."""

    to: str
    counted: bool = False
    tier_gb: int | None = None
    crash: bool = False
    pause: timedelta = timedelta()
    advice: str = ""


def decide(job: Job, failure_class: str, *, attempts: int) -> Decision:
    """Decide for a failed attempt of ``job``, which has had ``attempts`` attempts in all."""
    match failure_class:
        case FailureClass.OUT_OF_MEMORY:
            return _next_tier(job)
        case FailureClass.REJECTED_GRAPH | FailureClass.INPUT_MISSING:
            return Decision(to=JobState.FAILED, counted=True)
        case FailureClass.COMFY_CRASHED | FailureClass.COMFY_HUNG:
            return after_crash(job, attempts=attempts)
        case FailureClass.INFRASTRUCTURE:
            return _again_free(attempts)
        case FailureClass.OUTPUT_INVALID if job.failure_class == FailureClass.OUTPUT_INVALID:
            return Decision(to=JobState.FAILED, counted=True, advice="unusable even with empty caches")
        case _:
            return _within_budget(job)


def after_crash(job: Job, *, attempts: int) -> Decision:
    """A worker or its ComfyUI went down under this job: again elsewhere, but not for ever."""
    if job.crashes + 1 >= settings.CRASHES_TO_QUARANTINE:
        return Decision(
            to=JobState.QUARANTINED, crash=True, advice=f"it has taken {job.crashes + 1} workers down"
        )
    again = _again_free(attempts)
    return Decision(to=again.to, crash=True, pause=again.pause, advice=again.advice)


def _next_tier(job: Job) -> Decision:
    larger = next((tier for tier in TIERS_GB if tier > (job.tier_gb or 0)), None)
    if larger is None:
        return Decision(
            to=JobState.FAILED, advice="there is no larger tier: choose a smaller size or fewer frames"
        )
    return Decision(to=JobState.READY, tier_gb=larger, advice=f"moved up to {larger} GB")


def _again_free(attempts: int) -> Decision:
    if attempts >= MOST_FREE_RETRIES:
        return Decision(to=JobState.FAILED, advice=f"gave up after {attempts} attempts")
    pause = min(FIRST_PAUSE * 2 ** min(attempts - 1, 10), LONGEST_PAUSE)
    return Decision(to=JobState.READY, pause=pause)


def _within_budget(job: Job) -> Decision:
    if job.attempts_used + 1 >= job.attempt_budget:
        return Decision(
            to=JobState.FAILED, counted=True, advice=f"all {job.attempt_budget} attempts are used up"
        )
    return Decision(to=JobState.READY, counted=True)
