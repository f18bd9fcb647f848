"""When jobs and batches will be done: the farm as it stands now, read once, put before the forecast.

Who could take what, who has a turn and what is held back are the dispatcher's own rules (renders.scheduling),
so that nobody has a second opinion. Nothing here grows with the backlog: lanes are counted from the
dispatcher's index, and no further than MOST_AHEAD.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Q

from apps.common.clock import database_now
from apps.common.counting import CountAtMost
from apps.nodes.models import Node
from apps.projects.models import Project
from apps.renders.eta import Eta
from apps.renders.forecast import Ahead, Durations, Expected, InHand, Queue, Span, expect, expect_running
from apps.renders.models import Attempt, Job, Lane, NeedTier, RenderBatch
from apps.renders.scheduling.demand import Waiting, waiting_in
from apps.renders.scheduling.round import read_round, used_lately
from apps.renders.scheduling.shares import Shares
from apps.renders.scheduling.supply import Held, read_supply
from apps.renders.states import IN_FLIGHT, OPEN, JobState
from apps.renders.waiting import NodeRow, asks_nodes, node_row

MOST_AHEAD: Final = 2_000
"""Jobs of one lane are counted no further; with more before it a job has no latest time."""

MOST_CHAINED: Final = 6
"""Dependencies followed one behind the other."""

MOST_NODES: Final = 60
"""Nodes that are named one by one."""

MOST_LAST: Final = 12
"""Jobs of a batch that are looked at: the last ones of its lanes, those on nodes, the last blocked ones."""


class Unknown(StrEnum):
    """Why no time is told."""

    FEW = "few"  # fewer than three renders of its kind, or of what goes first, were seen
    NOBODY = "nobody"  # no node could take it as the farm stands
    HELD = "held"  # somebody holds it back, or what it waits for


Told = Expected | Unknown


class _Counts(NamedTuple):
    """Jobs of one lane that may start: of a higher class, of the same, and of those the earlier ones."""

    higher: int
    level: int
    earlier: int


@dataclass(frozen=True)
class _Doing:
    """What an attempt's job is and how far."""

    state: str
    progress: float
    code: str


