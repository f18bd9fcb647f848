"""From a deadline to the moment at which a job must start: the dispatcher raises its rank then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from apps.renders.models import Job
from apps.renders.services.needs import Duration, expected_seconds
from apps.workflows.services import template_of
from workflows.errors import WorkflowError

ROOM: Final = 2
"""A job gets this many times its expected duration: it may wait for a seat, or be tried once more."""
TIMEOUT_OVER_EXPECTED: Final = 4
"""How much longer than usual a manifest lets a render go on: what is expected while nothing was observed."""


def set_start_by(
    jobs: Sequence[Job],
    waits: Iterable[tuple[UUID, UUID]] = (),
    *,
    wanted_by: Mapping[UUID, datetime] | None = None,
) -> None:
    """Set ``start_by`` of the jobs in hand; they are not saved, and have their lanes.

    ``waits``: pairs of a job and one it waits for, among these. What others wait for must end by the time at
    which they must start, so a whole chain keeps the deadline of its last job. ``wanted_by``: when jobs that
    are not among these must start, by the job they wait for.
    """
    wanted_by = wanted_by or {}
    if not wanted_by and all(job.deadline is None for job in jobs):
        for job in jobs:
            job.start_by = None
        return
    seconds = _expected(jobs)
    waited_for_by: dict[UUID, list[UUID]] = defaultdict(list)
    for job_id, source_id in waits:
        waited_for_by[source_id].append(job_id)
    known = {job.pk: job for job in jobs}
    settled: set[UUID] = set()

    def settle(job: Job) -> datetime | None:
        if job.pk not in settled:
            settled.add(job.pk)
            others = [settle(known[key]) for key in waited_for_by[job.pk] if key in known]
            ends = [end for end in (job.deadline, wanted_by.get(job.pk), *others) if end is not None]
            room = timedelta(seconds=ROOM * seconds[job.pk])
            job.start_by = min(ends) - room if ends else None
        return job.start_by

    for job in jobs:
        settle(job)


def _expected(jobs: Sequence[Job]) -> dict[UUID, float]:
    """How long each job is expected to render: as its kind of work did before, else after its manifest."""
    observed = expected_seconds({job.lane.need_id for job in jobs if job.lane is not None})
    return {job.pk: _seconds(job, observed) for job in jobs}


def _seconds(job: Job, observed: Mapping[UUID, Duration | None]) -> float:
    duration = observed.get(job.lane.need_id) if job.lane is not None else None
    if duration is not None:
        return duration.mean_s
    try:
        manifest = template_of(job.template_version).manifest
    except WorkflowError:
        return 0.0  # it cannot render: the dispatcher says so, and a person may steer it all the same
    return manifest.timeouts.execution_s / TIMEOUT_OVER_EXPECTED
