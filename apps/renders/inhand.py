"""What nodes have in hand, and how long such work was seen to take: what the outlook begins with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from apps.nodes.models import Node
from apps.renders.forecast import Durations, InHand
from apps.renders.models import Attempt, Lane, NeedTier
from apps.renders.scheduling.supply import Held, Supply
from apps.renders.states import OPEN
from apps.renders.waiting import NodeRow, node_row


class Experience:
    """Observed durations by kind of work. Needs are read when first asked for, many at a time."""

    def __init__(self) -> None:
        self._seen: dict[UUID, dict[int, Durations]] = {}

    def read(self, needs: Iterable[UUID]) -> None:
        """Read what was seen of these needs, in one query at most."""
        new = set(needs) - set(self._seen)
        if not new:
            return
        self._seen |= {need: {} for need in new}
        for row in NeedTier.objects.filter(need__in=new, successes__gt=0):
            seen = Durations(row.successes, row.seconds_mean, row.seconds_m2)
            self._seen[row.need_id][row.tier_gb] = seen

    def of(self, need: UUID | None, tier_gb: int | None = None) -> Durations:
        """What was seen on cards of one tier; where that is too little, or None is asked: on all."""
        if need is None:
            return Durations()
        self.read([need])
        here = self._seen[need].get(tier_gb, Durations()) if tier_gb is not None else Durations()
        return here if here.known else sum(self._seen[need].values(), Durations())


@dataclass(frozen=True)
class _Doing:
    """What an attempt's job is, and how far."""

    state: str
    progress: float
    code: str


class Hands:
    """What holds the seats of nodes now, with the progress of each job."""

    def __init__(self, supply: Supply, experience: Experience, now: datetime) -> None:
        self._supply = supply
        self._experience = experience
        self._now = now

    def before(self, node: UUID, *, but: UUID | None = None) -> list[InHand]:
        """What a node has before its next job, the work that executes first; one attempt left out."""
        return [
            self._work(held)
            for held in self._supply.by_node.get(node, ())
            if held.attempt_id != but and self._doing[held.attempt_id].state in OPEN
        ]

    def of_templates(self, templates: Collection[UUID]) -> Iterator[list[InHand]]:
        """Each job of these templates that some node has, by itself."""
        for held in self._supply.held:
            if held.template_id in templates and self._doing[held.attempt_id].state in OPEN:
                yield [self._work(held)]

    def on_their_way(self) -> Iterator[tuple[UUID | None, Durations]]:
        """The orders on the queues of tiers, which some node is about to take: lane, and how long each."""
        for held in self._supply.held:
            if held.node_id is None:
                yield held.lane_id, self._experience.of(self._need(held))

    def says(self, node: Node) -> NodeRow:
        """What a node that could take a job says: free, or what it has to do first."""
        held = self._supply.by_node.get(node.pk, [])
        if not held:
            return node_row(node.name, "free", {})
        if len(held) > 1:
            return node_row(node.name, "staged", {})
        work = self._work(held[0])
        left = work.takes.mean - (work.elapsed or 0.0) if work.takes.known else 0.0
        facts = {"job": self._doing[held[0].attempt_id].code, "left_s": left if left > 0 else None}
        return node_row(node.name, "busy", facts)

    def _work(self, held: Held) -> InHand:
        takes = self._experience.of(self._need(held), self._tiers.get(held.node_id))
        if held.executing_at is None:
            return InHand(takes)
        elapsed = max(0.0, (self._now - held.executing_at).total_seconds())
        return InHand(takes, elapsed, self._doing[held.attempt_id].progress)

    def _need(self, held: Held) -> UUID | None:
        return self._needs.get(held.lane_id) if held.lane_id is not None else None

    @cached_property
    def _doing(self) -> dict[UUID, _Doing]:
        rows = Attempt.objects.filter(pk__in=[held.attempt_id for held in self._supply.held])
        told = rows.values_list("pk", "job__state", "job__progress", "job__code")
        return {key: _Doing(state, progress, code) for key, state, progress, code in told}

    @cached_property
    def _needs(self) -> dict[UUID, UUID]:
        lanes = {held.lane_id for held in self._supply.held if held.lane_id is not None}
        needs = dict(Lane.objects.filter(pk__in=lanes).values_list("pk", "need_id"))
        self._experience.read(needs.values())
        return needs

    @cached_property
    def _tiers(self) -> dict[UUID | None, int | None]:
        return {node.pk: node.tier_gb for node in self._supply.nodes}
