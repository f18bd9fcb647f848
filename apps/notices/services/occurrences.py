"""From state changes to what happened: events get their names, their project, and whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef

from apps.common.models import StateEvent
from apps.nodes.models import Node
from apps.notices.kinds import FARM, OF_NODES, Kind, closes_job, kind_of, opens_job
from apps.notices.models import BatchEnd
from apps.productions.models import Shot
from apps.renders.models import Job, RenderBatch
from apps.renders.progress import Tally, tallies
from apps.renders.states import OPEN, JobState

LONGEST_REASON: Final = 300


@dataclass(frozen=True)
class Occurrence:
    """Something that can be told. ``about``: what notices of it are about; ``code``: how people call that.

    ``item``: the facts, as a webhook's body lists them. ``event``: the key of the event it comes of.
    """

    kind: Kind
    event: int
    at: datetime
    about: UUID = FARM
    code: str = ""
    project: UUID | None = None
    submitter: UUID | None = None
    item: dict[str, Any] = field(default_factory=dict)


def occurrences_in(events: Sequence[StateEvent]) -> list[Occurrence]:
    """Return what these events tell, in their order, in a constant number of queries."""
    told = [(event, kind) for event in events if (kind := kind_of(event))]
    touched = [event for event in events if closes_job(event) or opens_job(event)]
    jobs = _jobs({event.subject for event in touched})
    nodes = _node_names({event.subject for event, kind in told if kind in OF_NODES})
    shots = _shots({event.subject for event, kind in told if kind is Kind.SHOT_AUTOMATION})
    found = [
        _of_node(event, kind, nodes)
        if kind in OF_NODES
        else _of_shot(event, shots[event.subject])
        if kind is Kind.SHOT_AUTOMATION
        else _of_job(event, kind, jobs[event.subject])
        for event, kind in told
        if kind in OF_NODES or event.subject in jobs or event.subject in shots
    ]
    return found + _ends(touched, jobs)


def _shots(keys: Iterable[UUID]) -> dict[UUID, Shot]:
    if not keys:
        return {}
    rows = Shot.objects.filter(pk__in=list(keys)).select_related("sequence", "project")
    shown = rows.only("code", "status_id", "project__code", "sequence__code")
    return {shot.pk: shot for shot in shown}


def _of_shot(event: StateEvent, shot: Shot) -> Occurrence:
    item = {
        "shot": str(shot.pk),
        "code": shot.full_code,
        "status": shot.status_id,
        "reason": event.reason[:LONGEST_REASON],
        "at": event.at.isoformat(),
    }
    return Occurrence(
        kind=Kind.SHOT_AUTOMATION,
        event=event.pk,
        at=event.at,
        about=shot.project_id,
        code=shot.project.code,
        project=shot.project_id,
        item=item,
    )


def _jobs(keys: Iterable[UUID]) -> dict[UUID, Job]:
    rows = Job.objects.filter(pk__in=list(keys)).select_related("batch", "shot__sequence")
    shown = rows.only(
        "code", "kind", "take_number", "failure_class", "project_id", "batch__code", "batch__submitted_by_id",
        "batch__note", "batch__project_id", "shot__code", "shot__sequence__code",
    )  # fmt: skip
    return {job.pk: job for job in shown}


def _node_names(keys: Iterable[UUID]) -> dict[UUID, str]:
    return dict(Node.objects.filter(pk__in=list(keys)).values_list("pk", "name"))


def _of_job(event: StateEvent, kind: Kind, job: Job) -> Occurrence:
    item = {
        "job": str(job.pk),
        "code": job.code,
        "shot": job.shot.full_code,
        "kind": job.kind,
        "take": job.take_number,
        "state": event.to_state,
        "reason": event.reason[:LONGEST_REASON],
        "at": event.at.isoformat(),
    }
    if kind is not Kind.JOB_DONE:
        item["failure"] = job.failure_class
    return Occurrence(
        kind=kind,
        event=event.pk,
        at=event.at,
        about=job.batch_id,
        code=job.batch.code,
        project=job.project_id,
        submitter=job.batch.submitted_by_id,
        item=item,
    )


def _of_node(event: StateEvent, kind: Kind, names: dict[UUID, str]) -> Occurrence:
    name = names.get(event.subject, str(event.subject))
    item = {
        "node": str(event.subject),
        "name": name,
        "state": event.to_state,
        "reason": event.reason[:LONGEST_REASON],
        "at": event.at.isoformat(),
    }
    return Occurrence(kind=kind, event=event.pk, at=event.at, code=name, item=item)


def _ends(touched: Sequence[StateEvent], jobs: dict[UUID, Job]) -> list[Occurrence]:
    """Batches whose last open job has closed, each end once: it is marked, until a job is open again.

    Whether a batch is done is asked of its jobs as they stand now. One that was requeued before its end was
    told goes on, and its next end is told.
    """
    closed: dict[UUID, StateEvent] = {}
    batches: dict[UUID, RenderBatch] = {}
    for event in touched:
        job = jobs.get(event.subject)
        if job is None:
            continue
        batches[job.batch_id] = job.batch
        if closes_job(event):
            closed[job.batch_id] = event
    reopened = {jobs[e.subject].batch_id for e in touched if opens_job(e) and e.subject in jobs}
    BatchEnd.objects.filter(batch__in=reopened).delete()
    going_on = _going_on(closed)
    told = set(BatchEnd.objects.filter(batch__in=list(closed)).values_list("batch_id", flat=True))
    ended = [key for key in closed if key not in going_on and key not in told]
    BatchEnd.objects.bulk_create(BatchEnd(batch_id=key) for key in ended)
    counted = tallies(ended)
    found = [_end(batches[key], closed[key], counted[key]) for key in ended]
    return [end for end in found if end is not None]


def _going_on(batches: Iterable[UUID]) -> set[UUID]:
    """Return which of these batches have an open job; the first one that is found is enough."""
    an_open_one = Job.objects.filter(batch=OuterRef("pk"), state__in=OPEN)
    rows = RenderBatch.objects.filter(Exists(an_open_one), pk__in=list(batches)).order_by()
    return set(rows.values_list("pk", flat=True))


def _end(batch: RenderBatch, last: StateEvent, tally: Tally) -> Occurrence | None:
    """A batch that was cancelled as a whole is no news: somebody did that."""
    if not tally.failed and not tally.by_state.get(JobState.SUCCEEDED):
        return None
    return Occurrence(
        kind=Kind.BATCH_FAILED if tally.failed else Kind.BATCH_DONE,
        event=last.pk,
        at=last.at,
        about=batch.pk,
        code=batch.code,
        project=batch.project_id,
        submitter=batch.submitted_by_id,
        item={
            "batch": str(batch.pk),
            "code": batch.code,
            "note": batch.note,
            "jobs": tally.total,
            "by_state": {str(state): count for state, count in tally.by_state.items()},
            "at": last.at.isoformat(),
        },
    )
