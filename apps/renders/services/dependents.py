"""Jobs that wait for other jobs: released when all are done, told when one will not come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from apps.common.clock import database_now
from apps.common.machines import Move, move_each
from apps.renders.models import Job, JobDependency
from apps.renders.services.lanes import wake
from apps.renders.states import JOB, JobState

_TOLD: Final = (
    *("job__wait_code", "job__wait_params"),
    *("depends_on__kind", "depends_on__take_number", "depends_on__state"),
    *("depends_on__shot__code", "depends_on__shot__sequence__code"),
)
"""What it takes to say who waits for what."""


def release_dependents(done: Sequence[tuple[Job, str]]) -> int:
    """Make READY what waited only for these jobs, each finished by whom; return how many."""
    finished = {job.pk: (job, actor) for job, actor in done}
    waits = dict(
        JobDependency.objects.filter(depends_on__in=finished, job__state=JobState.BLOCKED).values_list(
            "job_id", "depends_on_id"
        )
    )
    if not waits:
        return 0

    def why(waiting: Job) -> tuple[str, str]:
        source, actor = finished[waits[waiting.pk]]
        return actor, f"{source.code} is done"

    released = _release(Job.objects.filter(pk__in=waits, state=JobState.BLOCKED), why)
    if released < len(waits):  # whoever waits for others as well says so
        explain_blocked(Job.objects.filter(pk__in=waits))
    return released


def release_all(*, actor: str, since: datetime | None = None) -> int:
    """Make READY every blocked job whose dependencies are done: two that ended at once, or a crash.

    ``since``: only of jobs one of whose dependencies ended after that. Else every blocked job is looked at.
    """
    jobs = Job.objects.filter(state=JobState.BLOCKED)
    if since is not None:
        ended = Job.objects.filter(state=JobState.SUCCEEDED, updated_at__gte=since)
        jobs = jobs.filter(pk__in=JobDependency.objects.filter(depends_on__in=ended).values("job"))
    return _release(jobs, lambda _: (actor, "all it waited for is done"))


def explain_blocked(jobs: QuerySet[Job]) -> None:
    """Write down what each blocked one of these jobs waits for, where that changed."""
    unfinished = (
        JobDependency.objects.filter(job__in=jobs, job__state=JobState.BLOCKED)
        .exclude(depends_on__state=JobState.SUCCEEDED)
        .select_related("job", "depends_on__shot__sequence")
        .only(*_TOLD)
        .order_by("job", "-depends_on__code")
    )
    # The first of several sources stands for all: it is read last.
    reasons = {dependency.job: _reason(dependency.depends_on) for dependency in unfinished}
    changed = [job for job, reason in reasons.items() if (job.wait_code, job.wait_params) != reason]
    for job in changed:
        job.wait_code, job.wait_params = reasons[job]
    Job.objects.bulk_update(changed, ["wait_code", "wait_params"], batch_size=500)


def tell_dependents(source: Job) -> None:
    """A job failed, was cancelled or runs again: what waits for it shall say so."""
    explain_blocked(Job.objects.filter(dependencies__depends_on=source))


def _reason(source: Job) -> tuple[str, dict[str, str]]:
    name = f"{source.shot.full_code} {source.kind} take {source.take_number}"
    if source.state in (JobState.FAILED, JobState.QUARANTINED, JobState.CANCELLED):
        return "depends_failed", {"on": name, "state": source.state}
    return "depends", {"on": name}


def _release(jobs: QuerySet[Job], why: Callable[[Job], tuple[str, str]]) -> int:
    """Release those of these jobs that wait for nothing more; ``why`` tells who did it and the reason."""
    open_sources = JobDependency.objects.filter(job=OuterRef("pk")).exclude(
        depends_on__state=JobState.SUCCEEDED
    )
    free = list(jobs.exclude(Exists(open_sources)).only("lane_id"))
    if not free:
        return 0
    changes = {"ready_at": database_now(), "wait_code": "", "wait_params": {}}
    moves = []
    for waiting in free:
        actor, reason = why(waiting)
        moves.append(Move(row=waiting, actor=actor, reason=reason, changes=changes))
    with transaction.atomic(savepoint=False):
        released = move_each(JOB, moves, from_=(JobState.BLOCKED,), to=JobState.READY)
        wake(waiting.lane_id for waiting in free)  # after the jobs: everybody locks jobs before lanes
    return len(released)
