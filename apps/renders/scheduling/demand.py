"""What waits: active lanes, the first few jobs of each, how much work is behind them.

Every query is bounded by lanes and seats. None grows with the backlog.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Prefetch, QuerySet, When
from django.db.models.functions import Greatest

from apps.common.clock import aware
from apps.nodes.models import Node
from apps.renders.models import Attempt, Job, Lane
from apps.renders.scheduling.sleep import keep_awake
from apps.workflows.models import WorkflowTemplateVersion
from apps.workflows.services import template_of
from workflows.bind import models_needed
from workflows.errors import WorkflowError
from workflows.load import Template

logger = logging.getLogger(__name__)

MOST_COUNTED: Final = 2_000
"""Jobs counted of one lane: beyond it a lane has work for longer than any choice here looks ahead."""

AT_ONCE: Final = 5_000
"""Jobs changed by one tick: a film that starts at ten in the evening does so within seconds."""

_STARTABLE: Final = "lane_id = {lane} AND state = 'ready' AND NOT held AND start_after IS NULL"
_BEST: Final = "ORDER BY rank DESC, ready_at, id"
_OLDEST: Final = "ORDER BY ready_at, id"


class Head(NamedTuple):
    """A job at the front of its lane."""

    job_id: UUID
    rank: int
    ready_at: datetime


class Fit(NamedTuple):
    """What decides which nodes can run a lane's jobs: lanes alike in this fit the same ones."""

    template_id: UUID
    template: str
    precision: str
    lora_files: str
    tier_gb: int | None
    pool_id: UUID | None
    tags: str
    pinned_to_id: UUID | None
    avoids: str


@dataclass
class Waiting:
    """A lane as one tick sees it. ``heads``: its best jobs, best first; ``oldest``: who waits longest.

    ``tier_gb`` None: no card is that large. ``models``: files its jobs load (``folder/name``), LoRAs aside.
    """

    lane: Lane
    template: Template
    models: frozenset[str]
    heads: list[Head] = field(default_factory=list)
    oldest: Head | None = None

    @cached_property
    def tier_gb(self) -> int | None:
        return self.lane.tier_gb

    @cached_property
    def project_id(self) -> UUID:
        return self.lane.project_id

    @cached_property
    def template_id(self) -> UUID:
        return self.lane.template_version.template_id

    @cached_property
    def fit(self) -> Fit:
        lane = self.lane
        return Fit(
            self.template_id,
            self.template.sha256,
            lane.precision,
            lane.lora_files,
            self.tier_gb,
            lane.pool_id,
            lane.tags,
            lane.pinned_to_id,
            lane.avoids,
        )


_WORDS: Final = ("wait_code", "wait_params", "wait_nodes", "waits_since")


def active_lanes(*, with_words: bool = False) -> list[Waiting]:
    """Every lane that may hold a ready job. ``with_words``: and why it waited so far, a long table each."""
    lanes = Lane.objects.filter(active=True)
    return waiting_in(lanes if with_words else lanes.defer(*_WORDS))


def waiting_in(lanes: QuerySet[Lane]) -> list[Waiting]:
    """These lanes as a tick sees them, their heads unread.

    A lane whose template cannot be read is left out: it must not stop all the others.
    """
    # Prefetched, not joined: a thousand lanes share a few projects and templates.
    rows = lanes.select_related("need").prefetch_related(
        "project",
        Prefetch("template_version", WorkflowTemplateVersion.objects.only("template_id")),
        "pool",
        Prefetch("pinned_to", Node.objects.defer("classes", "models_by_folder")),
    )
    return [
        Waiting(lane, template, _models(lane.template_version_id, lane.precision))
        for lane in rows
        if (template := _readable(lane.template_version_id)) is not None
    ]


def read_heads(waiting: Sequence[Waiting], *, most: int) -> None:
    """Fill ``heads`` with up to ``most`` jobs of each lane that may start now, and ``oldest``."""
    lanes = {each.lane.pk: each for each in waiting}
    for each in waiting:
        each.heads, each.oldest = [], None
    for lane_id, head in _fronts(list(lanes), _BEST, most):
        lanes[lane_id].heads.append(head)
    for lane_id, head in _fronts(list(lanes), _OLDEST, 1):
        lanes[lane_id].oldest = head


