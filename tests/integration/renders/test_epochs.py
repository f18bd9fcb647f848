"""A node's lives: what one of them may still say and do when the next has begun."""

from __future__ import annotations

import pytest

from apps.common.clock import database_now
from apps.nodes.models import Node
from apps.renders.models import Job
from apps.renders.services.dispatch import dispatch
from apps.renders.services.farmclock import give_grace
from apps.renders.services.record import Recorded
from apps.renders.services.sweep import sweep
from apps.renders.states import AttemptState, JobState
from farm.contracts import Capabilities
from farm.tiers import node_queue
from tests.broker_fixture import Broker
from tests.integration.renders.hand import Hand, everything
from tests.integration.renders.scene import (
    again,
    attempt_of,
    dispatched,
    executing,
    next_order,
    node_falls_silent,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


def former_life(hand: Hand) -> Hand:
    """Begin a new life under the same name; return the former one, whose messages may still arrive."""
    former = Hand(hand.name, tier_gb=hand.tier_gb, broker=hand.broker)
    former.epoch, former.running = hand.epoch, dict(hand.running)
    hand.epoch, hand.running = "e2", {}
    hand.arrives()
    return former


def test_an_older_report_neither_turns_the_epoch_back_nor_ends_what_runs(node24: Hand, job: Job) -> None:
    former = former_life(node24)
    order = executing(node24)
    assert former.reports().new_epoch, "queued in the broker by the former life"
    assert Node.objects.get().epoch == "e2"
    give_grace(database_now())
    sweep()
    assert again(job).state == JobState.RUNNING
    assert attempt_of(order).state == AttemptState.EXECUTING
    assert not node24.reports().new_epoch


def test_what_a_former_life_still_runs_it_must_stop(node24: Hand, job: Job) -> None:
    order = executing(node24)
    former = former_life(node24)
    told = former.reports()
    assert (told.new_epoch, told.cancelled) == (True, (order.attempt_id,))


def test_what_a_former_life_finished_counts(node24: Hand, job: Job) -> None:
    order = executing(node24)
    former = former_life(node24)
    told = former.reports(finished=(former.success(order),))
    assert told.confirmed == (order.attempt_id,)
    assert again(job).state == JobState.SUCCEEDED


def test_a_claim_of_a_former_life_is_refused(node24: Hand, job: Job) -> None:
    order = dispatched(node24)
    former = former_life(node24)
    reply = former.claims(order)
    assert (reply.granted, reply.reason) == (False, "this node has not reported in its present epoch")
    assert node24.claims(order).granted, "the order is still there for whoever may have it"


def test_what_was_granted_to_a_former_life_is_not_granted_again(node24: Hand, job: Job) -> None:
    order = executing(node24)
    assert node24.claims(order).reason == "granted before"
    former = former_life(node24)
    assert not node24.claims(order).granted
    assert not former.claims(order).granted


def test_a_new_life_without_its_former_work_lets_it_go_at_once(node24: Hand, job: Job) -> None:
    order = executing(node24)
    former_life(node24)
    give_grace(database_now())
    assert sweep() == 1
    assert (again(job).state, attempt_of(order).state) == (JobState.READY, AttemptState.LOST)


def test_a_node_given_up_takes_work_again_in_its_new_epoch(node24: Hand, job: Job) -> None:
    executing(node24)
    node_falls_silent()
    sweep()
    assert node24.reports().new_epoch
    former_life(node24)
    assert not node24.reports().new_epoch
    order = next_order(node24)
    assert node24.finishes(order) is Recorded.DONE


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_orders_on_the_queue_of_a_former_life_are_recalled_and_the_queue_is_gone(
    node24: Hand, bus: Broker, job: Job
) -> None:
    poor = Capabilities(classes=everything().classes, models={})
    Hand("poor", tier_gb=24, broker=bus, able=poor).arrives()
    assert dispatch() == 1
    queue = node_queue("gpu24", "e1")
    assert bus.client().llen(queue) == 1
    for note in ("_kombu.binding", "_kombu.binding_permanent"):
        bus.client().sadd(f"{note}.{queue}", "what its worker's kombu notes")
    former_life(node24)
    assert bus.client().keys(f"*{queue}") == [], "each life of 500 nodes would leave some for ever"
    assert sweep() == 1
    assert again(job).state == JobState.READY


def test_a_newcomer_that_lacks_the_model_is_refused_the_tiers_order(
    node24: Hand, bus: Broker, job: Job
) -> None:
    order = dispatched(node24)
    poor = Capabilities(classes=everything().classes, models={})
    newcomer = Hand("new24", tier_gb=24, broker=bus, able=poor).arrives()
    reply = newcomer.claims(order)
    assert not reply.granted
    assert reply.reason.startswith("new24 lacks checkpoints/")
    assert again(job).state == JobState.READY
    again_order = dispatched(node24)
    assert node24.claims(again_order).granted


def test_a_newcomer_whose_models_are_unknown_is_refused(node24: Hand, bus: Broker, job: Job) -> None:
    order = dispatched(node24)
    newcomer = Hand("new24", tier_gb=24, broker=bus)
    newcomer.reports()
    assert "may not be given work" in newcomer.claims(order).reason


def test_a_node_that_never_reported_is_refused(node24: Hand, bus: Broker, job: Job) -> None:
    order = dispatched(node24)
    assert not Hand("stranger", tier_gb=24, broker=bus).claims(order).granted
    assert again(job).state == JobState.DISPATCHED
