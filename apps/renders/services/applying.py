"""Wishes become columns: judged beside what stays, with all that follows from them, in one transaction.

Everybody locks batches before jobs, and each in the order of their keys: nobody waits crosswise, and a job
is held exactly while it or its batch is paused, whoever else presses at the same moment.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypedDict
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now

from apps.common.clock import database_now
from apps.common.errors import Problem, Refused
from apps.common.models import StateEvent
from apps.renders.models import Job, RenderBatch
from apps.renders.services import bus, hurry
from apps.renders.services.chains import sources_of
from apps.renders.services.envelope import (
    check_place,
    check_priority,
    read_node,
    read_pool,
    read_tags,
    wrong_times,
)
from apps.renders.services.lanes import assign, wake
from apps.renders.services.wishes import wish_of
from apps.renders.states import IN_FLIGHT, OPEN

logger = logging.getLogger(__name__)

HURRY: Final = ("priority", "deadline")
PLACE: Final = ("pool", "tags", "pinned_to")
ONLY_WAITING: Final = (*PLACE, "start_after")
"""What means nothing any more once a node has the job."""
_UNREAD: Final = (
    "values",
    "loras",
    "warnings",
    "failure_message",
    "template_version__graph",
    "template_version__manifest",
    "pinned_to__classes",
    "pinned_to__models_by_folder",
)


class Wishes(TypedDict, total=False):
    """What to change; what is left out stays. None, "" or no tags take a wish back.

    ``pool`` and ``pinned_to`` are names.
    """

    priority: int
    paused: bool
    start_after: datetime | None
    deadline: datetime | None
    pool: str
    tags: Sequence[str]
    pinned_to: str


@dataclass
class Outcome:
    """What became of the jobs asked for, by code. ``same``: open, and already as wished."""

    changed: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    in_flight: list[str] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Count another part of the same request in."""
        self.changed += other.changed
        self.same += other.same
        self.in_flight += other.in_flight
        self.closed += other.closed


def read(wishes: Wishes) -> dict[str, Any]:
    """Look up what the wishes name: values of columns. Raises Refused."""
    columns: dict[str, Any] = {}
    if "priority" in wishes:
        check_priority(wishes["priority"])
        columns["priority"] = int(wishes["priority"])
    if "paused" in wishes:
        columns["paused"] = wishes["paused"]
    if "pool" in wishes:
        columns["pool"] = read_pool(wishes["pool"])
    if "tags" in wishes:
        columns["tags"] = read_tags(wishes["tags"])
    if "pinned_to" in wishes:
        columns["pinned_to"] = read_node(wishes["pinned_to"])
    for name in ("start_after", "deadline"):
        if name in wishes:
            columns[name] = wishes.get(name)
    problems = list(wrong_times(columns.get("start_after"), columns.get("deadline"), database_now()))
    if problems:
        raise Refused(*problems)
    return columns


def judge(keys: list[UUID], columns: Mapping[str, Any], actor: str) -> None:
    """Raise Refused for wishes that these jobs, as they are now, cannot be given. Nothing is written."""
    jobs = list(_rows(keys))
    outcome = Outcome()
    changed = []
    for job in jobs:
        wanted = _wanted(job, columns, outcome)
        if wanted is not None and (diff := _diff(job, wanted)):
            _set(job, diff, actor)
            changed.append(job)
    _check_together(changed, columns)


@transaction.atomic
def change(keys: list[UUID], columns: Mapping[str, Any], actor: str, reason: str) -> Outcome:
    """Give these jobs, all or none, what is wished: values of columns. Raises Refused."""
    if "paused" in columns:
        batches = RenderBatch.objects.filter(jobs__in=keys).order_by("pk").distinct()
        batch_keys = list(batches.values_list("pk", flat=True))
        list(RenderBatch.objects.filter(pk__in=batch_keys).order_by("pk").select_for_update(no_key=True))
    # What they wait for counts at least as they do: locked with them, all in one order.
    sources = sources_of(keys) if any(name in columns for name in HURRY) else set()
    rows = list(_locked([*keys, *sources]))
    asked = set(keys)
    jobs = [row for row in rows if row.pk in asked]
    outcome, diffs = Outcome(), dict[UUID, dict[str, tuple[Any, Any]]]()
    for job in jobs:
        wanted = _wanted(job, columns, outcome)
        if wanted is not None:
            diffs[job.pk] = _diff(job, wanted)
    changed = [job for job in jobs if diffs.get(job.pk)]
    outcome.changed += [job.code for job in changed]
    outcome.same += [job.code for job in jobs if job.pk in diffs and not diffs[job.pk]]
    if not changed:
        return outcome
    for job in changed:
        _set(job, diffs[job.pk], actor)
    _check_together(changed, columns)
    films = {job.project_id for job in changed}
    others = [row for row in rows if row.pk in sources and not diffs.get(row.pk) and row.project_id in films]
    _derive(changed, others, columns)
    _write(changed, columns)
    hurry.save(others)
    StateEvent.objects.bulk_create(wish_of(job, diffs[job.pk], actor=actor, reason=reason) for job in changed)
    wake(job.lane_id for job in changed)
    transaction.on_commit(bus.poke)
    told = {"jobs": len(changed), "what": sorted(columns), "by": actor}
    logger.info("jobs changed", extra=told)
    return outcome


