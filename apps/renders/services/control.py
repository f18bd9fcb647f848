"""What a person does to jobs: cancel, requeue, change, pause. It acts at once, down to ComfyUI."""

from __future__ import annotations

import logging

from django.db import transaction

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.machines import move
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.renders.models import Job
from apps.renders.services import bus
from apps.renders.services.cancelling import cancel, cancel_batch, cancel_jobs
from apps.renders.services.dependents import explain_blocked, tell_dependents
from apps.renders.services.lanes import assign
from apps.renders.services.steering import (
    change_batch,
    change_job,
    change_jobs,
    pause,
    pause_batch,
    prioritise,
)
from apps.renders.states import JOB, REQUEUEABLE, JobState
from farm.tiers import tier_for_need

__all__ = [
    "cancel",
    "cancel_batch",
    "cancel_jobs",
    "change_batch",
    "change_job",
    "change_jobs",
    "pause",
    "pause_batch",
    "prioritise",
    "requeue",
]

logger = logging.getLogger(__name__)


def requeue(job: Job, *, user: User) -> bool:
    """Give a failed, cancelled or quarantined job a fresh budget and its declared tier; else False.

    A finished job is not requeued: rendering it again is a new take, hence a new job.
    """
    require(user, Act.RENDER, job.project)
    waits = job.dependencies.exclude(depends_on__state=JobState.SUCCEEDED).exists()
    job.floor_gb = 0
    assign([job])
    moved = move(
        JOB,
        job,
        from_=REQUEUEABLE,
        to=JobState.BLOCKED if waits else JobState.READY,
        changes={
            "token": "",
            "attempts_used": 0,
            "crashes": 0,
            "free_retries": 0,
            "failure_class": "",
            "failure_message": "",
            "tier_gb": tier_for_need(job.need_gb),
            "floor_gb": 0,
            "lane": job.lane,
            "progress": 0.0,
            "doing": "",
            "start_after": None,
            "finished_at": None,
            "ready_at": database_now(),
        },
        actor=user.get_username(),
        reason="requeued",
    )
    if moved:
        tell_dependents(job)
        if waits:
            explain_blocked(Job.objects.filter(pk=job.pk))
        transaction.on_commit(bus.poke)
        logger.info("job requeued", extra={"job": str(job.pk), "code": job.code, "by": user.get_username()})
    return moved
