"""What happens after a failure: the first rule that fits decides (design §6, ADR 0028).

Rules choose an action; what an action means for budgets, tiers and nodes stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from apps.common.clock import database_now
from apps.renders.models import LONGEST_AVOIDS, Action, Attempt, Job
from apps.renders.services.ended import Ended
from apps.renders.services.giveback import Columns, close_job, hand_back
from apps.renders.services.ladder import Step, climb
from apps.renders.services.lanes import assign
from apps.renders.services.lessons import tell_ended
from apps.renders.services.paid import once
from apps.renders.services.rules import Rule, count_match, current
from apps.renders.states import JobState
from farm.contracts import FailureClass

MOST_FREE_RETRIES = 20
"""Attempts that cost no budget still end somewhere: a farm that fails twenty times needs a person."""
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=2)

TAKES_WORKERS_DOWN: Final = (FailureClass.COMFY_CRASHED, FailureClass.COMFY_HUNG)
"""Classes that count as a crash, whatever the rule: three of them and the job is quarantined."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Where the job goes. ``counted``: the attempt is taken off the budget; ``free``: it is one of those
    that cost none, which are limited too. ``avoids``: it is not given to this node again. ``advice`` is for
    people. ``failure_class``: what a rule made of it; "": as it was reported.
    """

    to: str
    counted: bool = False
    free: bool = False
    tier_gb: int | None = None
    crash: bool = False
    avoids: bool = False
    pause: timedelta = timedelta()
    advice: str = ""
    failure_class: str = ""
    rule: Rule | None = None


def decide(job: Job, failure_class: str, *, words: str = "", on: Attempt | None = None) -> Decision:
    """Decide what a failed attempt means for its job.

    ``failure_class`` as its node reported it, ``words`` as rules.words_of() puts them, ``on`` the attempt.
    """
    return by_rule(current().winner_for(job, failure_class, words), job, failure_class, on=on)


def by_rule(rule: Rule, job: Job, failure_class: str, *, on: Attempt | None = None) -> Decision:
    """Decide as this rule says."""
    found = rule.failure_class or failure_class
    decision = _act(rule, job, found, on)
    if found in TAKES_WORKERS_DOWN and _was_had(on):
        decision = _count_crash(job, decision)
    return replace(
        decision,
        advice=" — ".join(told for told in (rule.advice, decision.advice) if told),
        failure_class=rule.failure_class,
        rule=rule,
    )


def after_crash(job: Job) -> Decision:
    """A worker or its ComfyUI went down under this job: again elsewhere, but not for ever."""
    return _count_crash(job, _again_free(job))


def _act(rule: Rule, job: Job, found: str, on: Attempt | None) -> Decision:
    match rule.action:
        case Action.NEXT_TIER:
            return _in_ladder(climb(job, on))
        case Action.FAIL:
            return Decision(to=JobState.FAILED, counted=True)
        case Action.QUARANTINE:
            return _quarantine(on)
        case Action.RETRY_FREE | Action.OTHER_NODE:
            return replace(_again_free(job), avoids=rule.action == Action.OTHER_NODE)
        case Action.ONCE if job.failure_class == found:
            return Decision(to=JobState.FAILED, counted=True, advice="unusable even with empty caches")
        case _:
            return _within_budget(job)


def _count_crash(job: Job, decision: Decision) -> Decision:
    tries_again = decision.to == JobState.READY or decision.free
    if tries_again and job.crashes + 1 >= settings.CRASHES_TO_QUARANTINE:
        return Decision(
            to=JobState.QUARANTINED, crash=True, advice=f"it has taken {job.crashes + 1} workers down"
        )
    return replace(decision, crash=True)


def _quarantine(on: Attempt | None) -> Decision:
    """What no node had is no danger to any: it fails."""
    had = _was_had(on)
    return Decision(to=JobState.QUARANTINED if had else JobState.FAILED, counted=not had)


def _was_had(on: Attempt | None) -> bool:
    """Whether a node was granted this attempt: an order that could not even be sent took nobody down."""
    return on is None or on.accepted_at is not None


def _in_ladder(step: Step) -> Decision:
    to = JobState.FAILED if step.ends else JobState.READY
    return Decision(to=to, tier_gb=step.tier_gb, advice=step.advice)


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
    peak_mib: int | None = None,
) -> bool:
    """Do what was decided about a failed or lost attempt; False, and nothing done, if it has moved on."""
    failure_class = decision.failure_class or failure_class
    decision = once(decision, attempt, failure_class=failure_class, end=end, execute_s=execute_s)
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
            ended = Ended(
                attempt=attempt,
                failure_class=failure_class,
                message=message,
                execute_s=execute_s,
                peak_mib=peak_mib,
            )
            tell_ended([ended])
            if decision.rule is not None:
                count_match(decision.rule)
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
    on_job |= _in_other_lane(attempt, decision)
    later = database_now() + decision.pause if decision.pause else None
    return hand_back(attempt, freed=True, start_after=later, **common, **on_job)


def _in_other_lane(attempt: Attempt, decision: Decision) -> Columns:
    """The columns that keep a job off smaller cards, or off the node it failed on."""
    avoids = attempt.node.name if decision.avoids and attempt.node is not None else ""
    if not decision.tier_gb and not avoids:
        return {}
    # Everybody locks jobs before lanes, and this may wake one. Read again: somebody may have steered it.
    job = Job.objects.order_by("pk").select_for_update(no_key=True).get(pk=attempt.job_id)
    columns: Columns = {}
    if decision.tier_gb:
        job.floor_gb = decision.tier_gb
        columns = {"tier_gb": decision.tier_gb, "floor_gb": decision.tier_gb}
    if avoids:
        job.avoids = columns["avoids"] = _with(job.avoids, avoids)
    assign([job])
    return columns | {"lane": job.lane}


def _with(names: str, name: str) -> str:
    """Add a node's name to those a job avoids; the list is bounded, and what does not fit is let go."""
    kept = {one for one in names.split("\n") if one} | {name}
    while len("\n".join(kept)) > LONGEST_AVOIDS:
        kept.discard(next(iter(kept - {name}), name))
    return "\n".join(sorted(kept))


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
