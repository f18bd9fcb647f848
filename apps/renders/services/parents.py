"""Which takes a take was made from, written down when it is born."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from apps.common.ids import uuid_in
from apps.renders.models import Job, JobDependency
from apps.review.models import Artifact, Take, TakeParent


def write_parents(takes: Sequence[Take]) -> None:
    """Write what these new takes were made from: the takes whose files filled their jobs' inputs.

    The shot's material and pictures of the cast are no takes. A constant number of queries.
    """
    children = {take.job_id: take for take in takes}
    named = set(_awaited(children))
    brought = dict(_brought(children))
    owners = dict(Artifact.objects.filter(pk__in=set(brought.values())).values_list("pk", "take"))
    named |= {(job, role, owners[file]) for (job, role), file in brought.items() if file in owners}
    TakeParent.objects.bulk_create(
        TakeParent(child=children[job], parent_id=parent, role=role)
        for job, role, parent in sorted(named, key=str)
        if parent != children[job].pk
    )


def _awaited(children: Mapping[UUID, Take]) -> Iterator[tuple[UUID, str, UUID]]:
    """By jobs that were waited for."""
    waits = JobDependency.objects.filter(job__in=children).exclude(role="")
    rows = list(waits.values_list("job", "role", "depends_on"))
    made = dict(Take.objects.filter(job_id__in={source for _, _, source in rows}).values_list("job_id", "pk"))
    return ((job, role, made[source]) for job, role, source in rows if source in made)


def _brought(children: Mapping[UUID, Take]) -> Iterator[tuple[tuple[UUID, str], UUID]]:
    """By files that were there when the job was submitted: its values name them by their keys."""
    for job, values in Job.objects.filter(pk__in=children).values_list("pk", "values"):
        for role, value in values.items():
            key = uuid_in(value) if isinstance(value, str) else None
            if key is not None:
                yield (job, role), key
