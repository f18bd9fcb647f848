"""Jobs that wait for other jobs: released when all are done, told when one will not come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, Subquery

from apps.common.clock import database_now
from apps.common.machines import Move, move_each
from apps.projects.stages import Stage
from apps.renders.models import Job, JobContinuity, JobDependency
from apps.renders.services.lanes import wake
from apps.renders.states import JOB, JobState
from apps.review.models import Take

_TOLD: Final = (
    *("job__wait_code", "job__wait_params"),
    *("depends_on__kind", "depends_on__take_number", "depends_on__state"),
    *("depends_on__shot__code", "depends_on__shot__sequence__code"),
)
"""What it takes to say who waits for what."""

_ENDED_ILL: Final = (JobState.FAILED, JobState.QUARANTINED, JobState.CANCELLED)


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
    for job, reason in continuity_reasons(jobs).items():
        reasons.setdefault(job, reason)
    changed = [job for job, reason in reasons.items() if (job.wait_code, job.wait_params) != reason]
    for job in changed:
        job.wait_code, job.wait_params = reasons[job]
    Job.objects.bulk_update(changed, ["wait_code", "wait_params"], batch_size=500)


def tell_dependents(source: Job) -> None:
    """A job failed, was cancelled or runs again: what waits for it shall say so."""
    explain_blocked(Job.objects.filter(dependencies__depends_on=source))
    explain_blocked(Job.objects.filter(continuity__shot=source.shot_id, continuity__take=None))


def _reason(source: Job) -> tuple[str, dict[str, str]]:
    name = f"{source.shot.full_code} {source.kind} take {source.take_number}"
    if source.state in _ENDED_ILL:
        return "depends_failed", {"on": name, "state": source.state}
    return "depends", {"on": name}


def continuity_reasons(jobs: QuerySet[Job]) -> dict[Job, tuple[str, dict[str, str]]]:
    """Why those of these jobs wait that continue a shot without a selected clip, or whose end is not cut."""
    newest = Job.objects.filter(shot=OuterRef("shot"), stage=Stage.CLIP).order_by("-created_at")
    chosen = Take.objects.filter(shot=OuterRef("shot"), stage=Stage.CLIP, selected=True)
    rows = JobContinuity.objects.filter(job__in=jobs, job__state=JobState.BLOCKED, take=None).annotate(
        _last=Subquery(newest.values("state")[:1]),
        _chosen=Exists(chosen.filter(stale_since=None)),
        _stale=Exists(chosen.exclude(stale_since=None)),
    )
    told = {}
    for row in rows.select_related("job", "shot__sequence"):
        facts = {"on": row.shot.full_code}
        code = "continues"
        if row.problem:
            code, facts["problem"] = "continues_uncut", row.problem
        elif row._chosen or (row._stale and not row.fresh):
            code = "continues_cut"
        elif row._stale:
            code = "continues_stale"
        elif row._last in _ENDED_ILL:
            code, facts["state"] = "continues_failed", str(row._last)
        told[row.job] = (code, facts)
    return told


def release_jobs(jobs: Iterable[UUID], *, actor: str, reason: str) -> int:
    """Make READY those of these jobs that wait for nothing more; those that do say for what."""
    keys = list(jobs)
    released = _release(Job.objects.filter(pk__in=keys, state=JobState.BLOCKED), lambda _: (actor, reason))
    if released < len(keys):
        explain_blocked(Job.objects.filter(pk__in=keys))
    return released


def _release(jobs: QuerySet[Job], why: Callable[[Job], tuple[str, str]]) -> int:
    """Release those of these jobs that wait for nothing more; ``why`` tells who did it and the reason."""
    open_sources = JobDependency.objects.filter(job=OuterRef("pk")).exclude(
        depends_on__state=JobState.SUCCEEDED
    )
    uncut = JobContinuity.objects.filter(job=OuterRef("pk"), take=None)
    free = list(jobs.exclude(Exists(open_sources)).exclude(Exists(uncut)).only("lane_id"))
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
