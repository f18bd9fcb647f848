"""What a service may have rendered already is rendered again only when a person says so: it costs money."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from apps.renders.models import Attempt
from apps.renders.states import AttemptState, JobState
from apps.workflows.services import template_of
from farm.contracts import UNSTAGED, FailureClass, RenderReport

if TYPE_CHECKING:
    from apps.renders.services.failures import Decision

MAY_BE_PAID: Final = "%(service)s may have rendered it for money: look there, then requeue it by hand"

_BEFORE_IT_BEGAN: Final = (
    FailureClass.REJECTED_GRAPH,
    FailureClass.MISSING_MODEL,
    FailureClass.INPUT_MISSING,
)
"""Classes of failures that ComfyUI finds before it asks any service."""


def service_of(attempt: Attempt) -> str:
    """Whose service renders this attempt's template; "" for none."""
    remote = template_of(attempt.job.template_version).manifest.remote
    return remote.service if remote else ""


def once(
    decision: Decision, attempt: Attempt, *, failure_class: str, end: str, execute_s: float = 0.0
) -> Decision:
    """Let no attempt follow by itself on one that a service may have rendered."""
    if decision.to != JobState.READY or not _may_have_begun(attempt, failure_class, end, execute_s):
        return decision
    service = service_of(attempt)
    if not service:
        return decision
    told = decision.rule.advice if decision.rule else ""
    return replace(
        decision,
        to=JobState.FAILED,
        counted=True,
        free=False,
        tier_gb=None,
        avoids=False,
        pause=timedelta(),
        advice=" — ".join(filter(None, (told, MAY_BE_PAID % {"service": service}))),
    )


def was_cut_short(attempt: Attempt, report: RenderReport) -> bool:
    """Whether a service may have been asked before this attempt was stopped."""
    begun = bool(report.prompt_id) and report.reason != UNSTAGED
    return begun and bool(service_of(attempt))


def _may_have_begun(attempt: Attempt, failure_class: str, end: str, execute_s: float) -> bool:
    if attempt.accepted_at is None or failure_class in _BEFORE_IT_BEGAN:
        return False
    if failure_class == FailureClass.INFRASTRUCTURE and end != AttemptState.LOST:
        return attempt.executing_at is not None or execute_s > 0
    return True  # one that was lost may have been sent the moment after it was last heard of
