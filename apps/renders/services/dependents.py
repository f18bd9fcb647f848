"""Jobs that wait for other jobs: released when all are done, told when one will not come."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from apps.common.clock import database_now
from apps.common.machines import move
from apps.renders.models import Job, JobDependency
from apps.renders.states import JOB, JobState


def release_dependents(job: Job, *, actor: str) -> int:
    """Make READY what waited only for this finished job; return how many."""
    waiting = Job.objects.filter(dependencies__depends_on=job, state=JobState.BLOCKED).distinct()
    return _release(waiting, actor=actor, reason=f"{job.code} is done")


def release_all(*, actor: str) -> int:
    """Make READY every blocked job whose dependencies are done: what a crash may have left behind."""
    return _release(
        Job.objects.filter(state=JobState.BLOCKED), actor=actor, reason="all it waited for is done"
    )


def explain_blocked() -> None:
    """Write down what each blocked job waits for, where that changed."""
    unfinished = (
        JobDependency.objects.filter(job__state=JobState.BLOCKED)
        .exclude(depends_on__state=JobState.SUCCEEDED)
        .select_related("job", "depends_on__shot__sequence")
        .order_by("job", "depends_on__code")
    )
    told: set[object] = set()
    for dependency in unfinished:
        job, source = dependency.job, dependency.depends_on
        if job.pk in told:
            continue
        told.add(job.pk)
        name = f"{source.shot.full_code} {source.kind} take {source.take_number}"
        code, params = "depends", {"on": name}
        if source.state in (JobState.FAILED, JobState.QUARANTINED, JobState.CANCELLED):
            code, params = "depends_failed", {"on": name, "state": source.state}
        if (job.wait_code, job.wait_params) != (code, params):
            Job.objects.filter(pk=job.pk).update(wait_code=code, wait_params=params)


def _release(jobs: QuerySet[Job], *, actor: str, reason: str) -> int:
    open_sources = JobDependency.objects.filter(job=OuterRef("pk")).exclude(
        depends_on__state=JobState.SUCCEEDED
    )
    free = jobs.exclude(Exists(open_sources))
    return sum(
        move(
            JOB,
            waiting,
            from_=(JobState.BLOCKED,),
            to=JobState.READY,
            changes={"ready_at": database_now(), "wait_code": "", "wait_params": {}},
            actor=actor,
            reason=reason,
        )
        for waiting in free
    )
