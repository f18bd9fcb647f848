"""What costs a job an attempt, and what does not but ends all the same."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.nodes.models import Node
from apps.nodes.states import Desired
from apps.renders.models import Job
from apps.renders.services.control import requeue
from apps.renders.services.dispatch import dispatch
from apps.renders.services.failures import MOST_FREE_RETRIES
from apps.renders.services.sweep import sweep
from apps.renders.states import JobState
from farm.contracts import FailureClass, Outcome, Stage
from tests.broker_fixture import Broker
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import (
    acceptance_is_overdue,
    again,
    dispatched,
    next_order,
    node_falls_silent,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


def fail(hand: Hand, failure: FailureClass) -> None:
    """Render the next order and fail."""
    order = next_order(hand)
    hand.finishes(order, hand.failure(order, failure))


def budget(job: Job) -> tuple[int, int]:
    """Attempts and free retries used."""
    now = again(job)
    return now.attempts_used, now.free_retries


def test_failures_of_the_farm_and_of_the_render_have_budgets_of_their_own(node24: Hand, job: Job) -> None:
    fail(node24, FailureClass.UNKNOWN)
    for _ in range(MOST_FREE_RETRIES - 1):
        fail(node24, FailureClass.INFRASTRUCTURE)
    assert (again(job).state, budget(job)) == (JobState.READY, (1, MOST_FREE_RETRIES - 1))
    fail(node24, FailureClass.UNKNOWN)
    assert (again(job).state, budget(job)) == (JobState.READY, (2, MOST_FREE_RETRIES - 1))
    fail(node24, FailureClass.UNKNOWN)
    assert again(job).state == JobState.FAILED


def test_a_farm_that_fails_too_often_needs_a_person(node24: Hand, job: Job) -> None:
    for _ in range(MOST_FREE_RETRIES):
        assert again(job).state == JobState.READY
        fail(node24, FailureClass.INFRASTRUCTURE)
    assert (again(job).state, again(job).attempts_used) == (JobState.FAILED, 0)
    assert f"gave up after {MOST_FREE_RETRIES} failures of the farm itself" in again(job).failure_message


def test_a_requeued_job_begins_with_both_budgets_whole(node24: Hand, job: Job, coordinator: User) -> None:
    for _ in range(MOST_FREE_RETRIES):
        fail(node24, FailureClass.INFRASTRUCTURE)
    assert requeue(again(job), user=coordinator)
    assert budget(job) == (0, 0)
    fail(node24, FailureClass.INFRASTRUCTURE)
    assert (again(job).state, budget(job)) == (JobState.READY, (0, 1))


def test_a_pause_after_a_failure_of_the_farm_grows_with_every_one(node24: Hand, job: Job) -> None:
    pauses = []
    for _ in range(4):
        fail(node24, FailureClass.INFRASTRUCTURE)
        start_after = again(job).start_after
        assert start_after is not None
        pauses.append((start_after - again(job).updated_at).total_seconds())
    assert [round(pause) for pause in pauses] == [2, 4, 8, 16]


def test_a_node_that_takes_orders_it_is_refused_costs_no_budget_and_pauses_the_job(
    node24: Hand, bus: Broker, job: Job
) -> None:
    other = Hand("other24", tier_gb=24, broker=bus).arrives()
    Node.objects.filter(name="gpu24").update(desired=Desired.PAUSED)  # it has not heard yet
    for _ in range(MOST_FREE_RETRIES + 1):
        order = dispatched(node24)
        assert not node24.claims(order).granted
        paused = again(job).start_after
        assert paused is not None, "the thief may be quicker again"
        assert paused > database_now()
        assert dispatch() == 0
        node24.finishes(order, node24.ended(order, Outcome.DROPPED))
    assert budget(job) == (0, 0)
    fail(other, FailureClass.INFRASTRUCTURE)
    assert again(job).state == JobState.READY


def test_an_order_nobody_accepts_costs_no_budget(node24: Hand, bus: Broker, job: Job) -> None:
    for _ in range(MOST_FREE_RETRIES + 1):
        dispatched(node24)
        acceptance_is_overdue()
        assert sweep() == 1
    assert (again(job).state, budget(job)) == (JobState.READY, (0, 0))


def test_a_lease_that_runs_out_before_execution_is_no_crash(node24: Hand, job: Job) -> None:
    next_order(node24)
    node_falls_silent()
    assert sweep() == 1
    assert (again(job).crashes, budget(job)) == (0, (0, 1))


def test_a_worker_that_goes_down_while_executing_is_a_crash(node24: Hand, job: Job) -> None:
    node24.works_on(next_order(node24), Stage.EXECUTING)
    node24.reports()
    node_falls_silent()
    assert sweep() == 1
    assert (again(job).crashes, budget(job)) == (1, (0, 1))


def test_a_prompt_that_waited_in_a_comfyui_that_went_down_has_crashed_nothing(node24: Hand, job: Job) -> None:
    order = next_order(node24)
    node24.works_on(order, Stage.STAGED)
    node24.reports()
    node24.finishes(order, node24.failure(order, FailureClass.COMFY_CRASHED))
    assert (again(job).state, again(job).crashes, budget(job)) == (JobState.READY, 0, (0, 1))
    assert again(job).failure_class == FailureClass.COMFY_CRASHED


def test_a_job_that_needs_more_memory_spends_no_attempt(node24: Hand, job: Job) -> None:
    fail(node24, FailureClass.OUT_OF_MEMORY)
    assert (again(job).tier_gb, budget(job)) == (24, (0, 0))
    fail(node24, FailureClass.OUT_OF_MEMORY)
    assert (again(job).state, budget(job)) == (JobState.FAILED, (0, 0))
