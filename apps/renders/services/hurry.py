"""What others wait for counts at least as they do: rank and time to start go up the chain to its sources.

Else urgent work would wait for a keyframe that waits behind ten thousand others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Max, Min

from apps.common.machines import write_each
from apps.renders.models import Job, JobDependency
from apps.renders.services.chains import sources_of
from apps.renders.services.deadlines import set_start_by
from apps.renders.states import OPEN, JobState

WAITING: Final = (JobState.BLOCKED, JobState.READY)
_UNREAD: Final = (
    *("values", "loras", "warnings", "failure_message"),
    *("template_version__graph", "template_version__manifest"),
)


def hurry_sources(jobs: Set[UUID], *, project_id: UUID) -> int:
    """Hurry what new jobs wait for beside each other; return how much that is. Of other projects nothing."""
    keys = sources_of(jobs) - jobs
    if not keys:
        return 0
    with transaction.atomic():
        rows = Job.objects.filter(pk__in=keys, project=project_id, state__in=WAITING).order_by("pk")
        rows = rows.select_related("lane", "template_version").defer(*_UNREAD)
        sources = list(rows.select_for_update(of=("self",), no_key=True))
        settle(sources)
        save(sources)
    return len(sources)


def settle(jobs: Sequence[Job]) -> None:
    """Set ``start_by`` and lift ``rank`` of jobs that exist, beside each other and whoever waits for them.

    They are not saved, and have their lanes.
    """
    waits = JobDependency.objects.filter(depends_on__in=jobs)
    among = list(waits.filter(job__in=jobs).values_list("job_id", "depends_on_id"))
    others = waits.filter(job__state__in=OPEN).exclude(job__in=jobs).order_by().values("depends_on_id")
    by, ranks = {}, {}
    for row in others.annotate(by=Min("job__start_by"), rank=Max("job__rank")):
        ranks[row["depends_on_id"]] = row["rank"]
        if row["by"] is not None:
            by[row["depends_on_id"]] = row["by"]
    set_start_by(jobs, among, wanted_by=by)
    _lift(jobs, among, ranks)


def save(jobs: Sequence[Job]) -> None:
    """Save what :func:`settle` has set; the rows are locked."""
    write_each(
        Job,
        {
            job.pk: {"start_by": job.start_by, "rank": job.rank, "row_version": job.row_version + 1}
            for job in jobs
        },
    )


def _lift(jobs: Sequence[Job], waits: Iterable[tuple[UUID, UUID]], ranks: Mapping[UUID, int]) -> None:
    known = {job.pk: job for job in jobs}
    waiting_for: dict[UUID, list[Job]] = defaultdict(list)
    for job_id, source_id in waits:
        waiting_for[source_id].append(known[job_id])
    lifted: set[UUID] = set()

    def lift(job: Job) -> int:
        if job.pk not in lifted:
            lifted.add(job.pk)
            job.rank = max([job.rank, ranks.get(job.pk, 0), *map(lift, waiting_for[job.pk])])
        return job.rank

    for job in jobs:
        lift(job)
