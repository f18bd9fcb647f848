"""Questions about jobs: what is ready, what holds a slot, why something waits, what happened."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db.models import QuerySet

from apps.common.models import StateEvent
from apps.projects.models import Project
from apps.renders.models import Attempt, Job
from apps.renders.states import OPEN, AttemptState
from apps.renders.waiting import wait_sentence

__all__ = [
    "WHAT_JOBS_ARE_OF",
    "current_attempt",
    "expired_orders",
    "open_jobs",
    "slots_in_use",
    "story",
    "wait_sentence",
]


WHAT_JOBS_ARE_OF: Final = {"shot": "shot", "stage": "stage"}
"""The paths along which a right to render ends: see apps.projects.selectors.scoped."""


def slots_in_use() -> QuerySet[Attempt]:
    """Attempts that count against a node, or against a tier queue while no node has them."""
    return Attempt.objects.filter(holds_slot=True)


def current_attempt(job: Job) -> Attempt | None:
    """The attempt whose token the job carries."""
    if not job.token:
        return None
    return Attempt.objects.select_related("node").filter(job=job, token=job.token).first()


def open_jobs(project: Project | None = None) -> QuerySet[Job]:
    """Jobs that are not closed, of one project or of all."""
    jobs = Job.objects.filter(state__in=OPEN)
    return jobs.filter(project=project) if project else jobs


def story(job: Job) -> QuerySet[StateEvent]:
    """Everything that happened to this job, its attempts and its take, in order."""
    return StateEvent.objects.filter(story=job.pk)


def expired_orders(now: datetime) -> QuerySet[Attempt]:
    """Orders nobody accepted in time."""
    return Attempt.objects.select_related("job", "node").filter(
        state=AttemptState.DISPATCHED, accept_by__lt=now
    )
