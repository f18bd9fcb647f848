"""The matcher through a farm's days: jobs come, renders end, nodes come and go, in any order.

After each round nothing is where it does not fit, no limit is exceeded and no able node idles beside work
that is not left to others by rule. At the end, whatever happened, all that any node can do has been rendered.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from apps.nodes.models import Node
from apps.projects.models import Project
from apps.renders.models import Priority
from apps.renders.scheduling.demand import Head, Waiting
from apps.renders.scheduling.fronts import STARVATION, STARVING_SHARE
from apps.renders.scheduling.match import PATIENCE, Limits, Pick
from apps.renders.scheduling.supply import Held
from apps.workflows.models import WorkflowTemplate
from tests.machines import play, seeds
from tests.unit.renders.farm_on_paper import NOW, Farm, in_hand, lane, node

MOST: Final = 2
"""Jobs of the scarce template at once."""
NEEDS: Final = (6.0, 11.5, 20.2)
CARDS: Final = (8, 12, 24)
MODELS: Final = ("", "a", "b", "c")
TAKES_S: Final = (5.0, 60.0, 600.0)

which = st.integers(0, 20)


class FarmMachine(RuleBasedStateMachine):
    """A farm on paper; ``_waits`` holds each lane's jobs, ``_hand`` what each node has."""

    def __init__(self) -> None:
        super().__init__()
        self._scarce = WorkflowTemplate(slug="scarce")
        self._projects = [Project(code="A", weight=100), Project(code="B", weight=300)]
        self._lanes: dict[UUID, Waiting] = {}
        self._waits: dict[UUID, list[Head]] = {}
        self._hand: dict[UUID, list[tuple[Held, UUID]]] = {}
        self._on_queues: list[tuple[Held, UUID]] = []
        self._rendered: Counter[UUID] = Counter()
        self._farm = Farm([], [], models_of=lambda lane_id: self._lanes[lane_id].models)
        self._clock_s = 0.0

    # What happens

    @initialize(cards=st.lists(st.sampled_from(CARDS), min_size=1, max_size=4))
    def nodes_arrive(self, cards: list[int]) -> None:
        for card in [*cards, CARDS[-1]]:
            self.a_node_arrives(card)

    @precondition(lambda self: len(self._farm.nodes) < 6)
    @rule(card=st.sampled_from(CARDS))
    def a_node_arrives(self, card: int) -> None:
        made = node(card)
        self._farm.nodes.append(made)
        self._hand[made.pk] = []

    @precondition(lambda self: len(self._lanes) < 8)
    @rule(
        need=st.sampled_from(NEEDS),
        model=st.sampled_from(MODELS),
        takes_s=st.sampled_from(TAKES_S),
        known=st.booleans(),
        scarce=st.booleans(),
        project=st.integers(0, 1),
        rank=st.sampled_from(Priority.values),
        jobs=st.integers(1, 6),
    )
    def somebody_presses_render(
        self,
        need: float,
        model: str,
        takes_s: float,
        known: bool,
        scarce: bool,
        project: int,
        rank: int,
        jobs: int,
    ) -> None:
        made = lane(
            need,
            jobs=0,
            models=[f"unet/{model}"] if model else [],
            project=self._projects[project],
            template=self._scarce if scarce else None,
        )
        self._lanes[made.lane.pk] = made
        self._waits[made.lane.pk] = [Head(uuid4(), rank, self._now) for _ in range(jobs)]
        if known:
            self._farm.seconds[made.lane.pk] = takes_s

    @precondition(lambda self: self._executing())
    @rule(which=which)
    def a_render_ends(self, which: int) -> None:
        nodes = self._executing()
        self._end(nodes[which % len(nodes)])

    @precondition(lambda self: len(self._farm.nodes) > 1)
    @rule(which=which)
    def a_node_dies(self, which: int) -> None:
        """What it had in hand waits again, as the oldest."""
        gone = self._farm.nodes.pop(which % len(self._farm.nodes))
        for held, job_id in self._hand.pop(gone.pk):
            assert held.lane_id is not None
            self._waits[held.lane_id].append(Head(job_id, held.rank, self._now - STARVATION / 2))
        self._orders_come_back()

    def _orders_come_back(self) -> None:
        """What lay on the tiers' queues was not accepted in time."""
        for held, job_id in self._on_queues:
            assert held.lane_id is not None
            self._waits[held.lane_id].append(Head(job_id, held.rank, self._now))
        self._on_queues.clear()

    @precondition(lambda self: self._lanes and self._farm.nodes)
    @rule(lane=which, of_node=which)
    def a_pair_is_blocked(self, lane: int, of_node: int) -> None:
        made = list(self._lanes.values())[lane % len(self._lanes)]
        gpu = self._farm.nodes[of_node % len(self._farm.nodes)]
        self._farm.blocks.setdefault(made.template_id, set()).add(gpu.pk)

    @rule()
    def blocks_end(self) -> None:
        self._farm.blocks.clear()

    @rule(seconds=st.sampled_from((1, 20, 130, 5 * 3_600)))
    def time_passes(self, seconds: int) -> None:
        self._clock_s += seconds

    @rule()
    def the_farm_looks(self) -> None:
        self._tick()

    # What must be true

    def _tick(self) -> int:
        farm = self._farm
        farm.now = self._now
        farm.held = self._in_flight()
        flying = Counter(held.template_id for held in farm.held)
        farm.limits = Limits(left={"scarce": MOST - flying[self._scarce.pk]})
        farm.limits.of[self._scarce.pk] = ["scarce"]
        farm.lanes = []
        for key, made in self._lanes.items():
            self._waits[key].sort(key=lambda head: (-head.rank, head.ready_at, head.job_id))
            made.heads = self._waits[key][:12]
            made.oldest = min(self._waits[key], key=lambda head: head.ready_at, default=None)
            farm.depth[key] = len(self._waits[key])
            farm.lanes += [made] if made.heads else []
        picks = farm.match()
        for pick in picks:
            self._take(pick)
        self._nodes_take_what_lies_in_queues()
        self._nobody_idles_beside_work()
        return len(picks)

    def _take(self, pick: Pick) -> None:
        key = pick.waiting.lane.pk
        assert pick.head in self._waits[key], "each job is given away once"
        self._waits[key].remove(pick.head)
        held = in_hand(self._farm.nodes[0], pick.waiting, rank=pick.head.rank, state="dispatched")
        held = held._replace(lane_id=key, queue=pick.road.queue, node_id=pick.road.node_id)
        if pick.road.node_id is None:
            self._on_queues.append((held, pick.head.job_id))
        else:
            self._accept(pick.road.node_id, held, pick.head.job_id)
        scarce = sum(held.template_id == self._scarce.pk for held in self._in_flight())
        assert scarce <= MOST, "never over a limit"

    def _accept(self, node_id: UUID, held: Held, job_id: UUID) -> None:
        gpu = self._node(node_id)
        assert (gpu.tier_gb or 0) >= held.tier_gb, "never below need"
        if held.node_id is not None:
            assert gpu.pk not in self._farm.blocks.get(held.template_id, ()), "never where it is blocked"
        self._hand[node_id].append((held._replace(node_id=node_id, state="staged"), job_id))
        assert len(self._hand[node_id]) <= 2, "one renders, one is staged"
        self._begin(node_id)

    def _nodes_take_what_lies_in_queues(self) -> None:
        """An idle node takes what its tier's queues hold; one that renders, from ``.next`` only."""
        for held, job_id in list(self._on_queues):
            places = 2 if held.queue.endswith(".next") else 1
            for gpu in sorted(self._farm.nodes, key=lambda gpu: gpu.tier_gb or 0):
                if (gpu.tier_gb or 0) >= held.tier_gb and len(self._hand[gpu.pk]) < places:
                    self._on_queues.remove((held, job_id))
                    self._accept(gpu.pk, held, job_id)
                    break

    def _in_flight(self) -> list[Held]:
        hands = [held for hand in self._hand.values() for held, _job in hand]
        return hands + [held for held, _job in self._on_queues]

    def _nobody_idles_beside_work(self) -> None:
        """Where a node idles that could do what waits, a limit is full, or others shall do it, and soon."""
        full = {self._scarce.pk} if self._farm.limits.left["scarce"] <= 0 else set[UUID]()
        for gpu in self._farm.nodes:
            for key, made in self._lanes.items():
                blocked = gpu.pk in self._farm.blocks.get(made.template_id, ())
                if self._hand[gpu.pk] or not self._waits[key] or blocked or made.template_id in full:
                    continue
                if (gpu.tier_gb or 0) < (made.tier_gb or 0):
                    continue
                left = self._farm.turns.left_since
                assert any(head.job_id in left for head in self._waits[key]), "an idle node, and work for it"
                assert all(self._now - since <= PATIENCE for since in self._first_left(key))

    def _first_left(self, key: UUID) -> list[datetime]:
        left = self._farm.turns.left_since
        return [left[head.job_id] for head in self._waits[key][:1] if head.job_id in left]

    def teardown(self) -> None:
        """Whatever happened: the farm goes on, and all that any node can do is rendered."""
        self._farm.blocks.clear()
        largest = max((gpu.tier_gb or 0 for gpu in self._farm.nodes), default=0)
        for _round in range(200):
            if not self._in_flight() and not any(self._waits.values()):
                break
            self._clock_s += 60
            self._tick()
            for node_id in self._executing():
                self._end(node_id)
        waiting = [key for key, heads in self._waits.items() if heads]
        assert all((self._lanes[key].tier_gb or 0) > largest for key in waiting), "something waits for ever"
        assert all(count == 1 for count in self._rendered.values()), "nothing was rendered twice"

    # How the farm works

    @property
    def _now(self) -> datetime:
        return NOW + timedelta(seconds=self._clock_s)

    def _executing(self) -> list[UUID]:
        return [node_id for node_id, hand in self._hand.items() if hand]

    def _begin(self, node_id: UUID) -> None:
        held, job_id = self._hand[node_id][0]
        if held.executing_at is None:
            self._hand[node_id][0] = held._replace(state="executing", executing_at=self._now), job_id

    def _end(self, node_id: UUID) -> None:
        held, job_id = self._hand[node_id].pop(0)
        self._rendered[job_id] += 1
        gpu = self._node(node_id)
        assert held.lane_id is not None
        gpu.resident = sorted(self._lanes[held.lane_id].models) or gpu.resident
        if self._hand[node_id]:
            self._begin(node_id)
        self._nodes_take_what_lies_in_queues()

    def _node(self, node_id: UUID) -> Node:
        return next(gpu for gpu in self._farm.nodes if gpu.pk == node_id)


@seeds(4, without_database=True)
def test_whatever_happens_the_matcher_keeps_its_rules_and_nobody_starves(beginning: int) -> None:
    play(FarmMachine, beginning=beginning, examples=40, steps=25)


def test_low_work_gets_its_share_of_seats_beside_a_flood_of_high_work_that_never_ends() -> None:
    gpu = node(24)
    low, high = lane(24, jobs=3, rank=Priority.LOW), lane(24, jobs=0, rank=Priority.HIGH)
    farm = Farm([gpu], [low, high], held=[in_hand(gpu, high)])
    waits, given = list(low.heads), list[bool]()
    while waits and len(given) < 1_000:
        farm.now += timedelta(minutes=10)
        low.heads, low.oldest = list(waits), waits[0]
        high.heads = [Head(uuid4(), Priority.HIGH, farm.now) for _ in range(3)]
        [pick] = farm.match()
        given.append(pick.waiting is low)
        waits = [head for head in waits if head != pick.head]
    assert not waits, "it was rendered at last"
    first = STARVATION / timedelta(minutes=10)
    assert given.index(True) == pytest.approx(first, abs=1), "not before the bound, and at once after it"
    assert len(given) <= first + 2 + 3 * STARVING_SHARE
