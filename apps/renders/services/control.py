"""What a person does to jobs: cancel, requeue, reprioritise, pause. It acts at once, down to ComfyUI."""

from __future__ import annotations

import logging

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Problem, Refused
from apps.common.machines import move
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.renders.models import Attempt, Job, Priority, RenderBatch
from apps.renders.services import bus
from apps.renders.services.dependents import explain_blocked, tell_dependents
from apps.renders.services.giveback import end_attempt
from apps.renders.services.lanes import assign, wake
from apps.renders.states import (
    ATTEMPT_OPEN,
    JOB,
    OPEN,
    REQUEUEABLE,
    AttemptState,
    JobState,
)
from farm.tiers import tier_for_need

logger = logging.getLogger(__name__)


def cancel(job: Job, *, user: User) -> bool:
    """Cancel an open job and interrupt what a node does for it; False if it was closed already.

    The node stops ComfyUI and confirms; until then its slot stays taken.
    """
    require(user, Act.RENDER, job.project)
    actor = user.get_username()
    with transaction.atomic():
        cancelled = move(
            JOB,
            job,
            from_=(JobState.RUNNING, JobState.DISPATCHED, JobState.READY, JobState.BLOCKED),
            to=JobState.CANCELLED,
            changes={
                "token": "",
                "finished_at": database_now(),
                "doing": "",
                "wait_code": "",
                "wait_params": {},
            },
            actor=actor,
            reason="cancelled",
        )
        if not cancelled:
            return False
        stopped = [
            attempt
            for attempt in Attempt.objects.select_related("node").filter(job=job, state__in=ATTEMPT_OPEN)
            if end_attempt(attempt, to=AttemptState.CANCELLED, actor=actor, reason="cancelled")
        ]
        tell_dependents(job)
        transaction.on_commit(lambda: _after_cancel(stopped))
    logger.info("job cancelled", extra={"job": str(job.pk), "code": job.code, "by": actor})
    return True


def cancel_batch(batch: RenderBatch, *, user: User) -> int:
    """Cancel every open job of a batch; return how many were."""
    require(user, Act.RENDER, batch.project)
    return sum(cancel(job, user=user) for job in batch.jobs.filter(state__in=OPEN).select_related("project"))


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


def prioritise(job: Job, *, priority: int, user: User) -> bool:
    """Change the priority of an open job; False if it is closed. Raises Refused for no known priority."""
    require(user, Act.RENDER, job.project)
    if priority not in Priority.values:
        known = ", ".join(f"{value} ({label})" for value, label in Priority.choices)
        raise Refused(Problem("priority", str(priority), _("choose one of %s") % known))
    changed = Job.objects.filter(pk=job.pk, state__in=OPEN).update(priority=priority, rank=priority)
    if changed:
        transaction.on_commit(bus.poke)
    return bool(changed)


def pause(job: Job, *, paused: bool, user: User) -> None:
    """Hold a job back, or let it go on. What a node already has goes on."""
    require(user, Act.RENDER, job.project)
    by = user.get_username() if paused else ""
    Job.objects.filter(pk=job.pk).update(paused=paused, paused_by=by, held=paused or job.batch.paused)
    wake([job.lane_id])
    transaction.on_commit(bus.poke)


def pause_batch(batch: RenderBatch, *, paused: bool, user: User) -> None:
    """Hold every job of a batch back, or let them go on. What a node already has goes on."""
    require(user, Act.RENDER, batch.project)
    by = user.get_username() if paused else ""
    with transaction.atomic():
        RenderBatch.objects.filter(pk=batch.pk).update(paused=paused, paused_by=by)
        jobs = Job.objects.filter(batch=batch)
        jobs.filter(paused=False).update(held=paused)
        jobs.filter(paused=True).update(held=True)
        wake(jobs.order_by().values_list("lane_id", flat=True).distinct())
    transaction.on_commit(bus.poke)


def _after_cancel(stopped: list[Attempt]) -> None:
    if stopped and bus.is_up():  # else the answer to each node's next report says it
        for attempt in stopped:
            bus.send_cancel(attempt)
    bus.poke()