def _diff(job: Job, wanted: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    changes = {name: (getattr(job, name), new) for name, new in wanted.items()}
    return {name: pair for name, pair in changes.items() if pair[0] != pair[1]}


def _rows(keys: list[UUID]) -> QuerySet[Job]:
    rows = Job.objects.filter(pk__in=keys).order_by("pk")
    return rows.select_related("batch", "lane", "pool", "pinned_to", "template_version").defer(*_UNREAD)


def _locked(keys: list[UUID]) -> QuerySet[Job]:
    """The jobs, locked before anything of them is judged."""
    return _rows(keys).select_for_update(of=("self",), no_key=True)


def _wanted(job: Job, columns: Mapping[str, Any], outcome: Outcome) -> dict[str, Any] | None:
    """What of the wishes still counts for this job; None if nothing does."""
    if job.state not in OPEN:
        outcome.closed.append(job.code)
        return None
    if job.state in IN_FLIGHT:
        late = [name for name in columns if name in ONLY_WAITING]
        if late:
            outcome.in_flight.append(job.code)
            return None
    return dict(columns)


def _set(job: Job, changes: Mapping[str, tuple[Any, Any]], actor: str) -> None:
    """Put the new values on the job in hand, with what follows for its rank."""
    by_deadline = job.start_by is None and job.deadline is not None
    raised = job.rank if by_deadline and job.rank > job.priority else 0
    for name, (_old, new) in changes.items():
        setattr(job, name, new)
    if "paused" in changes:
        job.paused_by = actor if job.paused else ""
    if "deadline" in changes:
        raised = 0  # it is raised again when the new deadline asks for it
    job.rank = max(job.priority, raised)


def _check_together(jobs: Sequence[Job], columns: Mapping[str, Any]) -> None:
    """Judge the new values beside those that stay. Raises Refused, naming the job."""
    now = database_now()
    if "start_after" in columns or "deadline" in columns:
        for job in jobs:
            if problems := [_of(job, one) for one in wrong_times(job.start_after, job.deadline, now)]:
                raise Refused(*problems)
    if any(name in columns for name in PLACE):
        places = {(job.pool_id, job.tags, job.pinned_to_id): job for job in jobs}
        for job in places.values():
            try:
                check_place(job.pool, job.tags, job.pinned_to)
            except Refused as refused:
                raise Refused(*(_of(job, problem) for problem in refused.problems)) from refused


def _of(job: Job, problem: Problem) -> Problem:
    return Problem(problem.field, problem.value, f"{job.code}: {problem.message}", problem.code)


def _derive(jobs: Sequence[Job], sources: Sequence[Job], columns: Mapping[str, Any]) -> None:
    """Work out what follows from the new values: whether held, in which lane, when to start at the latest,
    as well for what the jobs wait for (``sources``).
    """
    for job in jobs:
        job.held = job.paused or job.batch.paused
    if any(name in columns for name in PLACE):
        assign(jobs)
    if any(name in columns for name in HURRY):
        for source in sources:
            source.rank = source.priority  # raised again when its new time asks for it
        hurry.settle([*jobs, *sources])


def _write(jobs: Sequence[Job], columns: Mapping[str, Any]) -> None:
    """Save with one statement for each set of jobs that end up alike."""
    names = [*(_column(name) for name in columns), "rank"]
    if "paused" in columns:
        names += ["paused_by", "held"]
    if any(name in columns for name in PLACE):
        names.append("lane_id")
    if any(name in columns for name in HURRY):
        names.append("start_by")
    alike: dict[tuple[Any, ...], list[UUID]] = defaultdict(list)
    for job in jobs:
        alike[tuple(getattr(job, name) for name in names)].append(job.pk)
    for values, keys in alike.items():
        row = dict(zip(names, values, strict=True))
        Job.objects.filter(pk__in=keys).update(**row, row_version=F("row_version") + 1, updated_at=Now())


def _column(name: str) -> str:
    return f"{name}_id" if name in ("pool", "pinned_to") else name