def depths(lane_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Count the jobs of each lane that may start now and are of its best class, up to MOST_COUNTED."""
    if not lane_ids:
        return {}
    job, lane = Job._meta.db_table, Lane._meta.db_table
    startable = _STARTABLE.format(lane="l.id")
    # In the order of the index: without one PostgreSQL reads the table, from its beginning, for each lane.
    best = f"SELECT rank FROM {job} WHERE {startable} {_BEST} LIMIT 1"  # noqa: S608 - our own names
    heads = (
        f"SELECT 1 FROM {job} WHERE {startable} AND rank = ({best})"  # noqa: S608 - our own names
        f" {_BEST} LIMIT %s"
    )
    sql = (
        f"SELECT l.id, (SELECT count(*) FROM ({heads}) counted)"  # noqa: S608 - our own names
        f" FROM {lane} l WHERE l.id IN ({_places(lane_ids)})"
    )
    return {_uuid(lane_id): count for lane_id, count in _rows(sql, [MOST_COUNTED, *map(_raw, lane_ids)])}


def let_rested_start(now: datetime) -> int:
    """Let jobs whose ``start_after`` has come join their lanes; return how many.

    One that was never sent has waited for its time, not for a node: it is ready since then, and not starving
    when the night begins. One that rests after a failure keeps its age.
    """
    rested = Job.objects.filter(state="ready", start_after__lte=now)
    if not rested.exists():
        return 0
    with transaction.atomic():
        found = dict(_unlocked(rested).values_list("pk", "lane_id"))
        sent = Exists(Attempt.objects.filter(job=OuterRef("pk")))
        since = Case(When(sent, then=F("ready_at")), default=Greatest(F("ready_at"), F("start_after")))
        Job.objects.filter(pk__in=found).update(start_after=None, ready_at=since)
        keep_awake(key for key in found.values() if key)
    return len(found)


def raise_due(now: datetime, *, rank: int) -> int:
    """Raise jobs that must start by now to keep their deadline; return how many."""
    due = Job.objects.filter(state="ready", start_by__lte=now)
    if not due.exists():  # nearly always: a write each tick would make others wait
        return 0
    with transaction.atomic():
        found = list(_unlocked(due).values_list("pk", flat=True))
        return Job.objects.filter(pk__in=found).update(rank=Greatest(F("rank"), rank), start_by=None)


def _unlocked(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """Up to AT_ONCE of these, locked; what somebody steers just now can wait for the next tick."""
    return jobs.order_by("pk").select_for_update(no_key=True, skip_locked=True)[:AT_ONCE]


def _fronts(lane_ids: list[UUID], order: str, most: int) -> Iterable[tuple[UUID, Head]]:
    if not lane_ids or most < 1:
        return
    job = Job._meta.db_table
    columns = "id, rank, ready_at"
    if connection.vendor == "postgresql":
        lane = Lane._meta.db_table
        startable = _STARTABLE.format(lane="l.id")
        sql = (
            f"SELECT l.id, j.id, j.rank, j.ready_at FROM {lane} l CROSS JOIN LATERAL"  # noqa: S608 - our own names
            f" (SELECT {columns} FROM {job} WHERE {startable} {order} LIMIT %s) j"
            f" WHERE l.id IN ({_places(lane_ids)})"
        )
        for row in _rows(sql, [most, *map(_raw, lane_ids)]):
            yield _uuid(row[0]), _head(row[1:])
        return
    startable = _STARTABLE.format(lane="%s")  # SQLite knows no LATERAL, and a query costs it nothing
    sql = f"SELECT {columns} FROM {job} WHERE {startable} {order} LIMIT %s"  # noqa: S608 - our own names
    for lane_id in lane_ids:
        for told in _rows(sql, [_raw(lane_id), most]):
            yield lane_id, _head(told)


def _head(told: Sequence[Any]) -> Head:
    job_id, rank, ready_at = told
    return Head(_uuid(job_id), rank, aware(ready_at))


def _raw(key: UUID) -> UUID | str:
    """A key as this database takes it in a raw query."""
    return key if connection.features.has_native_uuid_field else key.hex


def _uuid(told: UUID | str) -> UUID:
    return told if isinstance(told, UUID) else UUID(told)


def _rows(sql: str, params: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def _places(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


@lru_cache(maxsize=10_000)
def models_of(lane_id: UUID) -> frozenset[str]:
    """The files (``folder/name``) that a lane's jobs load, LoRAs aside. Lanes never change."""
    lane = Lane.objects.only("template_version", "precision").get(pk=lane_id)
    return _models(lane.template_version_id, lane.precision)


@lru_cache(maxsize=500)
def _readable(version_id: UUID) -> Template | None:
    """The template, or None for one that cannot be read, which is said once."""
    try:
        return _template(version_id)
    except WorkflowError as exc:
        logger.error("a template cannot be read", extra={"version": str(version_id), "why": str(exc)})
        return None


@lru_cache(maxsize=500)
def _template(version_id: UUID) -> Template:
    return template_of(WorkflowTemplateVersion.objects.get(pk=version_id))


@lru_cache(maxsize=2_000)
def _models(version_id: UUID, precision: str) -> frozenset[str]:
    files = models_needed(_template(version_id), precision or None)
    return frozenset(f"{file.folder}/{file.name}" for file in files)
