"""A template that keeps failing on a node, and a node that keeps failing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.common.errors import NotAllowed
from apps.common.models import StateEvent
from apps.nodes.models import Node
from apps.nodes.services import say_well
from apps.nodes.states import Health
from apps.projects.models import Project
from apps.renders.models import Attempt, Job, NodeBlock
from apps.renders.selectors import wait_sentence
from apps.renders.services.breaker import clear_block
from apps.renders.services.dispatch import dispatch, explain_waiting
from apps.renders.services.ended import Ended
from apps.renders.services.lessons import tell_ended
from apps.renders.services.sweep import sweep
from apps.renders.states import BlockState
from farm.contracts import FailureClass, ProbeResult, RenderOrder, Stage
from tests.broker_fixture import Broker
from tests.factories import JobFactory, NodeFactory, UserFactory
from tests.farm_time import FarmTime
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import next_order, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]

RAISED = FailureClass.UNKNOWN
HOURS_LATER = 5 * 3600 + 1


@pytest.fixture(autouse=True)
def prober(node24: Hand) -> None:
    """The node knows probes."""
    Node.objects.update(hears=["canary", "unstage", "probe"])


def order_of(hand: Hand, film: Project, user: User, key: str, template: str = "sd15_t2i") -> RenderOrder:
    """Another job's order, executing."""
    Job.objects.update(paused=True, held=True)
    press(film, user, template, key=key)
    order = next_order(hand)
    hand.works_on(order, Stage.EXECUTING)
    hand.reports(hears=("canary", "unstage", "probe"))
    return order


def fails(
    hand: Hand,
    film: Project,
    user: User,
    *keys: str,
    failure: FailureClass = RAISED,
    template: str = "sd15_t2i",
) -> None:
    """One job after another fails; the node is called well in between, so that it goes on getting work."""
    for key in keys:
        order = order_of(hand, film, user, key, template)
        hand.finishes(order, hand.failure(order, failure))
        Node.objects.update(health=Health.WELL, sick_since=None)


def block() -> NodeBlock:
    return NodeBlock.objects.get()


def test_three_failures_in_a_row_block_the_pair_for_five_hours(
    node24: Hand, film: Project, coordinator: User, farm_time: FarmTime
) -> None:
    fails(node24, film, coordinator, "a", "b")
    assert (block().state, block().failures, block().until) == (BlockState.CLEAR, 2, None)
    fails(node24, film, coordinator, "c")
    until = block().until
    assert until is not None
    assert (block().state, block().failures) == (BlockState.BLOCKED, 3)
    assert timedelta(hours=4, minutes=59) < until - farm_time() <= timedelta(hours=5)
    assert block().reason.startswith("3 failures of sd15_t2i in a row, the last in J0")
    told = StateEvent.objects.get(machine="node_block", to_state="blocked")
    assert told.story == Node.objects.get().pk, "it stands in the node's story"


def test_a_success_ends_the_row(node24: Hand, film: Project, coordinator: User) -> None:
    fails(node24, film, coordinator, "a", "b")
    node24.finishes(order_of(node24, film, coordinator, "good"))
    assert block().failures == 0
    fails(node24, film, coordinator, "c", "d")
    assert (block().state, block().failures) == (BlockState.CLEAR, 2)


def test_work_that_was_there_before_and_succeeds_clears_the_block(
    node24: Hand, film: Project, coordinator: User
) -> None:
    before = order_of(node24, film, coordinator, "before")
    fails(node24, film, coordinator, "a", "b", "c")
    assert block().state == BlockState.BLOCKED
    node24.finishes(before)
    assert (block().state, block().until, block().failures) == (BlockState.CLEAR, None, 0)


