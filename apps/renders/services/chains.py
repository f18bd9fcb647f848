"""What waits for what: keyframe → clip → interpolate → upscale, and jobs of other requests before all."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from apps.renders.models import Job, JobDependency
from apps.renders.services.planning import Plan, PlannedJob


def dependencies(planned: Plan, jobs: Sequence[Job]) -> list[JobDependency]:
    """Write down what each new job waits for: its source, and the jobs the whole request comes after.

    A job waits for the source of its own take number, else for the first take's. Whoever waits for a job of
    the same request comes after the others by that. No cycle can arise: everybody waits for older jobs.
    """
    made = {(item.step, item.shot.pk, item.take): job for item, job in zip(planned.jobs, jobs, strict=True)}
    after = [job.pk for job in planned.terms.after]
    rows = []
    for item, job in zip(planned.jobs, jobs, strict=True):
        source = _source(item, made)
        role = item.source.role if item.source else ""
        if source is not None:
            rows.append(JobDependency(job=job, depends_on_id=source, role=role))
        if item.source is None or item.source.step is None:
            rows += [JobDependency(job=job, depends_on_id=key) for key in after if key != source]
    return rows


def _source(item: PlannedJob, made: dict[tuple[int, UUID, int], Job]) -> UUID | None:
    """The job this one's file comes from, or whose end it waits for; None if it needs none."""
    source = item.source
    if source is None or source.step is None:
        return source.job_id if source else None
    first = made[source.step, item.shot.pk, 0]
    return made.get((source.step, item.shot.pk, item.take), first).pk
