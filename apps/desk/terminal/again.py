"""Jobs that run again, until the service that does so in bulk is here."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from apps.accounts.models import User
from apps.nodes.models import Node
from apps.projects.roles import Act
from apps.projects.selectors import scoped
from apps.renders.models import Attempt, Job
from apps.renders.services import control
from apps.renders.states import REQUEUEABLE, AttemptState, JobState


def requeue_jobs(jobs: QuerySet[Job], *, user: User) -> int:
    """Requeue those of these jobs that ended without a take and that the user may; return how many."""
    chosen = requeueable(jobs, user=user).select_related("project")
    return sum(control.requeue(job, user=user) for job in chosen)


def requeueable(jobs: QuerySet[Job], *, user: User) -> QuerySet[Job]:
    """Those of these jobs that requeue_jobs would requeue for this user."""
    return scoped(jobs.filter(state__in=REQUEUEABLE), user, act=Act.RENDER)


def failures_of(node: Node, *, since: datetime | None = None) -> QuerySet[Job]:
    """Jobs that are failed or quarantined, and whose last attempt failed or was lost on this node."""
    attempts = Attempt.objects.filter(node=node, state__in=(AttemptState.FAILED, AttemptState.LOST))
    if since is not None:
        attempts = attempts.filter(finished_at__gte=since)
    later = Attempt.objects.filter(job=OuterRef("job"), number__gt=OuterRef("number"))
    last = attempts.exclude(Exists(later)).order_by()
    return Job.objects.filter(state__in=(JobState.FAILED, JobState.QUARANTINED), pk__in=last.values("job"))
