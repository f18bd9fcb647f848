"""Questions about jobs: what is ready, what holds a slot, why something waits, what happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.common.models import StateEvent
from apps.projects.models import Project
from apps.renders.models import Attempt, Job
from apps.renders.states import OPEN, AttemptState, JobState
from apps.renders.waiting import wait_sentence

__all__ = [
    "Lane",
    "current_attempt",
    "expired_orders",
    "in_lane",
    "lanes",
    "open_jobs",
    "ready_heads",
    "slots_in_use",
    "startable",
    "story",
    "wait_sentence",
]


@dataclass(frozen=True)
class Lane:
    """Ready jobs that fit the same nodes: one project, tier, template version, precision and LoRA files."""

    project_id: UUID
    tier_gb: int | None
    template_version_id: UUID
    precision: str
    lora_files: str = ""


def lanes() -> list[Lane]:
    """Every lane that has a ready job, paused ones included."""
    rows = Job.objects.filter(state=JobState.READY).order_by()
    return [
        Lane(**row)
        for row in rows.values(
            "project_id", "tier_gb", "template_version_id", "precision", "lora_files"
        ).distinct()
    ]


def in_lane(lane: Lane) -> QuerySet[Job]:
    """The lane's ready jobs, best first: priority class, then age."""
    return Job.objects.filter(
        state=JobState.READY,
        project_id=lane.project_id,
        tier_gb=lane.tier_gb,
        template_version_id=lane.template_version_id,
        precision=lane.precision,
        lora_files=lane.lora_files,
    ).order_by("-priority", "ready_at", "code")


def startable(jobs: QuerySet[Job], now: datetime) -> QuerySet[Job]:
    """Leave out what somebody paused and what may not start yet."""
    return jobs.filter(
        Q(start_after__isnull=True) | Q(start_after__lte=now),
        paused=False,
        batch__paused=False,
        project__paused=False,
    )


def ready_heads(lane: Lane, now: datetime, *, most: int) -> Iterator[Job]:
    """The first ``most`` jobs of a lane that may start now."""
    heads = startable(in_lane(lane), now).select_related(
        "template_version__template", "shot__sequence", "prompt_build", "project"
    )
    return iter(heads[:most])


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
