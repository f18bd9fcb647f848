"""The road as the render machine sees it: people, nodes, and every message that was ever under way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import transaction
from django.test import TestCase

from apps.accounts.models import User
from apps.nodes.models import Node
from apps.nodes.services import set_desired
from apps.nodes.states import Desired
from apps.projects.models import Project
from apps.renders.models import Attempt, Job, RenderBatch
from apps.renders.selectors import story
from apps.renders.services.dispatch import dispatch, explain_waiting
from apps.renders.services.submit import Step
from apps.renders.services.sweep import sweep
from apps.renders.states import IN_FLIGHT, JobState
from apps.renders.waiting import reason_of
from farm.contracts import NodeDirectives, NodeReport, Outcome, RenderOrder, RenderReport
from farm.tiers import next_queue_for, queue_for
from tests.broker_fixture import Broker
from tests.event_chain import EventChain
from tests.farm_time import FarmTime
from tests.integration.renders.hand import Hand
from tests.integration.renders.machines import invariants

T = TypeVar("T")

KEYFRAME = Step(template="sd15_t2i")
CLIP = Step(template="wan22_i2v", width=640, height=640, frames=81)
SLATE = Step(template="plain_slate")
WISHES = {
    "a keyframe": [KEYFRAME],
    "keyframe and clip": [KEYFRAME, CLIP],
    "a clip": [CLIP],
    "a slate": [SLATE],
}
TIERS = {"gpu8": 8, "gpu24": 24, "twin24": 24}


@dataclass(frozen=True)
class World:
    """What stands before the first step of every example, and is there again before the next."""

    film: Project
    coordinator: User
    operator: User
    broker: Broker
    time: FarmTime


def pick(items: list[T], which: int) -> T:
    """One of several; 0 is the newest."""
    return items[-1 - which % len(items)]


@dataclass
class Road:
    """The model: what the nodes have in hand, and every message said so far, to be said again at any time."""

    world: World
    hands: dict[str, Hand] = field(default_factory=dict)
    orders: list[tuple[str, RenderOrder]] = field(default_factory=list)
    words: list[tuple[str, RenderReport]] = field(default_factory=list)
    letters: list[NodeReport] = field(default_factory=list)
    granted: set[tuple[str, str]] = field(default_factory=set)
    genuine: set[str] = field(default_factory=set)
    manifests: set[str] = field(default_factory=set)
    lives: int = 1
    sound: bool = True

    def __post_init__(self) -> None:
        self._example = transaction.atomic()
        self._example.__enter__()
        self.world.time.begins_again()
        self.world.broker.lose_everything()
        for name, tier in TIERS.items():
            self.hands[name] = Hand(name, tier_gb=tier, broker=self.world.broker)
        self.chain = EventChain()

    @contextmanager
    def step(self) -> Iterator[None]:
        """One step, with everything that waits for its commit; then every invariant."""
        self.sound = False
        with TestCase.captureOnCommitCallbacks(execute=True):
            yield
        self.check()
        self.sound = True

    def check(self) -> None:
        told = self.chain.check()
        invariants.success_was_verified(told, self.genuine)
        invariants.what_has_its_manifest_is_not_lost(told, self.manifests)
        invariants.takes_are_what_succeeded()
        invariants.each_job_has_one_current_attempt()
        invariants.nothing_starts_before_what_it_waits_for()
        invariants.nothing_renders_on_too_small_a_card()
        invariants.blocked_jobs_name_their_reason()
        invariants.jobs_are_held_and_ranked_as_people_said()

    def forget(self) -> None:
        """Undo the example."""
        transaction.set_rollback(True)
        self._example.__exit__(None, None, None)

    # The coordinator

    def dispatch(self) -> int:
        """One turn of the dispatcher, which may not send more than there are seats for."""
        before = invariants.over_full()
        sent = dispatch()
        more = {key: count for key, count in invariants.over_full().items() if count > before.get(key, 0)}
        assert not more, f"sent {sent}, now too full: {more}"
        return sent

    def tick(self) -> None:
        """What the ticker does every second."""
        self.dispatch()
        if sweep():
            self.dispatch()
        explain_waiting()
        invariants.ready_jobs_name_their_reason()

    # A node

    def hears(self, hand: Hand) -> RenderOrder | None:
        """The next order for this node, off the queues it reads with what it has in hand now."""
        order = hand.order_on(*(queue_for, next_queue_for)[len(hand.running) :])
        if order is not None:
            self.orders.append((hand.name, order))
        return order

    def obeys(self, hand: Hand, told: NodeDirectives) -> None:
        """Stop what is called off; begin a new life if told so."""
        for attempt in set(told.cancelled) & set(hand.running):
            order = next(order for _, order in self.orders if order.attempt_id == attempt)
            del hand.running[attempt]
            self.words.append((hand.name, hand.ended(order, Outcome.CANCELLED)))
        if told.new_epoch:
            self.restarts(hand)

    def restarts(self, hand: Hand) -> None:
        """A new life: what was in hand is gone."""
        self.lives += 1
        hand.epoch, hand.running = f"e{self.lives}", {}
        hand.arrives()

    def claims(self, hand: Hand, order: RenderOrder, *, answered: bool = True) -> None:
        """Claim an order; refused, or without an answer, the node drops it and says so."""
        granted = hand.claims(order).granted
        if granted and answered:
            self.granted.add((hand.name, order.attempt_id))
            return
        hand.running.pop(order.attempt_id, None)
        if not self.written(hand.name, order):
            self.words.append((hand.name, hand.ended(order, Outcome.DROPPED)))

    def in_hand(self) -> list[tuple[str, RenderOrder]]:
        """What some node was granted and has not said the end of, in this life of it or an earlier one."""
        mine = {(node, order.attempt_id): order for node, order in self.orders}
        given = [key for key in mine if key in self.granted and not self.written(key[0], mine[key])]
        return [(node, mine[node, attempt]) for node, attempt in given]

    def written(self, node: str, order: RenderOrder) -> bool:
        """Whether this node has written how this attempt ended: it does so once."""
        return any((node, order.attempt_id) == (author, word.attempt_id) for author, word in self.words)

    def repeats(self, node: str, report: RenderReport) -> None:
        """A node says once more how an attempt ended: finished work counts, a stale word changes nothing."""
        hand = self.hands[node]
        stale = invariants.is_stale(report) or self.is_anothers(node, report)
        before = invariants.what_stands(report.job_id)
        self.obeys(hand, hand.reports(finished=(report,)))
        if report.outcome == Outcome.SUCCEEDED and report.attempt_id in self.genuine:
            state = Job.objects.values_list("state", flat=True).get(pk=report.job_id)
            assert state in (JobState.SUCCEEDED, JobState.CANCELLED), f"{state}: finished work is thrown away"
        elif stale:
            assert invariants.what_stands(report.job_id) == before, "a stale report changed something"

    def is_anothers(self, node: str, report: RenderReport) -> bool:
        """Whether another node was given what this one reports."""
        given = {name for name, attempt in self.granted if attempt == report.attempt_id}
        return bool(given) and node not in given

    # The end

    def goes_quiet(self, *, late: bool) -> None:
        """Every node is well and obeys; tick until nothing goes on by itself any more.

        ``late``: every report ever written comes once more before, the oldest last.
        """
        for node, report in reversed(self.words) if late else ():
            with self.step():
                self.repeats(node, report)
        with self.step():
            for row in Node.objects.all():
                set_desired(row, Desired.ACTIVE, user=self.world.operator)
        for hand in self.hands.values():
            with self.step():
                self.restarts(hand)
        for _ in range(60):
            with self.step():
                self.world.time.passes(31)
                for hand in self.hands.values():
                    self.obeys(hand, hand.reports())
                self.tick()
                for hand in self.hands.values():
                    self._renders_all_it_gets(hand)
            if not invariants.what_goes_on():
                break
        self._nothing_is_lost()

    def _renders_all_it_gets(self, hand: Hand) -> None:
        while order := self.hears(hand):
            if hand.claims(order).granted:
                self.genuine.add(order.attempt_id)
                hand.finishes(order)
            else:
                hand.finishes(order, hand.ended(order, Outcome.DROPPED))

    def _nothing_is_lost(self) -> None:
        explain_waiting()
        invariants.ready_jobs_name_their_reason()
        for job in Job.objects.select_related("batch"):
            assert job.state not in IN_FLIGHT, f"{job} is {job.state} for ever: {self.story_of(job)}"
            if job.state == JobState.READY:
                held = job.paused or job.batch.paused
                too_big = job.tier_gb is None or job.tier_gb > max(TIERS.values())
                assert held or too_big, f"{job} waits ({reason_of(job).code}) for ever: {self.story_of(job)}"
            if job.state == JobState.BLOCKED:
                sources = job.dependencies.values_list("depends_on__state", flat=True)
                assert set(sources) - {JobState.SUCCEEDED}, f"{job} waits for what is done"
            if job.state in (JobState.FAILED, JobState.QUARANTINED):
                assert job.failure_class, f"{job} failed and nobody knows why"
        assert not Attempt.objects.filter(holds_slot=True).exists(), "a slot is taken for ever"

    def story_of(self, job: Job) -> str:
        """What a person would read."""
        return "\n".join(f"  {event}: {event.reason} ({event.actor})" for event in story(job))

    def batches(self) -> list[RenderBatch]:
        return list(RenderBatch.objects.order_by("code"))

    def jobs(self) -> list[Job]:
        return list(Job.objects.order_by("code"))
