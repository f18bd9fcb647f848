"""Whether somebody may render these jobs: each is of a shot and a stage, and a right may end there."""

from __future__ import annotations

from django.db.models import QuerySet

from apps.accounts.models import User
from apps.projects.roles import Act
from apps.projects.selectors import require_rows, require_some
from apps.renders.models import Job, RenderBatch
from apps.renders.selectors import WHAT_JOBS_ARE_OF


def require_jobs(jobs: QuerySet[Job], user: User) -> None:
    """Raise NotAllowed unless the person may render every one of these jobs."""
    require_rows(user, Act.RENDER, jobs, **WHAT_JOBS_ARE_OF)


def require_batch(batch: RenderBatch, user: User) -> None:
    """Raise NotAllowed unless the person may render all that a batch asks for."""
    require_some(user, Act.RENDER, batch.project)
    require_jobs(batch.jobs.all(), user)
