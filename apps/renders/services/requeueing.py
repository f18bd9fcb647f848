"""Jobs that ended without a take run again: one, a batch, a selection, or what failed on a node.

Thousands at once take a number of statements that grows by the hundreds, not by the job.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.machines import Move, move_each
from apps.nodes.models import Node
from apps.projects.roles import Act
from apps.projects.selectors import require, scoped
from apps.renders.models import Attempt, Job, JobContinuity, JobDependency, RenderBatch
from apps.renders.selectors import WHAT_JOBS_ARE_OF
from apps.renders.services import bus
from apps.renders.services.continuity import loosen, resolve
from apps.renders.services.dependents import explain_blocked
from apps.renders.services.hurry import settle
from apps.renders.services.lanes import assign
from apps.renders.services.rights import require_batch
from apps.renders.states import JOB, REQUEUEABLE, AttemptState, JobState
from farm.tiers import tier_for_need

logger = logging.getLogger(__name__)

_UNREAD: Final = ("values", "loras", "warnings", "template_version__graph", "template_version__manifest")

AT_ONCE: Final = 500
"""Jobs in one transaction: the dispatcher and the record wait for no more than these."""


def requeue(job: Job, *, user: User) -> bool:
    """Give a failed, cancelled or quarantined job a fresh budget and its declared tier; else False.

    A finished job is not requeued: rendering it again is a new take, hence a new job.
    """
    require(user, Act.RENDER, job.project, shot=job.shot_id, stage=job.stage)
    return bool(requeue_jobs(Job.objects.filter(pk=job.pk), user=user))


def requeue_batch(batch: RenderBatch, *, user: User) -> int:
    """Requeue every failed, cancelled or quarantined job of a batch; return how many."""
    require_batch(batch, user)
    return requeue_jobs(batch.jobs.all(), user=user)


def requeue_jobs(jobs: QuerySet[Job], *, user: User) -> int:
    """Requeue those of these jobs that ended without a take and that the user may; return how many."""
    wanted = requeueable(jobs, user=user).order_by("pk").values_list("pk", flat=True)
    done = sum(_requeue(some, actor=user.get_username()) for some in _portions(list(wanted)))
    if done:
        transaction.on_commit(bus.poke)
        logger.info("jobs requeued", extra={"jobs": done, "by": user.get_username()})
    return done


def requeueable(jobs: QuerySet[Job], *, user: User) -> QuerySet[Job]:
    """Those of these jobs that requeue_jobs would requeue for this user."""
    return scoped(jobs.filter(state__in=REQUEUEABLE), user, act=Act.RENDER, **WHAT_JOBS_ARE_OF)


def failures_of(node: Node, *, since: datetime | None = None, failure_class: str = "") -> QuerySet[Job]:
    """Jobs that are failed or quarantined, and whose last attempt failed or was lost on this node.

    ``since`` and ``failure_class`` speak of that attempt.
    """
    attempts = Attempt.objects.filter(node=node, state__in=(AttemptState.FAILED, AttemptState.LOST))
    if since is not None:
        attempts = attempts.filter(finished_at__gte=since)
    if failure_class:
        attempts = attempts.filter(failure_class=failure_class)
    later = Attempt.objects.filter(job=OuterRef("job"), number__gt=OuterRef("number"))
    last = attempts.exclude(Exists(later)).order_by()
    return Job.objects.filter(state__in=(JobState.FAILED, JobState.QUARANTINED), pk__in=last.values("job"))


def _portions(keys: Sequence[UUID]) -> Iterator[list[UUID]]:
    left = iter(keys)
    while some := list(islice(left, AT_ONCE)):
        yield some


def _requeue(keys: Iterable[UUID], *, actor: str) -> int:
    with transaction.atomic():
        # Locked before their lanes are, and before anything of them is judged.
        rows = Job.objects.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",), no_key=True)
        jobs = list(rows.select_related("template_version").defer(*_UNREAD))
        open_sources = JobDependency.objects.filter(job__in=jobs).exclude(
            depends_on__state=JobState.SUCCEEDED
        )
        waiting = set(open_sources.values_list("job_id", flat=True)) | loosen(jobs)
        for job in jobs:
            job.floor_gb, job.avoids, job.rank = 0, "", job.priority
        assign(jobs)
        settle(jobs)
        now = database_now()
        moved: set[UUID] = set()
        for to in (JobState.READY, JobState.BLOCKED):
            some = [job for job in jobs if (job.pk in waiting) is (to == JobState.BLOCKED)]
            moved |= move_each(
                JOB, [_afresh(job, actor=actor, at=now) for job in some], from_=REQUEUEABLE, to=to
            )
        # Those that wait say for whom; those that wait for one of these say that it runs again.
        explain_blocked(Job.objects.filter(Q(pk__in=moved) | Q(dependencies__depends_on__in=moved)))
        if moved & waiting:
            transaction.on_commit(lambda: resolve(JobContinuity.objects.filter(job__in=moved & waiting)))
    return len(moved)


def _afresh(job: Job, *, actor: str, at: datetime) -> Move:
    return Move(
        row=job,
        actor=actor,
        reason="requeued",
        changes={
            "token": "",
            "attempts_used": 0,
            "crashes": 0,
            "free_retries": 0,
            "failure_class": "",
            "failure_message": "",
            "tier_gb": tier_for_need(job.need_gb),
            "floor_gb": 0,
            "avoids": "",
            "lane_id": job.lane_id,
            "progress": 0.0,
            "doing": "",
            "rank": job.rank,  # raised again when its deadline asks for it
            "start_by": job.start_by,
            "start_after": None,
            "finished_at": None,
            "ready_at": at,
        },
    )
