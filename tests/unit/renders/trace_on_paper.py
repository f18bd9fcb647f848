"""A whole trace in virtual time: the real matcher, and GPUs that are timers. No database, no processes."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from uuid import UUID, uuid4

from apps.nodes.models import Node
from apps.renders.scheduling.demand import Head, Waiting
from apps.renders.scheduling.fronts import Turns
from apps.renders.scheduling.match import Limits, Match
from apps.renders.scheduling.shares import Shares
from apps.renders.scheduling.supply import Held, Supply
from apps.renders.scheduling.warmth import Work
from tests.farmsim.gpu import Gpu
from tests.farmsim.models import FOLDER, models
from tests.unit.renders.farm_on_paper import NOW, lane, node


@dataclass
class Card:
    """A node with what it has in hand: the first executes until ``ends``."""

    node: Node
    gpu: Gpu
    hand: deque[tuple[Held, Row]] = field(default_factory=deque)
    ends: float = 0.0
    busy_s: float = 0.0
    running: bool = False


@dataclass
class Row:
    template: str
    seconds: float
    ready: float
    head: Head
    started: float = -1.0


@dataclass
class Told:
    loads: int
    makespan_s: float
    idle_s: float
    per_card: list[float]
    rows: list[Row]


class Trace:
    def __init__(self, jobs: Sequence[tuple[str, float]], *, cards: Sequence[int], seen: int = 6, most: int = 400,
                 lag_s: float = 0.0, seed_seen: float = 1.0) -> None:
        self.cards = {n.pk: Card(n, Gpu(gb)) for i, gb in enumerate(cards) for n in [node(gb, f"n{i:03}")]}
        self.lanes: dict[str, Waiting] = {}
        self.queue: dict[str, deque[Row]] = {}
        self.seen: dict[str, list[float]] = {}
        self.rows = []
        self.lag_s = lag_s
        self.turns = Turns()
        for number, (template, seconds) in enumerate(jobs):
            model = models()[template]
            if template not in self.lanes:
                self.lanes[template] = lane(model.tier_gb, jobs=0, models=[f"{FOLDER}/{model.file}"])
                self.queue[template] = deque()
                self.seen[template] = [model.warm_s + model.load_s * seed_seen] * seen
            row = Row(template, seconds, 0.0, Head(uuid4(), 10, NOW + timedelta(microseconds=number)))
            self.queue[template].append(row)
            self.rows.append(row)
        self.of_lane = {each.lane.pk: each for each in self.lanes.values()}
        self.now = 0.0

    def play(self) -> Told:
        events: list[tuple[float, int, UUID]] = []
        tie = 0
        if True:
            dirty = True
            while dirty or events:
                if dirty:
                    for pk in self.match():
                        card = self.cards[pk]
                        if not card.running:
                            self.start(card); tie += 1
                            heapq.heappush(events, (card.ends, tie, pk))
                    dirty = False
                    continue
                self.now, _, pk = heapq.heappop(events)
                card = self.cards[pk]
                held, row = card.hand.popleft()
                card.running = False
                self.seen[row.template].append(self.now - row.started)
                if card.hand:
                    self.start(card); tie += 1
                    heapq.heappush(events, (card.ends, tie, pk))
                dirty = not events or events[0][0] > self.now + self.lag_s
        return Told(sum(c.gpu.loads for c in self.cards.values()), self.now,
                    sum(self.now - c.busy_s for c in self.cards.values()), [c.ends for c in self.cards.values()], self.rows)

    def start(self, card: Card) -> None:
        held, row = card.hand[0]
        model = models()[row.template]
        row.started = self.now
        card.running = True
        seconds = row.seconds + (model.load_s if card.gpu.load(model) else 0.0)
        card.ends = self.now + seconds
        card.busy_s += seconds
        card.node.resident = [f"{FOLDER}/{name}" for name in card.gpu.resident]
        card.hand[0] = (held._replace(state="executing", executing_at=NOW + timedelta(seconds=self.now)), row)

    def match(self) -> list[UUID]:
        supply = Supply([c.node for c in self.cards.values()], [h for c in self.cards.values() for h, _ in c.hand], models_of=lambda lane_id: self.of_lane[lane_id].models)
        free = supply.capacity().free
        fronts = []
        for template, each in self.lanes.items():
            each.heads = [row.head for row in islice(self.queue[template], max(1, min(free, 400 // len(self.lanes))))]
            each.oldest = each.heads[0] if each.heads else None
            if each.heads: fronts.append(each)
        if not fronts: return []
        flying = supply.in_flight()
        shares = Shares(weights={e.project_id: 100.0 for e in fronts}, used={}, in_flight=flying,
                        demanding=[e.project_id for e in fronts], seats=2 * len(self.cards))
        work = Work({e.lane.pk: min(2000, len(self.queue[t])) for t, e in self.lanes.items()},
                    {e.lane.pk: sum(self.seen[t]) / len(self.seen[t]) for t, e in self.lanes.items() if self.seen[t]})
        m = Match(fronts, supply, shares=shares, limits=Limits(), work=work, now=NOW + timedelta(seconds=self.now), turns=self.turns)
        given = []
        for pick in m.picks():
            template = next(t for t, e in self.lanes.items() if e is pick.waiting)
            row = next(r for r in self.queue[template] if r.head.job_id == pick.head.job_id)
            self.queue[template].remove(row)
            pk = pick.road.node_id
            if pk is None:
                pk = next(p for p, c in self.cards.items() if len(c.hand) < (1 if "next" not in pick.road.queue else 2) and c.node.tier_gb >= pick.tier_gb)
            held = Held(uuid4(), pk, pick.road.queue, pick.tier_gb, "staged", False, None, None, pick.waiting.lane.pk, 10, pick.waiting.project_id, pick.waiting.template_id)
            self.cards[pk].hand.append((held, row))
            given.append(pk)
        return given
