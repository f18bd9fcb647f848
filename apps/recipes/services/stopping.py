"""Cancel a run, let it go on, and call off what renders though it is stale."""

from __future__ import annotations

import logging
from typing import Final

from django.db import transaction
from django.db.models import F, Max, QuerySet

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.projects.roles import Act
from apps.projects.selectors import require_rows, require_some
from apps.recipes.models import RecipeRun, RunJob, RunStep
from apps.recipes.services.rerendering import shots_of, standing_of
from apps.renders.models import Job
from apps.renders.services.cancelling import cancel_jobs
from apps.renders.services.requeueing import requeue_jobs
from apps.renders.states import OPEN

logger = logging.getLogger(__name__)

WHAT_CELLS_ARE_OF: Final = {"path": "run__project", "shot": "shot"}
"""The paths along which a right to render ends: see apps.projects.selectors.scoped."""


def jobs_of(run: RecipeRun) -> QuerySet[Job]:
    """Every job of a run."""
    return Job.objects.filter(recipe_render__cell__run=run)


def require_run(run: RecipeRun, user: User) -> None:
    """Raise NotAllowed unless the person may render every shot of a run."""
    require_some(user, Act.RENDER, run.project)
    cells = RunStep.objects.filter(run=run)
    require_rows(user, Act.RENDER, cells, **WHAT_CELLS_ARE_OF)


def cancel_run(run: RecipeRun, *, user: User) -> int:
    """Cancel what is open, and let no gate lead on; return how many jobs were cancelled.

    A gate that opens just now is waited for (submitting.lock_cells): what it let through is cancelled, too.
    """
    require_run(run, user)
    going = RecipeRun.objects.filter(pk=run.pk, cancelled_at=None)
    with transaction.atomic():
        going.update(
            cancelled_at=database_now(), cancelled_by=user.get_username(), row_version=F("row_version") + 1
        )
    cancelled = cancel_jobs(jobs_of(run), user=user)
    logger.info("recipe cancelled", extra={"run": run.code, "jobs": cancelled})
    return cancelled


def resume_run(run: RecipeRun, *, user: User) -> int:
    """Let a cancelled run go on, and requeue what ended without a take; return how many jobs that is.

    Earlier rounds are left: others have taken their place. What waited for a job that failed goes on with it.
    """
    require_run(run, user)
    with transaction.atomic():
        RecipeRun.objects.filter(pk=run.pk).exclude(cancelled_at=None).update(
            cancelled_at=None, cancelled_by="", row_version=F("row_version") + 1
        )
        last = RunJob.objects.filter(cell__run=run).order_by().values("cell").annotate(last=Max("round"))
        newest = dict(last.values_list("cell", "last"))
        rows = RunJob.objects.filter(cell__run=run).values_list("job_id", "cell_id", "round")
        keys = [job for job, cell, number in rows if newest[cell] == number]
        return requeue_jobs(Job.objects.filter(pk__in=keys), user=user)


def stale_open_jobs(run: RecipeRun) -> list[Job]:
    """What renders, or waits to, and would be rendered otherwise now."""
    rows = standing_of(run, shots_of(run), run.specs)
    return [
        one.job
        for row in rows
        for cell in row.cells
        if cell.is_stale
        for one in cell.renders
        if one.job.state in OPEN
    ]


def cancel_stale(run: RecipeRun, *, user: User) -> int:
    """Cancel what renders from things that have changed, and what waits for it; return how many jobs."""
    require_run(run, user)
    keys = [job.pk for job in stale_open_jobs(run)]
    return cancel_jobs(Job.objects.filter(pk__in=keys), user=user, dependents=True) if keys else 0
