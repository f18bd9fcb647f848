"""What waits for what: keyframe → clip → interpolate → upscale, and jobs of other requests before all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from apps.renders.models import Job, JobDependency
from apps.renders.services.planned import Plan, PlannedJob
from apps.renders.services.sources import Source
from apps.renders.states import OPEN


def dependencies(planned: Plan, jobs: Sequence[Job]) -> list[JobDependency]:
    """Write down what each new job waits for: its source, and the jobs the whole request comes after.

    A job waits for the source of its own take number, else for the first take's. Whoever waits for a job of
    the same request comes after the others by that. No cycle can arise: everybody waits for older jobs.
    """
    made = {(item.step, item.shot.pk, item.take): job for item, job in zip(planned.jobs, jobs, strict=True)}
    after = [job.pk for job in planned.terms.after]
    rows = []
    for item, job in zip(planned.jobs, jobs, strict=True):
        waits = [
            (source.role, key)
            for source in (item.source, *item.others)
            if source is not None and (key := _job_of(source, item, made)) is not None
        ]
        rows += [JobDependency(job=job, depends_on_id=key, role=role) for role, key in waits]
        if item.source is None or item.source.step is None:
            sources = {key for _role, key in waits}
            rows += [JobDependency(job=job, depends_on_id=key) for key in after if key not in sources]
    return rows


def _job_of(source: Source, item: PlannedJob, made: dict[tuple[int, UUID, int], Job]) -> UUID | None:
    """The job that a file comes from, or whose end is waited for; None if there is none."""
    if source.step is None:
        return source.job_id
    first = made[source.step, item.shot.pk, 0]
    return made.get((source.step, item.shot.pk, item.take), first).pk


def sources_of(jobs: Iterable[UUID]) -> set[UUID]:
    """Every open job that one of these waits for, or that one of those does: one query for each link."""
    found: set[UUID] = set()
    front = set(jobs)
    while front:
        waits = JobDependency.objects.filter(job__in=front, depends_on__state__in=OPEN)
        front = set(waits.values_list("depends_on_id", flat=True)) - found
        found |= front
    return found


def waiting_for(sources: set[UUID]) -> set[UUID]:
    """Every open job that waits for one of these, or for one that does: one query for each link."""
    found: set[UUID] = set()
    front = sources
    while front:
        waits = JobDependency.objects.filter(depends_on__in=front, job__state__in=OPEN)
        front = set(waits.values_list("job_id", flat=True)) - found - sources
        found |= front
    return found
