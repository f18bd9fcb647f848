"""When jobs and batches will be done: the farm as it stands now, read once, put before the forecast.

Nothing here grows with the backlog: lanes are counted from the dispatcher's index, and no further than
MOST_AHEAD.
"""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple
from uuid import UUID

from django.db.models import Q

from apps.common.counting import CountAtMost
from apps.projects.models import Project
from apps.renders.eta import Eta
from apps.renders.forecast import Ahead, Expected, InHand, Queue, Span, expect, expect_running
from apps.renders.models import Attempt, Job, Lane, RenderBatch
from apps.renders.reading import Reading
from apps.renders.scheduling.demand import Waiting, waiting_in
from apps.renders.scheduling.round import used_lately
from apps.renders.scheduling.shares import Shares
from apps.renders.states import IN_FLIGHT, OPEN, JobState
from apps.renders.waiting import NodeRow, asks_nodes, startable

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


class Outlook(Reading):
    """One reading of the farm. Ask it about as many jobs as you like."""

    def __init__(self) -> None:
        super().__init__()
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
        able = [node for node in self.supply.nodes if node.pk in self.supply.able(each)]
        return [self.hands.says(node) for node in sorted(able, key=lambda node: node.name)[:MOST_NODES]]

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
        if each is None or (job.state == JobState.READY and each.lane.pk in self.round.holds):
            return Unknown.HELD
        able = self.supply.able(each)
        if not able:
            return Unknown.NOBODY
        ahead = self._ahead(job, each)
        for name in self.round.limits.of.get(each.template_id, ()):
            let_through = self._let_through(name, job, each, ahead)
            if isinstance(let_through, Unknown):
                return let_through
            not_before = let_through if not_before is None else not_before.after(let_through)
        queue = Queue([self.hands.before(node) for node in able], self.here(ahead, able))
        return expect(queue, self.takes(each), not_before=not_before, seed=_seed(job)) or Unknown.FEW

    def _in_flight(self, job: Job) -> Told:
        attempts = Attempt.objects.select_related("node").filter(job=job, token=job.token, holds_slot=True)
        attempt = attempts.first()
        if attempt is None or job.lane is None:
            return Unknown.FEW
        takes = self.experience.of(job.lane.need_id, attempt.node.tier_gb if attempt.node else None)
        if attempt.executing_at is not None:
            elapsed = (self.now - attempt.executing_at).total_seconds()
            told = expect_running(InHand(takes, max(0.0, elapsed), job.progress), seed=_seed(job))
            return told or Unknown.FEW
        before = self.hands.before(attempt.node_id, but=attempt.pk) if attempt.node_id else []
        return expect(Queue([before]), takes, seed=_seed(job)) or Unknown.FEW

    def _let_through(self, limit: str, job: Job, each: Waiting, ahead: dict[UUID, float]) -> Span | Unknown:
        """When a limit lets the job through: its places are seats, whatever nodes there are."""
        templates = {key for key, names in self.round.limits.of.items() if limit in names}
        seats = list(self.hands.of_templates(templates))
        seats += [[] for _ in range(max(0, self.round.limits.left[limit]))]
        if not seats:
            return Unknown.HELD
        same = [
            Ahead(jobs, self.takes(self.lanes[key]))
            for key, jobs in ahead.items()
            if self.lanes[key].template_id in templates
        ]
        told = expect(Queue(seats, same), self.takes(each), seed=_seed(job))
        return Unknown.FEW if told is None or told.start is None else told.start

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
        if job.lane_id is not None and job.lane_id not in self.lanes:  # a blocked job's lane may be asleep
            self.lanes |= {each.lane.pk: each for each in waiting_in(Lane.objects.filter(pk=job.lane_id))}
        return self.lanes.get(job.lane_id) if job.lane_id is not None else None

    def _ahead(self, job: Job, own: Waiting) -> dict[UUID, float]:
        """Who goes first, by lane: higher classes, earlier jobs of the project, others by their share."""
        counts = self._counts(job)
        mine = own.project_id
        level = defaultdict[UUID, float](float)
        for key, told in counts.items():
            each = self.lanes[key]
            same = told.earlier if each.project_id == mine else told.level
            level[each.project_id] += same * self.takes(each).mean
        ours = level[mine] + self.takes(own).mean / 2
        ahead: dict[UUID, float] = {}
        for key, told in counts.items():
            each = self.lanes[key]
            jobs: float = told.earlier
            if each.project_id != mine:
                jobs = told.level * self._turns(each.project_id, mine, ours, level[each.project_id])
            if told.higher + jobs:
                self._endless = self._endless or max(told.higher, jobs) >= MOST_AHEAD
                ahead[key] = told.higher + jobs
        if job.state == JobState.BLOCKED:
            ahead[own.lane.pk] = ahead.get(own.lane.pk, 0.0) + self._blocked_before(job)
        return ahead

    def _counts(self, job: Job) -> dict[UUID, _Counts]:
        heads = startable()
        same = heads.filter(rank=job.rank)
        earlier = same
        if job.state == JobState.READY and job.ready_at is not None:
            before = Q(ready_at__lt=job.ready_at) | Q(ready_at=job.ready_at, pk__lt=job.pk)
            earlier = same.filter(before, ready_at__lte=job.ready_at)  # the bound is what the index reads
        lanes = Lane.objects.filter(pk__in=[each.lane.pk for each in self.round.open_lanes])
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
        flying = self.supply.in_flight()
        demanding = {each.project_id for each in self.lanes.values()}
        weights = Project.objects.filter(pk__in=demanding | set(flying)).values_list("pk", "weight")
        return Shares(
            weights={key: float(weight) for key, weight in weights},
            used=used_lately(self.now),
            in_flight=flying,
            demanding=demanding,
            seats=2 * len(self.supply.nodes),
        )

    def _blocked_before(self, job: Job) -> int:
        """Blocked jobs of its batch that become ready before it, as far as their order tells."""
        blocked = Job.objects.filter(batch=job.batch_id, lane=job.lane_id, state=JobState.BLOCKED)
        return blocked.filter(pk__lt=job.pk).count()

    def _last_of(self, batch: RenderBatch) -> list[Job]:
        """The open jobs of a batch among which the last one to end should be."""
        jobs = Job.objects.filter(batch=batch, state__in=OPEN).select_related("lane")
        order = jobs.order_by("rank", "-ready_at", "-pk")
        last: dict[tuple[str, UUID | None], Job] = {}
        for job in order.defer("values", "loras", "warnings"):
            last.setdefault((job.state if job.state not in IN_FLIGHT else str(job.pk), job.lane_id), job)
        return list(last.values())[:MOST_LAST]


def _seed(job: Job) -> int:
    return job.pk.int & 0xFFFFFFFF