class Outlook:
    """One reading of the farm. Ask it about as many jobs as you like."""

    def __init__(self) -> None:
        self.now = database_now()
        self._round = read_round(self.now)
        self._supply = self._round.supply if self._round.lanes else read_supply(self.now)
        self._lanes = {each.lane.pk: each for each in self._round.lanes}
        self._endless = False

    def of(self, job: Job) -> Eta | None:
        """When a job starts and ends; None for a closed one."""
        if job.state not in OPEN:
            return None
        self._endless = False
        return self._eta(self._expected(job))

    def takers(self, job: Job) -> list[NodeRow]:
        """What the nodes say that could take a job: when they are free, and by what they are kept."""
        each = self._lane_of(job) if asks_nodes(job) else None
        if each is None:
            return []
        able = [node for node in self._supply.nodes if node.pk in self._supply.able(each)]
        return [self._taker(node) for node in sorted(able, key=lambda node: node.name)[:MOST_NODES]]

    def of_batch(self, batch: RenderBatch) -> Eta | None:
        """When the last open job of a batch ends; None if none is open."""
        last = self._last_of(batch)
        if not last:
            return None
        self._endless = False
        told = [self._expected(job) for job in last]
        unknown = next((one for one in told if isinstance(one, Unknown)), None)
        if unknown is not None:
            return self._eta(unknown)
        ends = [one.end for one in told if isinstance(one, Expected)]
        latest = ends[0]
        for end in ends[1:]:
            latest = latest.after(end)
        return self._eta(Expected(latest))

    def _eta(self, told: Told) -> Eta:
        if isinstance(told, Unknown):
            return Eta.not_known(str(told))
        return Eta.of(told, self.now, endless=self._endless)

    def _expected(self, job: Job, chained: int = 0) -> Told:
        if job.state in IN_FLIGHT:
            return self._in_flight(job)
        not_before = self._not_before(job, chained)
        if isinstance(not_before, Unknown):
            return not_before
        each = self._lane_of(job)
        if each is None or (job.state == JobState.READY and each.lane.pk in self._round.holds):
            return Unknown.HELD
        able = self._supply.able(each)
        if not able:
            return Unknown.NOBODY
        queue = Queue([self._in_hand(node) for node in able], self._ahead(job, each, able))
        takes = self._takes(each.lane.need_id, None)
        return expect(queue, takes, not_before=not_before, seed=_seed(job)) or Unknown.FEW

    def _in_flight(self, job: Job) -> Told:
        attempt = (
            Attempt.objects.select_related("node").filter(job=job, token=job.token, holds_slot=True).first()
        )
        if attempt is None or job.lane is None:
            return Unknown.FEW
        tier = attempt.node.tier_gb if attempt.node else None
        takes = self._takes(job.lane.need_id, tier)
        if attempt.executing_at is not None:
            elapsed = (self.now - attempt.executing_at).total_seconds()
            told = expect_running(InHand(takes, max(0.0, elapsed), job.progress), seed=_seed(job))
            return told or Unknown.FEW
        before = self._in_hand(attempt.node_id, but=attempt.pk) if attempt.node_id else []
        return expect(Queue([before]), takes, seed=_seed(job)) or Unknown.FEW

    def _not_before(self, job: Job, chained: int) -> Span | Unknown | None:
        """The earliest a job may start, by its own time and by what it waits for."""
        if job.held:
            return Unknown.HELD
        start: Span | None = None
        if job.start_after is not None:
            seconds = max(0.0, (job.start_after - self.now).total_seconds())
            start = Span(seconds, seconds)
        if job.state != JobState.BLOCKED:
            return start
        waits = Job.objects.select_related("lane").filter(dependents__job=job)
        for source in waits.exclude(state=JobState.SUCCEEDED).distinct():
            if source.state not in OPEN or chained >= MOST_CHAINED:
                return Unknown.HELD
            told = self._expected(source, chained + 1)
            if isinstance(told, Unknown):
                return told
            start = told.end if start is None else start.after(told.end)
        return start

    def _lane_of(self, job: Job) -> Waiting | None:
        if job.lane_id is not None and job.lane_id not in self._lanes:  # a blocked job's lane may be asleep
            self._lanes |= {each.lane.pk: each for each in waiting_in(Lane.objects.filter(pk=job.lane_id))}
        return self._lanes.get(job.lane_id) if job.lane_id is not None else None

    def _ahead(self, job: Job, own: Waiting, able: set[UUID]) -> list[Ahead]:
        """Who goes first: higher classes, earlier jobs of the project, other projects by their share."""
        counts = self._counts(job)
        mine = own.project_id
        level = defaultdict[UUID, float](float)
        for key, told in counts.items():
            each = self._lanes[key]
            same = told.earlier if each.project_id == mine else told.level
            level[each.project_id] += same * self._takes(each.lane.need_id, None).mean
        ours = level[mine] + self._takes(own.lane.need_id, None).mean / 2
        ahead = []
        for key, told in counts.items():
            each = self._lanes[key]
            part = _part(self._supply.able(each), able)
            jobs: float = told.earlier
            if each.project_id != mine:
                jobs = told.level * self._turns(each.project_id, mine, ours, level[each.project_id])
            if part and told.higher + jobs:
                self._endless = self._endless or max(told.higher, jobs) >= MOST_AHEAD
                ahead.append(Ahead((told.higher + jobs) * part, self._takes(each.lane.need_id, None)))
        return [*ahead, *self._on_their_way(), *self._blocked_before(job, own)]

    def _counts(self, job: Job) -> dict[UUID, _Counts]:
        heads = Job.objects.filter(state=JobState.READY, held=False, start_after=None)
        same = heads.filter(rank=job.rank)
        earlier = same
        if job.state == JobState.READY and job.ready_at is not None:
            before = Q(ready_at__lt=job.ready_at) | Q(ready_at=job.ready_at, pk__lt=job.pk)
            earlier = same.filter(before, ready_at__lte=job.ready_at)  # the bound is what the index reads
        lanes = Lane.objects.filter(pk__in=[each.lane.pk for each in self._round.open_lanes])
        rows = lanes.annotate(
            higher=CountAtMost(heads.filter(rank__gt=job.rank), "lane", most=MOST_AHEAD),
            level=CountAtMost(same, "lane", most=MOST_AHEAD),
            earlier=CountAtMost(earlier, "lane", most=MOST_AHEAD),
        )
        told = rows.values_list("pk", "higher", "level", "earlier")
        return {key: _Counts(*counts) for key, *counts in told if any(counts)}

    def _turns(self, other: UUID, mine: UUID, ours: float, theirs: float) -> float:
        """Which part of another project's jobs of the same class goes before ours, by their shares."""
        if not theirs:
            return 1.0
        due = ours * self._shares.entitled(other) / max(self._shares.entitled(mine), 1e-9)
        return min(1.0, due / theirs)

    @cached_property
    def _shares(self) -> Shares:
        flying = self._supply.in_flight()
        demanding = {each.project_id for each in self._lanes.values()}
        weights = Project.objects.filter(pk__in=demanding | set(flying)).values_list("pk", "weight")
        return Shares(
            weights={key: float(weight) for key, weight in weights},
            used=used_lately(self.now),
            in_flight=flying,
            demanding=demanding,
            seats=2 * len(self._supply.nodes),
        )

    def _on_their_way(self) -> list[Ahead]:
        """Orders on the queues of tiers, which some node is about to take."""
        loose = [held for held in self._supply.held if held.node_id is None]
        return [Ahead(1, self._takes(self._need_of.get(held.lane_id), None)) for held in loose]

    def _blocked_before(self, job: Job, own: Waiting) -> list[Ahead]:
        """Blocked jobs of its batch that become ready before it, as far as their order tells."""
        if job.state != JobState.BLOCKED:
            return []
        before = Job.objects.filter(
            batch=job.batch_id, lane=job.lane_id, state=JobState.BLOCKED, pk__lt=job.pk
        )
        return [Ahead(before.count(), self._takes(own.lane.need_id, None))]

    def _taker(self, node: Node) -> NodeRow:
        held = self._supply.by_node.get(node.pk, [])
        if not held:
            return node_row(node.name, "free", {})
        if len(held) > 1:
            return node_row(node.name, "staged", {})
        work = self._work(held[0])
        left = work.takes.mean - (work.elapsed or 0.0) if work.takes.known else 0.0
        facts = {"job": self._doing[held[0].attempt_id].code, "left_s": left if left > 0 else None}
        return node_row(node.name, "busy", facts)

    def _in_hand(self, node: UUID, *, but: UUID | None = None) -> list[InHand]:
        """What a node has before its next job, the work that executes first."""
        return [
            self._work(held)
            for held in self._supply.by_node.get(node, ())
            if held.attempt_id != but and self._doing[held.attempt_id].state in OPEN
        ]

    def _work(self, held: Held) -> InHand:
        takes = self._takes(self._need_of.get(held.lane_id), self._tiers.get(held.node_id))
        if held.executing_at is None:
            return InHand(takes)
        elapsed = max(0.0, (self.now - held.executing_at).total_seconds())
        return InHand(takes, elapsed, self._doing[held.attempt_id].progress)

    @cached_property
    def _doing(self) -> dict[UUID, _Doing]:
        rows = Attempt.objects.filter(pk__in=[held.attempt_id for held in self._supply.held])
        told = rows.values_list("pk", "job__state", "job__progress", "job__code")
        return {key: _Doing(state, progress, code) for key, state, progress, code in told}

    @cached_property
    def _need_of(self) -> dict[UUID | None, UUID]:
        lanes = {held.lane_id for held in self._supply.held if held.lane_id is not None}
        return dict(Lane.objects.filter(pk__in=lanes).values_list("pk", "need_id"))

    @cached_property
    def _tiers(self) -> dict[UUID | None, int | None]:
        return {node.pk: node.tier_gb for node in self._supply.nodes}

    def _takes(self, need: UUID | None, tier_gb: int | None) -> Durations:
        """What was seen of a kind of work on cards of one tier; where that is too little, or None: of all."""
        here = self._seen.get((need, tier_gb), Durations())
        return here if here.known else self._seen.get((need, None), Durations())

    @cached_property
    def _seen(self) -> dict[tuple[UUID | None, int | None], Durations]:
        """Of every kind of work that is in some lane or in some hand."""
        needs = {each.lane.need_id for each in self._lanes.values()} | set(self._need_of.values())
        seen: dict[tuple[UUID | None, int | None], Durations] = {}
        for row in NeedTier.objects.filter(need__in=needs, successes__gt=0):
            one = Durations(row.successes, row.seconds_mean, row.seconds_m2)
            seen[row.need_id, row.tier_gb] = one
            seen[row.need_id, None] = seen.get((row.need_id, None), Durations()) + one
        return seen

    def _last_of(self, batch: RenderBatch) -> list[Job]:
        """The open jobs of a batch among which the last one to end should be."""
        jobs = Job.objects.filter(batch=batch, state__in=OPEN).select_related("lane")
        order = jobs.order_by("rank", "-ready_at", "-pk")
        last: dict[tuple[str, UUID | None], Job] = {}
        for job in order.defer("values", "loras", "warnings"):
            last.setdefault((job.state if job.state not in IN_FLIGHT else str(job.pk), job.lane_id), job)
        return list(last.values())[:MOST_LAST]


def _part(theirs: set[UUID], ours: set[UUID]) -> float:
    """Which part of their work meets the nodes that could take ours."""
    return len(theirs & ours) / len(theirs) if theirs else 0.0


def _seed(job: Job) -> int:
    return job.pk.int & 0xFFFFFFFF
