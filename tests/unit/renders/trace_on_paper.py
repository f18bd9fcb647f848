"""A whole trace in virtual time: the real matcher, and GPUs that are timers. No database, no processes."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from uuid import UUID, uuid4

from apps.nodes.models import Node
from apps.renders.scheduling.demand import Head, Waiting
from apps.renders.scheduling.match import Pick
from apps.renders.scheduling.supply import Held
from tests.farmsim.gpu import Gpu
from tests.farmsim.models import FOLDER, Model, models
from tests.unit.renders.farm_on_paper import NOW, Farm, in_hand, lane, node

SEEN = 30
"""Renders of each template whose mean duration the farm knows at the beginning, every third with a load."""


@dataclass
class Card:
    """A node, its GPU, and what it has in hand: the first of these executes since ``began_s``."""

    node: Node
    gpu: Gpu
    hand: list[tuple[Held, Model, float]] = field(default_factory=list)
    began_s: float | None = None


@dataclass
class Kind:
    """A lane with what waits in it, and the durations that were seen of it."""

    lane: Waiting
    model: Model
    waiting: deque[tuple[Head, float]]
    seen: int
    seen_s: float


@dataclass(frozen=True)
class Played:
    """How often models were loaded, and seconds until the last job was done."""

    loads: int
    makespan_s: float


class Trace:
    """Jobs (template and seconds) that all wait at t = 0, and empty cards (GB)."""

    def __init__(self, jobs: Sequence[tuple[str, float]], *, cards: Sequence[int]) -> None:
        made = [node(gb, f"n{number:03}") for number, gb in enumerate(cards)]
        self._cards = {each.pk: Card(each, Gpu(gb)) for each, gb in zip(made, cards, strict=True)}
        self._kinds: dict[UUID, Kind] = {}
        kinds: dict[str, Kind] = {}
        for number, (template, seconds) in enumerate(jobs):
            if template not in kinds:
                kinds[template] = kind = _kind(models()[template])
                self._kinds[kind.lane.lane.pk] = kind
            head = Head(uuid4(), 10, NOW + timedelta(microseconds=number))
            kinds[template].waiting.append((head, seconds))
        self._seconds = {head.job_id: took for kind in kinds.values() for head, took in kind.waiting}
        self._now_s = 0.0
        self._farm = Farm(made, [], models_of=lambda lane_id: self._kinds[lane_id].lane.models)

    def play(self) -> Played:
        """Let the matcher look whenever a card is done, until all is done."""
        order, ends = count(), list[tuple[float, int, UUID]]()
        while True:
            for pick in self._match():
                self._send(pick)
            for card in self._cards.values():
                if card.hand and card.began_s is None:
                    heapq.heappush(ends, (self._begin(card), next(order), card.node.pk))
            if not ends:
                break
            self._now_s, _, node_id = heapq.heappop(ends)
            self._end(self._cards[node_id])
        assert not any(kind.waiting for kind in self._kinds.values()), "all was rendered"
        return Played(sum(card.gpu.loads for card in self._cards.values()), self._now_s)

    def _match(self) -> Iterator[Pick]:
        farm = self._farm
        farm.held = [held for card in self._cards.values() for held, _model, _took in card.hand]
        if len(farm.held) == 2 * len(self._cards):
            return
        farm.now = NOW + timedelta(seconds=self._now_s)
        farm.lanes = []
        for kind in self._kinds.values():
            kind.lane.heads = [head for head, _took in list(kind.waiting)[: 2 * len(self._cards)]]
            farm.depth[kind.lane.lane.pk] = len(kind.waiting)
            farm.seconds[kind.lane.lane.pk] = kind.seen_s / kind.seen
            farm.lanes += [kind.lane] if kind.waiting else []
        yield from farm.match()

    def _send(self, pick: Pick) -> None:
        kind = self._kinds[pick.waiting.lane.pk]
        assert kind.waiting[0][0] == pick.head, "the oldest of its kind goes first"
        _head, took = kind.waiting.popleft()
        card = self._cards[pick.seat.node_id]
        held = in_hand(card.node, kind.lane, state="staged")
        card.hand.append((held._replace(lane_id=kind.lane.lane.pk), kind.model, took))

    def _begin(self, card: Card) -> float:
        held, model, took = card.hand[0]
        card.began_s = self._now_s
        loading_s = model.load_s if card.gpu.load(model) else 0.0
        card.node.resident = [f"{FOLDER}/{name}" for name in card.gpu.resident]
        now = NOW + timedelta(seconds=self._now_s)
        card.hand[0] = held._replace(state="executing", executing_at=now), model, took
        return self._now_s + loading_s + took

    def _end(self, card: Card) -> None:
        held, _model, _took = card.hand.pop(0)
        assert held.lane_id is not None
        assert card.began_s is not None
        kind = self._kinds[held.lane_id]
        kind.seen, kind.seen_s = kind.seen + 1, kind.seen_s + self._now_s - card.began_s
        card.began_s = None


def _kind(model: Model) -> Kind:
    made = lane(model.tier_gb, jobs=0, models=[f"{FOLDER}/{model.file}"])
    return Kind(made, model, deque(), SEEN, SEEN * (model.warm_s + model.load_s / 3))