def test_when_the_time_is_over_one_more_failure_blocks_again_and_a_success_clears(
    node24: Hand, film: Project, coordinator: User, farm_time: FarmTime
) -> None:
    fails(node24, film, coordinator, "a", "b", "c")
    farm_time.passes(HOURS_LATER)
    node24.reports()
    sweep()
    assert (block().state, block().until) == (BlockState.TRIAL, None)
    fails(node24, film, coordinator, "again")
    assert (block().state, block().failures) == (BlockState.BLOCKED, 4)
    farm_time.passes(HOURS_LATER)
    node24.reports()
    sweep()
    node24.finishes(order_of(node24, film, coordinator, "good"))
    assert (block().state, block().failures, block().reason) == (BlockState.CLEAR, 0, "")
    told = StateEvent.objects.filter(machine="node_block").order_by("id").values_list("to_state", flat=True)
    assert list(told) == ["blocked", "trial", "blocked", "trial", "clear"]


def test_a_blocked_pair_gets_no_work_until_its_time_is_over(
    node24: Hand, film: Project, coordinator: User, farm_time: FarmTime
) -> None:
    fails(node24, film, coordinator, "a", "b", "c")
    Job.objects.filter(state="ready").update(state="cancelled")
    press(film, coordinator, "sd15_t2i", key="d")
    assert dispatch() == 0
    farm_time.passes(HOURS_LATER)
    node24.reports()
    sweep()
    assert dispatch() == 1


def on_trial(hand: Hand, film: Project, user: User, farm_time: FarmTime) -> None:
    """The node's time of being blocked is over."""
    fails(hand, film, user, "a", "b", "c")
    Job.objects.update(state="cancelled")
    farm_time.passes(HOURS_LATER)
    hand.reports()
    sweep()
    assert block().state == BlockState.TRIAL


def test_a_node_on_trial_is_given_one_order_until_it_has_shown_what_it_can(
    node24: Hand, film: Project, coordinator: User, farm_time: FarmTime
) -> None:
    on_trial(node24, film, coordinator, farm_time)
    for key in ("d", "e", "f"):
        press(film, coordinator, "sd15_t2i", key=key)
    assert dispatch() == 1
    assert dispatch() == 0
    order = node24.claimed()
    node24.reports()
    assert dispatch() == 0, "nor is one staged behind it"
    explain_waiting()
    waiting = Job.objects.filter(state="ready").first()
    assert waiting is not None
    assert "busy" in wait_sentence(waiting)
    node24.finishes(order)
    assert block().state == BlockState.CLEAR
    assert dispatch() == 2


def test_a_node_on_trial_goes_on_with_other_templates(
    node24: Hand, film: Project, coordinator: User, farm_time: FarmTime
) -> None:
    on_trial(node24, film, coordinator, farm_time)
    press(film, coordinator, "sd15_t2i", key="d")
    press(film, coordinator, "flux_t2i", key="e")
    assert dispatch() == 2


def test_an_order_for_whoever_listens_is_not_what_a_node_on_trial_is_tried_with(
    node24: Hand, film: Project, coordinator: User, farm_time: FarmTime
) -> None:
    fails(node24, film, coordinator, "a", "b", "c")
    Job.objects.update(state="cancelled")
    Hand("other", tier_gb=24, broker=node24.broker).arrives()
    NodeBlock.objects.update(state=BlockState.CLEAR, until=None)
    job = press(film, coordinator, "sd15_t2i", key="d")
    assert dispatch() == 1
    assert Attempt.objects.get(job=job).node is None
    NodeBlock.objects.update(state=BlockState.TRIAL)
    order = node24.order()
    assert order is not None
    assert not node24.claims(order).granted
    NodeBlock.objects.filter(node__name="other").delete()
    assert next_order(node24).job_id == str(job.pk), "it is sent to one of them by name"


def test_one_job_that_fails_everywhere_blocks_nothing(node24: Hand, job: Job) -> None:
    for _ in range(3):
        order = next_order(node24)
        node24.works_on(order, Stage.EXECUTING)
        node24.reports()
        node24.finishes(order, node24.failure(order, RAISED))
    assert Job.objects.get().state == "failed"
    assert (block().state, block().failures) == (BlockState.CLEAR, 3)
    assert Node.objects.get().health == Health.WELL


