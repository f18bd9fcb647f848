"""Work for somebody else's service goes only where a key for it is, and says so while there is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.accounts.models import User
from apps.nodes.models import Node
from apps.projects.models import Project
from apps.renders.models import Attempt, Job
from apps.renders.services.control import requeue
from apps.renders.services.dispatch import dispatch, explain_waiting
from apps.renders.services.submit import Step, submit
from apps.renders.services.sweep import sweep
from apps.renders.states import JobState
from apps.renders.waiting import told_by_nodes, wait_sentence
from farm.contracts import COMFY_ORG, FailureClass, Outcome, RenderOrder, Stage
from farm.tiers import NO_VRAM
from tests.broker_fixture import Broker
from tests.factories import ShotFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, executing, next_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def clip(film: Project, coordinator: User, node24: Hand) -> Job:
    """A clip by KLING, whose keyframe is rendered."""
    shot = ShotFactory.create(sequence=film.sequences.get())
    steps = [Step(template="sd15_t2i"), Step(template="kling_i2v")]
    batch = submit(user=coordinator, project=film, shots=[shot], steps=steps, idempotency_key="k").batch
    node24.finishes(next_order(node24))
    made: Job = batch.jobs.get(kind="clip")
    return made


def reports_its_key(hand: Hand) -> None:
    hand.reports(keys=(COMFY_ORG,))


def test_it_needs_no_memory_here(clip: Job) -> None:
    assert (clip.need_gb, clip.lane.tier_gb if clip.lane else None) == (0, NO_VRAM)


def test_without_a_key_anywhere_it_waits_and_says_for_what(clip: Job, node24: Hand) -> None:
    node24.reports()
    assert dispatch() == 0
    explain_waiting()
    job = again(clip)
    assert job.state == JobState.READY
    assert wait_sentence(job) == "No node has a key for KLING."
    assert "Has no key for KLING." in str(told_by_nodes(job))


def test_it_goes_to_the_node_that_has_a_key_and_names_it_in_the_order(
    clip: Job, node24: Hand, bus: Broker
) -> None:
    keeper = Hand("io1", tier_gb=8, broker=bus).arrives()
    reports_its_key(keeper)
    assert dispatch() == 1
    assert node24.order() is None
    order = keeper.claimed()
    assert order.key == COMFY_ORG
    assert [(output.width, output.height, output.frames) for output in order.outputs] == [(0, 0, 0)]


def test_a_node_that_has_lost_its_key_is_not_granted_the_order(clip: Job, node24: Hand) -> None:
    reports_its_key(node24)
    assert dispatch() == 1
    order = node24.order()
    assert order is not None
    Node.objects.update(keys=[])
    reply = node24.claims(order)
    assert (reply.granted, "no key" in reply.reason) == (False, True)


def test_other_orders_name_no_key(job: Job, node24: Hand) -> None:
    reports_its_key(node24)
    order: RenderOrder = next_order(node24)
    assert order.key == ""


@pytest.fixture
def asked(clip: Job, node24: Hand) -> RenderOrder:
    """Its node executes the clip: KLING has been asked."""
    reports_its_key(node24)
    order = next_order(node24)
    node24.works_on(order, Stage.EXECUTING)
    reports_its_key(node24)
    return order


PAID = "KLING may have rendered it for money: look there, then requeue it by hand"


@pytest.mark.parametrize(
    "failure", [FailureClass.UNKNOWN, FailureClass.COMFY_CRASHED, FailureClass.INFRASTRUCTURE]
)
def test_what_a_service_may_have_rendered_is_not_rendered_again_by_itself(
    clip: Job, asked: RenderOrder, node24: Hand, failure: FailureClass
) -> None:
    node24.finishes(asked, node24.failure(asked, failure))
    job = again(clip)
    assert job.state == JobState.FAILED
    assert PAID in job.failure_message


def test_nor_when_its_node_goes_silent_but_a_late_success_is_taken(
    clip: Job, asked: RenderOrder, node24: Hand
) -> None:
    Attempt.objects.update(lease_until=None)
    sweep()
    job = again(clip)
    assert (job.state, PAID in job.failure_message) == (JobState.FAILED, True)
    node24.finishes(asked)
    assert again(clip).state == JobState.SUCCEEDED


def test_nor_when_it_was_stopped_half_way(clip: Job, asked: RenderOrder, node24: Hand) -> None:
    stopped = replace(node24.ended(asked, Outcome.CANCELLED), prompt_id="p").signed(asked.report_key)
    node24.finishes(asked, stopped)
    assert again(clip).state == JobState.FAILED


def test_a_person_lets_it_be_rendered_again(
    clip: Job, asked: RenderOrder, node24: Hand, coordinator: User
) -> None:
    node24.finishes(asked, node24.failure(asked, FailureClass.UNKNOWN))
    requeue(again(clip), user=coordinator)
    assert again(clip).state == JobState.READY


def test_what_never_reached_the_service_is_tried_again(clip: Job, node24: Hand) -> None:
    reports_its_key(node24)
    order = next_order(node24)
    node24.finishes(order, node24.failure(order, FailureClass.INFRASTRUCTURE))
    assert again(clip).state == JobState.READY


def test_the_cards_own_renders_are_tried_again_as_ever(job: Job, node24: Hand) -> None:
    order = executing(node24)
    node24.finishes(order, node24.failure(order, FailureClass.UNKNOWN))
    assert again(job).state == JobState.READY
