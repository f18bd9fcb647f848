"""A node that says it is idle, and hears nothing."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from apps.nodes.models import Node
from apps.nodes.states import Health, Observed
from apps.renders.models import Attempt, Job
from apps.renders.services.canaries import MOST_ASKED
from apps.renders.services.dispatch import dispatch
from apps.renders.services.farmclock import give_grace
from apps.renders.services.sweep import sweep
from apps.renders.states import JobState
from farm.contracts import CANARY, Capabilities, NodeState
from farm.tiers import next_queue_for, node_queue, queue_for
from tests.broker_fixture import Broker
from tests.farm_time import FarmTime
from tests.integration.renders.hand import Hand, everything
from tests.integration.renders.scene import again

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]

HEARS = ("canary", "unstage", "probe")


class Listener(Hand):
    """A hand that knows canaries. ``deaf``: it reads none of its queues, and goes on reporting."""

    heard = ""
    deaf = False

    def writes(self, **changes: Any) -> Any:
        return super().writes(**({"hears": HEARS, "canary": self.heard} | changes))

    def own_queue(self) -> list[tuple[str, list[Any]]]:
        """What waits on its own queue: task names and arguments."""
        found = self.broker.client().lrange(node_queue(self.name, self.epoch), 0, -1)
        messages = [json.loads(message) for message in found]
        return [
            (message["headers"]["task"], json.loads(base64.b64decode(message["body"]))[0])
            for message in messages
        ]

    def hears_canary(self) -> str:
        """Take a canary off its own queue; "" if there is none."""
        message = self.broker.client().rpop(node_queue(self.name, self.epoch))
        if not isinstance(message, str):
            return ""
        self.heard = json.loads(base64.b64decode(json.loads(message)["body"]))[0][0]
        return self.heard


@pytest.fixture
def node(bus: Broker, farm_time: FarmTime) -> Listener:
    """An idle node of 24 GB that knows canaries."""
    listener = Listener("gpu24", tier_gb=24, broker=bus).arrives()
    for _ in range(8):  # the grace after the farm's first word is over as well
        farm_time.passes(5)
        listener.reports()
    return listener


def time_passes(seconds: float, farm_time: FarmTime, *hands: Hand) -> None:
    """Time passes as it does: nodes report every five seconds, and the leader sweeps."""
    while seconds > 0:
        farm_time.passes(min(5, seconds))
        seconds -= 5
        for hand in hands:
            hand.reports()
        sweep()


def health() -> str:
    return Node.objects.get(name="gpu24").health


def test_a_node_idle_while_work_waits_gets_one_canary_on_its_own_queue_and_nowhere_else(
    node: Listener, job: Job, bus: Broker, farm_time: FarmTime
) -> None:
    sweep()
    assert [name for name, _ in node.own_queue()] == [CANARY]
    for tier in (0, 8, 12, 16, 24):
        for kind in (queue_for, next_queue_for):
            assert bus.client().llen(kind(tier)) == 0
    time_passes(15, farm_time, node)
    assert len(node.own_queue()) == 1, "one per node and interval at most"


def test_hundreds_of_idle_nodes_are_asked_a_few_at_a_time_and_all_of_them_in_turn(
    bus: Broker, job: Job, farm_time: FarmTime
) -> None:
    crew = [
        Listener(f"gpu{number:02d}", tier_gb=24, broker=bus).arrives() for number in range(2 * MOST_ASKED + 1)
    ]
    for _ in range(5):
        farm_time.passes(5)
        for hand in crew:
            hand.reports()
    asked = []
    for _second in range(4):
        sweep()
        asked.append(Node.objects.filter(canary_sent_at__isnull=False).count())
    assert asked == [MOST_ASKED, 2 * MOST_ASKED, 2 * MOST_ASKED + 1, 2 * MOST_ASKED + 1]
    assert [len(hand.own_queue()) for hand in crew] == [1] * len(crew), "one each"


def test_no_canary_flies_while_nothing_waits(node: Listener, farm_time: FarmTime) -> None:
    sweep()
    assert node.own_queue() == []


def test_a_node_that_has_only_just_become_idle_is_left_alone(bus: Broker, job: Job) -> None:
    node = Listener("gpu24", tier_gb=24, broker=bus).arrives()
    sweep()
    assert node.own_queue() == []


def test_a_node_too_small_for_what_waits_is_left_alone(bus: Broker, job: Job, farm_time: FarmTime) -> None:
    small = Listener("small", tier_gb=0, broker=bus).arrives()
    farm_time.passes(30)
    small.reports()
    sweep()
    assert small.own_queue() == []


def test_a_worker_that_knows_no_canaries_is_never_asked(bus: Broker, job: Job, farm_time: FarmTime) -> None:
    old = Hand("gpu24", tier_gb=24, broker=bus).arrives()
    time_passes(90, farm_time, old)
    assert bus.client().llen(node_queue("gpu24", "e1")) == 0
    assert health() == Health.WELL


def test_a_canary_that_is_heard_proves_its_ears(node: Listener, job: Job, farm_time: FarmTime) -> None:
    sweep()
    assert node.hears_canary()
    node.reports()
    assert Node.objects.get().canary_heard_at is not None
    time_passes(30, farm_time, node)
    assert health() == Health.WELL


def test_a_node_that_reports_and_does_not_read_its_queue_is_deaf_and_serves_no_more(
    node: Listener, job: Job, farm_time: FarmTime
) -> None:
    sweep()
    assert node.own_queue(), "the canary flies"
    time_passes(15, farm_time, node)
    assert health() == Health.WELL, "it has its time"
    time_passes(10, farm_time, node)
    row = Node.objects.get()
    assert row.health == Health.DEAF
    assert row.sick_reason.startswith("it reports, but has not read its own queue for 2")
    assert not node.reports().serve
    assert dispatch() == 0
    assert again(job).state == JobState.READY


def _deaf(node: Listener, farm_time: FarmTime) -> None:
    sweep()
    time_passes(30, farm_time, node)
    assert health() == Health.DEAF


def test_a_deaf_node_that_hears_the_canary_at_last_is_back(
    node: Listener, job: Job, farm_time: FarmTime
) -> None:
    _deaf(node, farm_time)
    assert node.hears_canary()
    assert node.reports().serve
    assert (health(), Node.objects.get().sick_reason) == (Health.WELL, "")
    assert dispatch() == 1


def test_a_deaf_node_is_asked_again_now_and_then_but_its_queue_does_not_grow(
    node: Listener, job: Job, bus: Broker, farm_time: FarmTime
) -> None:
    _deaf(node, farm_time)
    time_passes(200, farm_time, node)
    assert len(node.own_queue()) == 1, "the canary that waits there is canary enough"
    bus.lose_everything()
    time_passes(65, farm_time, node)
    assert len(node.own_queue()) == 1, "a lost one is followed by another"
    node.hears_canary()
    node.reports()
    assert health() == Health.WELL


def test_a_new_life_is_not_deaf(node: Listener, job: Job, farm_time: FarmTime) -> None:
    _deaf(node, farm_time)
    node.epoch = "e2"
    assert node.arrives().reports().serve
    assert health() == Health.WELL


def test_a_canary_that_was_lost_with_the_broker_deafens_nobody(
    node: Listener, job: Job, bus: Broker, farm_time: FarmTime
) -> None:
    sweep()
    assert node.own_queue()
    bus.lose_everything()
    time_passes(25, farm_time, node)
    assert health() == Health.WELL
    assert node.own_queue(), "another flies"
    node.hears_canary()
    time_passes(60, farm_time, node)
    assert health() == Health.WELL


def test_who_swallows_canaries_and_never_tells_is_deaf(
    node: Listener, job: Job, bus: Broker, farm_time: FarmTime
) -> None:
    sweep()
    bus.lose_everything()
    time_passes(25, farm_time, node)
    bus.lose_everything()
    time_passes(25, farm_time, node)
    assert health() == Health.DEAF


def test_while_the_road_is_down_nobody_is_called_deaf(
    node: Listener, job: Job, settings: Any, farm_time: FarmTime
) -> None:
    sweep()
    time_passes(18, farm_time, node)
    give_grace(farm_time())
    time_passes(25, farm_time, node)
    assert health() == Health.WELL, "no conclusion during a grace"
    time_passes(15, farm_time, node)
    assert health() == Health.DEAF


def test_a_silent_node_is_offline_not_deaf(
    node: Listener, job: Job, bus: Broker, farm_time: FarmTime
) -> None:
    other = Hand("other24", tier_gb=24, broker=bus).arrives()
    sweep()
    assert node.own_queue()
    time_passes(25, farm_time, other)
    assert health() == Health.WELL
    time_passes(10, farm_time, other)
    assert Node.objects.get(name="gpu24").observed == Observed.OFFLINE


def test_who_has_rendered_since_has_ears_whatever_became_of_its_canary(
    node: Listener, job: Job, farm_time: FarmTime
) -> None:
    sweep()
    assert node.own_queue()
    node.reports(state=NodeState.BUSY)
    time_passes(25, farm_time, node)
    assert health() == Health.WELL


@pytest.mark.parametrize("wish", ["draining", "paused"])
def test_a_node_that_shall_not_work_is_not_asked(
    node: Listener, job: Job, farm_time: FarmTime, wish: str
) -> None:
    Node.objects.update(desired=wish)
    time_passes(60, farm_time, node)
    assert node.own_queue() == []


def test_an_order_recalled_from_its_own_queue_makes_it_a_suspect_at_once(
    bus: Broker, job: Job, farm_time: FarmTime
) -> None:
    node = Listener("gpu24", tier_gb=24, broker=bus).arrives()
    Hand("poor", tier_gb=24, broker=bus, able=Capabilities(classes=everything().classes, models={})).arrives()
    assert dispatch() == 1
    assert Attempt.objects.get().node == Node.objects.get(name="gpu24")
    farm_time.passes(21)
    node.reports(state="busy")
    node.reports()  # it has only just become idle: by that alone it would not be suspected
    sweep()
    assert Node.objects.get(name="gpu24").recalled_at is not None
    sweep()
    row = Node.objects.get(name="gpu24")
    assert row.canary_sent_at is not None
    assert row.observed_since is not None
    assert (row.canary_sent_at - row.observed_since).total_seconds() < 20