@pytest.mark.parametrize(
    "failure",
    [
        FailureClass.REJECTED_GRAPH,
        FailureClass.INPUT_MISSING,
        FailureClass.OUT_OF_MEMORY,
        FailureClass.INFRASTRUCTURE,
    ],
)
def test_the_jobs_and_the_farms_own_faults_are_held_against_no_node(
    node24: Hand, film: Project, coordinator: User, failure: FailureClass
) -> None:
    fails(node24, film, coordinator, "a", "b", "c", failure=failure)
    assert Attempt.objects.filter(failure_class=failure).count() == 3, "they failed"
    assert not NodeBlock.objects.exists()
    assert Node.objects.get().failures_in_a_row == 0


def test_a_prompt_that_waited_in_a_comfyui_that_crashed_is_not_held_against_it(
    node24: Hand, film: Project, coordinator: User
) -> None:
    for key in ("a", "b", "c"):
        Job.objects.update(paused=True, held=True)
        press(film, coordinator, "sd15_t2i", key=key)
        order = next_order(node24)
        node24.finishes(order, node24.failure(order, FailureClass.COMFY_CRASHED))
    assert not NodeBlock.objects.exists()


def test_a_missing_model_is_held_against_the_pair_but_not_against_the_node(
    node24: Hand, film: Project, coordinator: User
) -> None:
    for key in ("a", "b", "c"):
        fails(node24, film, coordinator, key, failure=FailureClass.MISSING_MODEL)
        node24.reports(capabilities=node24.able)
    assert block().state == BlockState.BLOCKED
    assert Node.objects.get().failures_in_a_row == 0


def test_other_templates_are_counted_for_themselves(node24: Hand, film: Project, coordinator: User) -> None:
    fails(node24, film, coordinator, "a", "b")
    fails(node24, film, coordinator, "c", template="flux_t2i")
    assert sorted(NodeBlock.objects.values_list("template__slug", "failures")) == [
        ("flux_t2i", 1),
        ("sd15_t2i", 2),
    ]


def test_an_operator_clears_a_block_and_nobody_else_does(
    node24: Hand, film: Project, coordinator: User
) -> None:
    fails(node24, film, coordinator, "a", "b", "c")
    with pytest.raises(NotAllowed):
        clear_block(block(), user=coordinator)
    assert clear_block(block(), user=UserFactory.create(is_superuser=True, username="kim"))
    assert (block().state, block().failures, block().until) == (BlockState.CLEAR, 0, None)
    assert not clear_block(block(), user=None), "it is clear already"
    assert StateEvent.objects.get(machine="node_block", to_state="clear").actor == "kim"


def test_failures_of_two_jobs_make_a_node_sick_and_it_gets_no_work(
    node24: Hand, film: Project, coordinator: User
) -> None:
    for key in ("a", "b"):
        order = order_of(node24, film, coordinator, key)
        node24.finishes(order, node24.failure(order, RAISED))
    node = Node.objects.get()
    assert node.health == Health.SICK
    assert node.sick_reason.startswith("2 failures in a row in 2 jobs, the last in J0")
    press(film, coordinator, "sd15_t2i", key="next")
    assert dispatch() == 0
    told = node24.reports()
    assert (told.serve, bool(told.probe)) == (False, True)
    event = StateEvent.objects.get(machine="node_health", story=node.pk)
    assert (event.to_state, event.reason) == ("sick", node.sick_reason)


@pytest.fixture
def sick(node24: Hand, film: Project, coordinator: User) -> Hand:
    """A node that failed two jobs."""
    for key in ("a", "b"):
        order = order_of(node24, film, coordinator, key)
        node24.finishes(order, node24.failure(order, RAISED))
    assert Node.objects.get().health == Health.SICK
    return node24


def says(hand: Hand, probe: ProbeResult | None = None) -> str:
    """The node reports; return the probe it is asked for."""
    return hand.reports(probe=probe, hears=("canary", "probe")).probe


