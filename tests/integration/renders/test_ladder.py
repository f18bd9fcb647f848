"""Out of memory: a larger card, and where there is none, advice in figures."""

from __future__ import annotations

from typing import Any

import pytest

from apps.nodes.models import Node, Pool
from apps.renders.models import Job
from apps.renders.services.ladder import climb
from apps.renders.services.lanes import assign
from apps.renders.states import JobState
from apps.workflows.models import WorkflowTemplateVersion
from farm.contracts import FailureClass
from tests.broker_fixture import Broker
from tests.factories import NodeFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, attempt_of, next_order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


def run_out(hand: Hand) -> None:
    """Render the next order and run out of memory."""
    order = next_order(hand)
    hand.finishes(order, hand.failure(order, FailureClass.OUT_OF_MEMORY))


def job_of(slug: str, **facts: Any) -> Job:
    """A job of a packaged template, as large as the test says."""
    version = WorkflowTemplateVersion.objects.get(template__slug=slug)
    return Job(**{"template_version": version, "precision": "fp8", "frames": 1, "tier_gb": 24, **facts})


def test_the_next_step_is_above_the_card_it_ran_on_not_above_the_order(
    node24: Hand, bus: Broker, job: Job
) -> None:
    Hand("gpu48", tier_gb=48, broker=bus).arrives()
    run_out(node24)
    assert (again(job).state, again(job).tier_gb, again(job).floor_gb) == (JobState.READY, 32, 32)
    assert again(job).failure_message.endswith(" — moved up to 32 GB")


def test_a_step_up_leads_no_further_than_the_cards_of_this_farm(node8: Hand, job: Job) -> None:
    run_out(node8)
    assert (again(job).state, again(job).attempts_used) == (JobState.FAILED, 0)
    assert "there is no larger tier" in again(job).failure_message


def test_the_largest_card_gets_one_order_for_the_whole_of_it(node24: Hand, job: Job) -> None:
    run_out(node24)
    assert (again(job).state, again(job).floor_gb) == (JobState.READY, 24)
    order = next_order(node24)
    assert attempt_of(order).tier_gb == 24
    node24.finishes(order, node24.failure(order, FailureClass.OUT_OF_MEMORY))
    now = again(job)
    assert (now.state, now.attempts_used, now.free_retries) == (JobState.FAILED, 0, 0)


def test_a_farm_without_cards_has_no_step_to_offer(bus: Broker, job: Job) -> None:
    """Its machines have no VRAM, and say so: that is no unknown memory."""
    job.need_gb, job.tier_gb = 0, 0
    assign([job])
    job.save()
    run_out(Hand("cpu1", tier_gb=0, broker=bus).arrives())
    assert again(job).state == JobState.FAILED


@pytest.mark.parametrize("wish", ["pool", "tags", "pinned_to", "avoids", "kept for a pool"])
def test_a_larger_card_that_the_job_may_not_go_to_is_no_step(
    wish: str, node24: Hand, bus: Broker, job: Job
) -> None:
    """It would wait for ever for a card that is kept from it."""
    Hand("gpu48", tier_gb=48, broker=bus).arrives()
    mine, other = Node.objects.get(name="gpu24"), Node.objects.get(name="gpu48")
    if wish == "kept for a pool":
        Node.objects.filter(pk=other.pk).update(pool=Pool.objects.create(name="hero", dedicated=True))
    elif wish == "pool":
        job.pool = Pool.objects.create(name="hero")
        Node.objects.filter(pk=mine.pk).update(pool=job.pool)
    elif wish == "tags":
        job.tags = "fast-disk"
        Node.objects.filter(pk=mine.pk).update(tags="fast-disk\nwindows")
    elif wish == "pinned_to":
        job.pinned_to = mine
    else:
        job.avoids = other.name
    assign([job])
    job.save()

    run_out(node24)
    assert (again(job).state, again(job).floor_gb) == (JobState.READY, 24), "the whole of its own card first"
    run_out(node24)

    assert again(job).state == JobState.FAILED
    assert "no node it may go to has more than 24 GB" in again(job).failure_message


@pytest.mark.parametrize(
    ("slug", "facts", "advice"),
    [
        (
            "wan22_i2v",
            {"width": 1280, "height": 720, "frames": 81, "need_gb": 32.0},
            "no card here has more than 24 GB — a size of 848×480 should fit",
        ),
        (
            "wan22_i2v",
            {"width": 640, "height": 640, "frames": 97, "need_gb": 24.0},
            "no card here has more than 24 GB — 81 frames should fit",
        ),
        (
            "flux_t2i",
            {"width": 1024, "height": 1024, "precision": "fp16", "need_gb": 24.0},
            "no card here has more than 24 GB — precision fp8 should fit",
        ),
        (
            "sd15_t2i",
            {"width": 512, "height": 512, "precision": "fp16", "need_gb": 4.0},
            "there is no larger tier: choose a smaller size or fewer frames",
        ),
    ],
)
def test_where_the_ladder_ends_the_advice_is_in_figures_that_fit_here(
    slug: str, facts: dict[str, Any], advice: str
) -> None:
    NodeFactory.create(tier_gb=24)
    step = climb(job_of(slug, **facts), None)
    assert (step.ends, step.advice) == (True, advice)


def test_advice_never_names_what_was_tried(templates: None) -> None:
    NodeFactory.create(tier_gb=140)
    tried = job_of("wan22_i2v", width=640, height=640, frames=81, need_gb=24.0, tier_gb=140)
    assert climb(tried, None).advice == "there is no larger tier: choose a smaller size or fewer frames"
