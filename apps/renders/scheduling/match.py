"""Each free seat is given the best job for it (design §6).

For a seat, in this order: priority class, with a quarter of the seats for whoever waits beyond the
starvation bound; the projects whose turn it is; age, within which models that are loaded already may
overtake by AFFINITY. Fit, pins, pools, blocks and limits are never overridden by any of these.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings

from apps.nodes.models import Node
from apps.renders.matching import Road, Seat
from apps.renders.scheduling.demand import Head, Waiting, models_of
from apps.renders.scheduling.fronts import Front, Group, Turns
from apps.renders.scheduling.shares import Shares
from apps.renders.scheduling.supply import Supply

AFFINITY: Final = timedelta(minutes=2)
"""A job is never overtaken, for loaded models, by one that came this much later."""

LOAD_S: Final = float(settings.MODEL_LOAD_SECONDS)
"""Seconds a model takes to load. A cold node does not take what nodes that hold the models will have done
within that time."""

UNKNOWN_S: Final = 60.0
"""What a render is taken to last while none of its kind was seen."""


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

    def take(self, template: UUID) -> None:
        """Count one more."""
        for name in self.of.get(template, ()):
            self.left[name] -= 1


@dataclass
class Work:
    """How much each lane holds. ``depth``: jobs that may start; ``seconds``: how long one of them takes."""

    depth: dict[UUID, int]
    seconds: dict[UUID, float]

    def known(self, waiting: Waiting) -> bool:
        """Whether a render of this lane's kind was ever seen."""
        return waiting.lane.pk in self.seconds

    def left_s(self, waiting: Waiting) -> float:
        """Seconds of one node for all of the lane."""
        lane = waiting.lane.pk
        return self.depth.get(lane, len(waiting.heads)) * self.seconds.get(lane, UNKNOWN_S)


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
        self._shares = shares
        self._limits = limits
        self._now = now
        self._work = work
        self._holds = {node.pk: _held_models(node, supply) for node in supply.nodes}
        self._turns = turns or Turns()
        self.capacity = supply.capacity()
        self._groups: dict[Hashable, Group] = {}
        for lane in self._lanes:
            self._groups.setdefault(self._alikeness(lane), Group(lane)).lanes.append(lane)
        self._wanting = Counter(lane.tier_gb or 0 for lane in self._lanes)
        self._withheld: set[Group] = set()
        self._left_s: dict[frozenset[str], float] = defaultdict(float)
        for lane in self._lanes:
            self._left_s[lane.models] += work.left_s(lane)
        loose = (held.lane_id for held in supply.held if held.node_id is None)
        self._loose = Counter(models_of(lane_id) for lane_id in loose if lane_id is not None)
        self._warm_nodes = self._count_warm()

    @property
    def withheld(self) -> set[UUID]:
        """Lanes left to nodes that hold their models, although another was free."""
        return {lane.lane.pk for group in self._withheld for lane in group.lanes}

    def picks(self) -> Iterator[Pick]:
        """Give idle seats first, then places behind what renders; of each, where models are loaded."""
        for staging in (False, True):
            for loaded in (True, False):
                if not self.capacity.free or not any(self._wanting.values()):
                    return
                for seat in self.capacity.open():
                    if seat.idle or staging:
                        yield from self._fill(seat, only_loaded=loaded)

    def _alikeness(self, lane: Waiting) -> Hashable:
        return (lane.fit, lane.project_id, lane.models, self._work.known(lane))

    def _fill(self, seat: Seat, *, only_loaded: bool) -> Iterator[Pick]:
        refused: set[Group] = set()
        while (found := self._best_for(seat, refused)) is not None:
            group, (rank, head, waiting) = found
            if only_loaded and not self._is_warm(seat.node_id, waiting):
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

    def _best_for(self, seat: Seat, refused: set[Group]) -> tuple[Group, Front] | None:
        fronts = [
            (group, front)
            for group in self._groups.values()
            if group not in refused
            and seat.node_id in self._supply.able(group.like)
            and self._supply.may_try(group.like, seat.node_id)
            and not self._limits.full(group.like.template_id)
            and (front := group.front(self._now, of_starving=self._turns.of_starving)) is not None
        ]
        if not fronts:
            return None
        top = max(front.rank for _group, front in fronts)
        fronts = [each for each in fronts if each[1].rank == top]
        turn = self._shares.whose_turn(group.like.project_id for group, _front in fronts)
        told = [each for each in fronts if each[0].like.project_id in turn]
        oldest = min(front.head.ready_at for _group, front in told)
        near = [each for each in told if each[1].head.ready_at <= oldest + AFFINITY]
        for group, front in sorted(near, key=lambda each: self._order(seat, each[1])):
            if not self._better_warm_elsewhere(seat, front.lane, front.head):
                return group, front
            self._withheld.add(group)
        return None

    def _order(self, seat: Seat, front: Front) -> tuple[object, ...]:
        """Loaded models first; then where a node has most to do; then age."""
        lane, head = front.lane, front.head
        warm = self._is_warm(seat.node_id, lane)
        per_node = 0.0 if warm else self._left_s[lane.models] / (self._warm_nodes[lane.models] + 1)
        return (not warm, -per_node, -head.rank, head.ready_at, head.job_id)

    def _is_warm(self, node_id: UUID, lane: Waiting) -> bool:
        return lane.models <= self._holds.get(node_id, frozenset())

    def _better_warm_elsewhere(self, seat: Seat, lane: Waiting, head: Head) -> bool:
        """Nodes that hold the models will have done all of it before this one had them loaded."""
        if self._is_warm(seat.node_id, lane) or not self._work.known(lane):
            return False
        # Who takes an order of a tier's queue is not known: it may well be this one.
        warm = self._warm_nodes[lane.models] - self._loose[lane.models]
        waited = (self._now - head.ready_at).total_seconds()
        return warm > 0 and waited < 2 * LOAD_S and self._left_s[lane.models] / warm <= LOAD_S

    def _alike(self, lane: Waiting, seat: Seat) -> bool:
        """Tell whether whoever listens to the tier's queue may as well have it."""
        if not self._supply.all_able(lane):
            return False
        larger_wanted = any(tier > seat.tier_gb for tier, lanes in self._wanting.items() if lanes)
        if not lane.models and not larger_wanted:
            return True
        able = self._supply.able(lane)
        others = [other for other in self.capacity.seats if other.node_id in able]
        free = [other for other in others if other.idle] or [o for o in others if o.stageable]
        if larger_wanted and any(other.tier_gb > seat.tier_gb for other in free):
            return False
        # With several models about, whoever becomes free before the order is taken may hold another one.
        one_model = sum(bool(models) for models in self._left_s) == 1
        one_model &= len({self._is_warm(other.node_id, lane) for other in others}) == 1
        return not lane.models or one_model

    def _take(self, pick: Pick) -> Pick:
        lane = pick.waiting
        lane.heads = [head for head in lane.heads if head.job_id != pick.head.job_id]
        if lane.oldest is not None and lane.oldest.job_id == pick.head.job_id:
            lane.oldest = None
        self._wanting[lane.tier_gb or 0] -= not lane.heads
        self._shares.take(lane.project_id)
        self._limits.take(lane.template_id)
        self._supply.tries(lane, pick.road.node_id)
        self._left_s[lane.models] -= self._work.seconds.get(lane.lane.pk, UNKNOWN_S)
        self._will_hold(pick.road.node_id, lane.models)
        return pick

    def _will_hold(self, node_id: UUID | None, models: frozenset[str]) -> None:
        """Some node, this one if it is named, will have loaded these."""
        if not models:
            return
        if node_id is None:
            self._loose[models] += 1
            self._warm_nodes[models] += 1
            return
        for group in self._left_s:
            before, after = group <= self._holds[node_id], group <= models
            self._warm_nodes[group] += after - before
        self._holds[node_id] = models

    def _count_warm(self) -> Counter[frozenset[str]]:
        """How many nodes hold, or will, what each lane loads."""
        warm = Counter(
            {group: sum(group <= holds for holds in self._holds.values()) for group in self._left_s}
        )
        return warm + self._loose


def _held_models(node: Node, supply: Supply) -> frozenset[str]:
    """The models a node holds once it has rendered what it has in hand."""
    in_hand = (models_of(held.lane_id) for held in reversed(supply.by_node[node.pk]) if held.lane_id)
    return next(filter(None, in_hand), frozenset(node.resident))
