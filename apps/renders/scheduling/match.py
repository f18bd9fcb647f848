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

from apps.renders.matching import Road, Seat
from apps.renders.scheduling.demand import Head, Waiting
from apps.renders.scheduling.fronts import Front, Group, Turns
from apps.renders.scheduling.shares import Shares
from apps.renders.scheduling.supply import Held, Supply
from apps.renders.scheduling.warmth import LOAD_S, PATIENCE_S, Models, Warmth

RULE = lambda w, m, s: w.begun_in_s(m, s)
BALANCE_S=80
RATIO=1.0
ORDER = lambda w, m: w.done_in_s(m)

AFFINITY: Final = timedelta(minutes=2)
"""A job is never overtaken, for loaded models, by one that came this much later."""

UNKNOWN_S: Final = 60.0
"""What a render is taken to last while none of its kind was seen."""


@dataclass(frozen=True)
class Pick:
    """One job for one seat. ``warm``: the node holds its models; None: it goes to whoever listens."""

    waiting: Waiting
    head: Head
    seat: Seat
    road: Road
    tier_gb: int
    warm: bool | None = None
    explores: bool = False


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

    def still_s(self, held: Held, now: datetime) -> float:
        """Seconds that what a node has in hand will still take."""
        if held.lane_id is None:
            return 0.0
        since = (now - held.executing_at).total_seconds() if held.executing_at else 0.0
        return max(0.0, self.seconds.get(held.lane_id, UNKNOWN_S) - since)


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
        self._turns = turns or Turns()
        self.capacity = supply.capacity()
        self._groups: dict[Hashable, Group] = {}
        for lane in self._lanes:
            self._groups.setdefault(self._alikeness(lane), Group(lane)).lanes.append(lane)
        self._wanting = Counter(lane.tier_gb or 0 for lane in self._lanes)
        self._withheld: set[Group] = set()
        left_s: dict[Models, float] = defaultdict(float)
        for lane in self._lanes:
            left_s[lane.models] += work.left_s(lane)
        hand_s = {
            node_id: sum(work.still_s(held, now) for held in hand) for node_id, hand in supply.by_node.items()
        }
        self._warmth = Warmth(supply, left_s, hand_s)

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
            yield self._take(Pick(waiting, head, seat, road, waiting.tier_gb or 0, warm))
            return

    def _best_for(self, seat: Seat, refused: set[Group]) -> tuple[Group, Front] | None:
        fronts = [
            (group, front)
            for group in self._groups.values()
            if group not in refused
            and seat.node_id in self._supply.able(group.like)
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
        here = [each for each in near if self._is_warm(seat.node_id, each[1].lane)]
        cold = [each for each in near if not self._is_warm(seat.node_id, each[1].lane)]
        stay = min(here, key=_age, default=None)
        leaving_s = self._warmth.done_in_s(stay[1].lane.models, more=-1) if stay else 0.0
        for group, front in sorted(cold, key=self._order):
            if self._worth_loading(front.lane, leaving_s, stay is not None):
                return group, front
            if stay is None:
                self._withheld.add(group)
        return stay

    def _order(self, each: tuple[Group, Front]) -> tuple[object, ...]:
        """Where a node has most to do; then age."""
        return (-ORDER(self._warmth, each[1].lane.models), *_age(each))

    def _is_warm(self, node_id: UUID, lane: Waiting) -> bool:
        return self._warmth.at(node_id, lane.models)

    def _worth_loading(self, lane: Waiting, leaving_s: float, stays: bool) -> bool:
        w = self._warmth
        if not self._work.known(lane) or w.nodes[lane.models] - w.loose[lane.models] <= 0:
            return not stays
        if not stays:
            return RULE(w, lane.models, self._work.seconds[lane.lane.pk]) > PATIENCE_S
        return w.with_one_more_s(lane.models) > leaving_s * RATIO + BALANCE_S

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
        one_model = sum(bool(models) for models in self._warmth.left_s) == 1
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
        self._warmth.take(pick.road.node_id, lane.models, self._work.seconds.get(lane.lane.pk, UNKNOWN_S))
        return pick


def _age(each: tuple[Group, Front]) -> tuple[object, ...]:
    head = each[1].head
    return -head.rank, head.ready_at, head.job_id