def test_a_probe_that_renders_makes_it_well(sick: Hand) -> None:
    asked = says(sick)
    assert says(sick, ProbeResult(id="another", ok=True)) == asked, "an older probe proves nothing"
    assert says(sick, ProbeResult(id=asked, ok=True)) == ""
    node = Node.objects.get()
    assert (node.health, node.failures_in_a_row, node.sick_reason) == (Health.WELL, 0, "")
    assert sick.reports().serve


def test_a_probe_that_fails_says_why_and_another_is_asked_for_later(sick: Hand, farm_time: FarmTime) -> None:
    asked = says(sick)
    assert says(sick, ProbeResult(id=asked, ok=False, message="CUDA error")) == asked
    assert Node.objects.get().sick_reason == "its probe failed: CUDA error"
    sweep()
    assert says(sick) == asked, "not at once"
    farm_time.passes(61)
    says(sick)
    sweep()
    second = says(sick)
    assert second not in {"", asked}
    assert says(sick, ProbeResult(id=second, ok=True)) == ""
    assert Node.objects.get().health == Health.WELL


def test_a_node_that_knows_no_probes_tries_again_after_a_while(sick: Hand, farm_time: FarmTime) -> None:
    sick.reports(hears=())
    farm_time.passes(590)
    sick.reports(hears=())
    sweep()
    assert Node.objects.get().health == Health.SICK
    farm_time.passes(11)
    sick.reports(hears=())
    sweep()
    assert Node.objects.get().health == Health.WELL


def test_an_operator_says_that_it_is_well(sick: Hand, coordinator: User) -> None:
    node = Node.objects.get()
    with pytest.raises(NotAllowed):
        say_well(node, user=coordinator)
    assert say_well(node, user=UserFactory.create(is_superuser=True))
    assert not say_well(node, user=None)
    assert sick.reports().serve


def test_what_a_sick_node_still_renders_counts_and_keeps_it_sick(
    node24: Hand, film: Project, coordinator: User
) -> None:
    going_on = order_of(node24, film, coordinator, "before")
    for key in ("a", "b"):
        order = order_of(node24, film, coordinator, key)
        node24.finishes(order, node24.failure(order, RAISED))
    node24.finishes(going_on)
    assert Job.objects.filter(state="succeeded").count() == 1
    assert Node.objects.get().health == Health.SICK, (
        "only a probe tells: it may have rendered before it fell sick"
    )


def _ended(many: int, failure_class: str) -> list[Ended]:
    ended = []
    for number in range(many):
        job = JobFactory.create()
        attempt = Attempt.objects.create(
            job=job,
            number=1,
            state="executing",
            token="t",
            queue="vram.12",
            tier_gb=12,
            node=NodeFactory.create(name=f"many{Node.objects.count()}-{number}"),
            accept_by=job.created_at,
            executing_at=job.created_at,
        )
        ended.append(Ended(attempt=attempt, failure_class=failure_class))
    return ended


@pytest.mark.parametrize("failure_class", ["", RAISED])
def test_many_at_once_take_as_many_statements_as_a_few(failure_class: str, bus: Broker) -> None:
    def statements(many: int) -> int:
        ended = _ended(many, failure_class)
        with CaptureQueriesContext(connection) as seen:
            tell_ended(ended)
        return len({query["sql"].split("VALUES")[0][:40] for query in seen}) + len(
            [query for query in seen if query["sql"].startswith("SELECT")]
        )

    assert statements(3) == statements(30)


def test_a_group_of_failures_is_counted_whole(bus: Broker, settings: Any) -> None:
    settings.SICK_JOBS = 3
    ended = _ended(3, RAISED)
    node = ended[0].attempt.node
    for one in ended:
        one.attempt.node = node
        one.attempt.job.template_version = ended[0].attempt.job.template_version
    tell_ended(ended)
    assert node is not None
    pair = NodeBlock.objects.get()
    assert (pair.state, pair.failures, len(pair.jobs)) == (BlockState.BLOCKED, 3, 3)
    node.refresh_from_db()
    assert (node.health, node.failures_in_a_row) == (Health.SICK, 3)
