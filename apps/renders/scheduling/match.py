"""Each free seat is given the best job for it (design §6).

For a seat, in this order: priority class, with a quarter of the seats for whoever waits beyond the
starvation bound; the projects whose turn it is; age, within which models that are loaded already may
overtake by AFFINITY, and what is loaded where decides what a node does next (``warmth``). Fit, pins,
pools, blocks and limits are never overridden by any of these.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from itertools import product
from typing import Final
from uuid import UUID

from apps.renders.matching import Road, Seat
from apps.renders.models import Priority
from apps.renders.scheduling.demand import Head, Waiting
from apps.renders.scheduling.fronts import Front, Group, Turns
from apps.renders.scheduling.shares import Shares
from apps.renders.scheduling.supply import Supply
from apps.renders.scheduling.warmth import LOAD_S, MOST_LOADS, Models, Warmth, Work, patience_s

AFFINITY: Final = timedelta(minutes=2)
"""A job is never overtaken, for loaded models, by one that came this much later."""

FRESH: Final = timedelta(seconds=10 * LOAD_S)
"""Who waited less than this is left to others only where it begins no later: what leaving adds to a wait is
hardly ever more than what it has taken already.
"""

PATIENCE: Final = timedelta(seconds=patience_s(MOST_LOADS))
"""A job is left to nodes that hold its models for no longer than this, whatever was expected of them."""

Candidate = tuple[Group, Front]
"""The best job of a group, for a seat."""


@dataclass(frozen=True)
class Pick:
    """One job for one seat. ``warm``: the node holds its models; None: it goes to whoever listens.

    ``limited``: its template stands under a limit.
    """

    waiting: Waiting
    head: Head
    seat: Seat
    road: Road
    tier_gb: int
    warm: bool | None = None
    explores: bool = False
    limited: bool = False


@dataclass
class Limits:
    """How many more jobs each limit lets through. ``of``: template → names of its limits."""

    left: dict[str, int] = field(default_factory=dict)
    of: dict[UUID, list[str]] = field(default_factory=lambda: defaultdict(list))

    def full(self, template: UUID) -> str:
        """Name the limit that lets no more of this template through, "" if none does."""
        return next((name for name in self.of.get(template, ()) if self.left[name] <= 0), "")

    def full_ones(self, template: UUID) -> set[str]:
        """Name all limits that let no more of this template through."""
        return {name for name in self.of.get(template, ()) if self.left[name] <= 0}

    def take(self, template: UUID) -> None:
        """Count one more."""
        self._count(template, 1)

    def give_back(self, template: UUID) -> None:
        """Count one less."""
        self._count(template, -1)

    def _count(self, template: UUID, jobs: int) -> None:
        for name in self.of.get(template, ()):
            self.left[name] -= jobs


class Match:
    """One round of matching. :meth:`picks` consumes the heads it gives away, and counts in ``turns``."""

    def __init__(
        self,
        lanes: Sequence[Waiting],
        supply: Supply,
        *,
        shares: Shares,
        limits: Limits,
        work: Work,
        now: datetime,
        turns: Turns | None = None,
    ) -> None:
        self._lanes = [lane for lane in lanes if lane.heads]
        self._supply = supply
        self.shares = shares
        self._limits = limits
        self._now = now
        self._work = work
        self._turns = turns or Turns()
        self.capacity = supply.capacity()
        self._groups: dict[Hashable, Group] = {}
        for lane in self._lanes:
            self._groups.setdefault(self._alikeness(lane), Group(lane)).lanes.append(lane)
        self._wanting = Counter(lane.tier_gb or 0 for lane in self._lanes)
        self._withheld: set[Group] = set()
        self._given = Counter[UUID]()
        self._turns.forget_all_but(head.job_id for lane in self._lanes for head in lane.heads)

    @cached_property
    def _warmth(self) -> Warmth:
        """Reckoned when first asked for: with every place taken nobody asks."""
        return Warmth(self._lanes, self._supply, work=self._work, now=self._now)

    @property
    def withheld(self) -> set[UUID]:
        """Lanes left to nodes that hold their models, although another was free."""
        return {lane.lane.pk for group in self._withheld for lane in group.lanes}

    def still_wait(self, lane: Waiting) -> int:
        """How many jobs of a lane's best class have been given no seat; the lane's heads may be fewer."""
        return max(len(lane.heads), self._work.jobs(lane) - self._given[lane.lane.pk])

    def picks(self) -> Iterator[Pick]:
        """Give idle seats first, then places behind what renders; of each, where models are loaded.

        Of those, to nodes that have proven the version; the others are not kept waiting for them.
        """
        proofs = (True, False) if self._supply.proven.says_anything else (False,)
        for staging, loaded, proven in product((False, True), (True, False), proofs):
            if not self.capacity.free or not any(self._wanting.values()):
                return
            for seat in sorted(self.capacity.open(), key=self._soonest):
                if seat.idle or staging:
                    yield from self._fill(seat, only_loaded=loaded, only_proven=proven)

    def _soonest(self, seat: Seat) -> tuple[object, ...]:
        """Idle nodes first; small cards first; those that will soonest have done what they have in hand."""
        return seat.held, seat.tier_gb, self._warmth.busy_for_s(seat.node_id), seat.name

    def _alikeness(self, lane: Waiting) -> Hashable:
        return (lane.fit, lane.project_id, lane.models, self._work.known(lane))

    def _fill(self, seat: Seat, *, only_loaded: bool, only_proven: bool) -> Iterator[Pick]:
        refused: set[Group] = set()
        while (found := self._best_for(seat, refused)) is not None:
            group, (rank, head, waiting) = found
            if only_loaded and not self._is_warm(seat.node_id, waiting):
                return
            if only_proven and not self._may_prefer(seat, waiting):
                return
            shared = self._alike(waiting, seat)
            road = self.capacity.give(seat, waiting.tier_gb or 0, shared=shared)
            if road is None:
                refused.add(group)  # orders on their way need the place, but not for every tier
                continue
            warm = None if road.node_id is None else self._is_warm(seat.node_id, waiting)
            self._turns.take(starving=rank > head.rank)
            limited = waiting.template_id in self._limits.of
            yield self._take(Pick(waiting, head, seat, road, waiting.tier_gb or 0, warm, limited=limited))
            return

    def _best_for(self, seat: Seat, refused: set[Group]) -> Candidate | None:
        fronts = [
            (group, front)
            for group in self._groups.values()
            if group not in refused
            and seat.node_id in self._supply.able(group.like)
            and self._supply.may_try(group.like, seat.node_id)
            and not self._limits.full(group.like.template_id)
            and (front := group.front(self._now, of_starving=self._turns.of_starving)) is not None
        ]
        best = self._warmest(seat, self._in_turn(fronts))
        if best is None:
            return None
        lowest = min(front.rank for _group, front in fronts)
        if not self._left(seat, best, lowest):
            return best
        others = [each for each in fronts if not self._left(seat, each, lowest)]
        return self._warmest(seat, self._in_turn(others))

    def _in_turn(self, fronts: list[Candidate]) -> list[Candidate]:
        """Of these the best class, of it the projects whose turn it is, of their work the oldest."""
        if not fronts:
            return []
        top = max(front.rank for _group, front in fronts)
        fronts = [each for each in fronts if each[1].rank == top]
        turn = self.shares.whose_turn(group.like.project_id for group, _front in fronts)
        told = [each for each in fronts if each[0].like.project_id in turn]
        oldest = min(front.head.ready_at for _group, front in told)
        return [each for each in told if each[1].head.ready_at <= oldest + AFFINITY]

    def _warmest(self, seat: Seat, near: list[Candidate]) -> Candidate | None:
        """What this node has loaded, unless other work needs it more; else what would end last."""
        oldest: dict[Models, Candidate] = {}
        for each in near:
            models = each[0].like.models
            if models not in oldest or _age(each) < _age(oldest[models]):
                oldest[models] = each
        here = [each for models, each in oldest.items() if self._warmth.at(seat.node_id, models)]
        cold = [each for models, each in oldest.items() if not self._warmth.at(seat.node_id, models)]
        other = min(cold, key=self._need, default=None)
        kept = min(here, key=_age, default=None)
        if kept is None or other is None:
            return kept or other
        known = self._work.known(kept[1].lane) and self._work.known(other[1].lane)
        return other if known and self._warmth.changes(kept[1].lane.models, other[1].lane.models) else kept

    def _need(self, each: Candidate) -> tuple[object, ...]:
        """Where one more node ends latest; then age."""
        return (-self._warmth.ends_in_s(each[0].like.models, more=1), *_age(each))

    def _left(self, seat: Seat, each: Candidate, lowest: int) -> bool:
        """Leave a job to nodes that hold its models, and remember since when.

        Not beyond the time within which it should have begun there. While it is fresh, above high, and where
        work of a lower class (``lowest``) would have the seat, only if it begins no later than here.
        """
        group, (rank, head, lane) = each
        models = lane.models
        if self._warmth.at(seat.node_id, models) or not self._work.known(lane):
            return False
        hurried = self._now - head.ready_at < FRESH or rank > min(lowest, Priority.HIGH)
        if not self._warmth.leaves(models, self._supply.able(group.like), group, hurried=hurried):
            return False
        if self._turns.left_for(head.job_id, self._now) > PATIENCE:
            return False
        if seat.idle:
            self._withheld.add(group)
        return True

    def _may_prefer(self, seat: Seat, lane: Waiting) -> bool:
        """Whether this node comes first for having proven it: not with a card that larger work waits for."""
        proven = self._supply.is_proven(lane, seat.node_id)
        wanted = (tier for tier, lanes in self._wanting.items() if lanes)
        return proven and not any((lane.tier_gb or 0) < tier <= seat.tier_gb for tier in wanted)

    def _is_warm(self, node_id: UUID, lane: Waiting) -> bool:
        return self._warmth.at(node_id, lane.models)

    def _alike(self, lane: Waiting, seat: Seat) -> bool:
        """Tell whether whoever listens to the tier's queue may as well have it."""
        if not self._supply.all_able(lane):
            return False
        larger_wanted = any(tier > seat.tier_gb for tier, lanes in self._wanting.items() if lanes)
        able = self._supply.able(lane)
        proven = self._supply.proven.can(lane.lane.template_version_id) & able
        if proven and proven != able:
            return False  # whoever is quickest would have it, and not whoever has proven it
        if not lane.models and not larger_wanted:
            return True
        others = [other for other in self.capacity.seats if other.node_id in able]
        free = [other for other in others if other.idle] or [o for o in others if o.stageable]
        if larger_wanted and any(other.tier_gb > seat.tier_gb for other in free):
            return False
        # With several models about, whoever becomes free before the order is taken may hold another one.
        one_model = self._warmth.one_model
        one_model &= len({self._is_warm(other.node_id, lane) for other in others}) == 1
        return not lane.models or one_model

    def _take(self, pick: Pick) -> Pick:
        lane = pick.waiting
        lane.heads = [head for head in lane.heads if head.job_id != pick.head.job_id]
        if lane.oldest is not None and lane.oldest.job_id == pick.head.job_id:
            lane.oldest = None
        self._wanting[lane.tier_gb or 0] -= not lane.heads
        self._given[lane.lane.pk] += 1
        self.shares.take(lane.project_id)
        self._limits.take(lane.template_id)
        self._supply.tries(lane, pick.road.node_id)
        self._warmth.take(pick.road.node_id, lane.models, self._work.one_s(lane.lane.pk))
        return pick


def _age(each: Candidate) -> tuple[object, ...]:
    head = each[1].head
    return -head.rank, head.ready_at, head.job_id
