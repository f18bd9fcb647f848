"""What becomes of failures: the shipped rules, and those an operator writes."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.renders.models import Action, Attempt, FailureRule, Job
from apps.renders.services import sending
from apps.renders.services.control import requeue
from apps.renders.services.dispatch import dispatch, explain_waiting
from apps.renders.services.failures import MOST_FREE_RETRIES, Decision, decide
from apps.renders.services.orders import Unorderable
from apps.renders.services.rules import BadPattern, compiled, current
from apps.renders.services.shipped_rules import SHIPPED, ship
from apps.renders.services.sweep import sweep
from apps.renders.states import AttemptState, JobState
from apps.renders.waiting import wait_sentence
from farm.contracts import FailureClass, Stage
from tests.broker_fixture import Broker
from tests.factories import UserFactory
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import (
    again,
    attempt_of,
    dispatched,
    executing,
    next_order,
    node_falls_silent,
)

pytestmark = pytest.mark.django_db

AGAIN: str = JobState.READY
OVER: str = JobState.FAILED
QUARANTINED: str = JobState.QUARANTINED
FRESH: dict[str, Any] = {"attempt_budget": 3}
LAST_ATTEMPT: dict[str, Any] = {"attempt_budget": 3, "attempts_used": 2}
LAST_FREE: dict[str, Any] = {"attempt_budget": 3, "free_retries": MOST_FREE_RETRIES - 1}
CRASHED_TWICE: dict[str, Any] = {"attempt_budget": 3, "crashes": 2}
INVALID_BEFORE: dict[str, Any] = {"attempt_budget": 3, "failure_class": "output_invalid"}

# class: for each of the five jobs above, where it goes, and what it costs (an attempt, a free one, a crash)
SPENDS = [(AGAIN, "a"), (OVER, "a"), (AGAIN, "a"), (AGAIN, "a"), (AGAIN, "a")]
FREE = [(AGAIN, "f"), (AGAIN, "f"), (OVER, "f"), (AGAIN, "f"), (AGAIN, "f")]
CRASH = [(AGAIN, "fc"), (AGAIN, "fc"), (OVER, "fc"), (QUARANTINED, "c"), (AGAIN, "fc")]
NEVER = [(OVER, "a")] * 5
DECIDED: dict[str, list[tuple[str, str]]] = {
    FailureClass.OUT_OF_MEMORY: [(AGAIN, "")] * 5,
    FailureClass.REJECTED_GRAPH: NEVER,
    FailureClass.MISSING_MODEL: SPENDS,
    FailureClass.INPUT_MISSING: NEVER,
    FailureClass.COMFY_CRASHED: CRASH,
    FailureClass.COMFY_HUNG: CRASH,
    FailureClass.INFRASTRUCTURE: FREE,
    FailureClass.OUTPUT_INVALID: [*SPENDS[:4], (OVER, "a")],
    FailureClass.TIMED_OUT: SPENDS,
    FailureClass.INTERRUPTED: FREE,
    FailureClass.UNKNOWN: SPENDS,
}
CASES = [
    (name, job, outcome)
    for name, outcomes in DECIDED.items()
    for job, outcome in zip(
        (FRESH, LAST_ATTEMPT, LAST_FREE, CRASHED_TWICE, INVALID_BEFORE), outcomes, strict=True
    )
]


def told(decision: Decision) -> tuple[str, str]:
    """Where the job goes, and what it costs."""
    costs = {"a": decision.counted, "f": decision.free, "c": decision.crash}
    return decision.to, "".join(name for name, spent in costs.items() if spent)


def rule(**facts: Any) -> FailureRule:
    """An operator's rule: it comes before the shipped ones."""
    return FailureRule.objects.create(**{"name": "ours", "action": Action.FAIL, **facts})


def test_every_class_is_in_the_table() -> None:
    assert set(DECIDED) == set(FailureClass)


@pytest.mark.parametrize(("failure", "job", "outcome"), CASES)
def test_the_shipped_rules_decide_as_the_design_says(
    failure: str, job: dict[str, Any], outcome: tuple[str, str]
) -> None:
    decided = decide(Job(tier_gb=8, **job), failure)
    assert told(decided) == outcome
    assert (decided.tier_gb is not None) == (failure == FailureClass.OUT_OF_MEMORY)
    assert (decided.pause.total_seconds() > 0) == (decided.free and decided.to == AGAIN)


def test_a_failure_of_a_class_nobody_knows_is_tried_again_within_the_budget() -> None:
    assert told(decide(Job(**FRESH), "struck_by_lightning")) == (AGAIN, "a")


def test_without_any_rule_a_failure_is_tried_again_within_the_budget() -> None:
    FailureRule.objects.all().delete()
    assert told(decide(Job(tier_gb=8, **FRESH), FailureClass.OUT_OF_MEMORY)) == (AGAIN, "a")


# Shipping


def test_shipping_twice_changes_nothing() -> None:
    before = list(FailureRule.objects.values())
    ship(apps=apps)
    assert list(FailureRule.objects.values()) == before
    assert {row["name"] for row in before} == {shipped.name for shipped in SHIPPED}


def test_an_upgrade_keeps_an_operators_edits_and_brings_the_rest_up_to_date() -> None:
    edited, stale, missing = (FailureRule.objects.get(name=shipped.name) for shipped in SHIPPED[:3])
    FailureRule.objects.filter(pk=edited.pk).update(action=Action.FAIL, active=False, row_version=1)
    FailureRule.objects.filter(pk=stale.pk).update(action=Action.RETRY)
    missing.delete()
    ship(apps=apps)
    edited.refresh_from_db()
    stale.refresh_from_db()
    assert (edited.action, edited.active) == (Action.FAIL, False)
    assert stale.action == Action.FAIL
    assert FailureRule.objects.get(name=missing.name).builtin


# An operator's rules


def test_the_first_rule_that_fits_wins_and_gives_class_action_and_advice() -> None:
    rule(name="second", order=20, pattern="device-side assert", action=Action.RETRY)
    rule(
        name="first",
        order=10,
        pattern=r"CUDA error:.*device-side",
        failure_class="infrastructure",
        action=Action.OTHER_NODE,
        advice="reseat the card",
    )
    words = "execution_failed RuntimeError: cuda error:\ndevice-side assert triggered"
    decided = decide(Job(**FRESH), FailureClass.UNKNOWN, words=words)
    assert told(decided) == (AGAIN, "f")
    assert (decided.failure_class, decided.avoids, decided.advice) == (
        "infrastructure",
        True,
        "reseat the card",
    )
    assert told(decide(Job(**FRESH), FailureClass.UNKNOWN, words="something else")) == (AGAIN, "a")


def test_a_rule_speaks_of_one_template_only(job: Job) -> None:
    rule(template=job.template_version.template)
    assert told(decide(job, FailureClass.UNKNOWN)) == (OVER, "a")
    FailureRule.objects.filter(name="ours").update(template=None, active=False, row_version=1)
    assert told(decide(job, FailureClass.UNKNOWN)) == (AGAIN, "a")


def test_a_rule_that_makes_a_crash_of_a_failure_counts_it_as_one() -> None:
    rule(pattern="illegal memory access", failure_class="comfy_crashed", action=Action.RETRY_FREE)
    words = "CUDA error: an illegal memory access was encountered"
    assert told(decide(Job(**CRASHED_TWICE), FailureClass.UNKNOWN, words=words)) == (
        JobState.QUARANTINED,
        "c",
    )


def test_the_third_dead_worker_counts_for_more_than_the_last_free_retry() -> None:
    job = Job(**CRASHED_TWICE, free_retries=MOST_FREE_RETRIES - 1)
    assert told(decide(job, FailureClass.COMFY_CRASHED)) == (JobState.QUARANTINED, "c")


def test_a_quarantine_by_rule_takes_what_a_node_had_and_fails_what_no_node_was_sent() -> None:
    rule(action=Action.QUARANTINE)
    assert decide(Job(**FRESH), FailureClass.UNKNOWN).to == JobState.QUARANTINED
    assert decide(Job(**FRESH), FailureClass.UNKNOWN, on=Attempt()).to == OVER


def test_what_no_node_was_granted_took_no_node_down() -> None:
    assert told(decide(Job(**CRASHED_TWICE), FailureClass.COMFY_HUNG, on=Attempt())) == (AGAIN, "f")


def test_rules_are_read_once_and_asked_for_with_one_small_query() -> None:
    current()
    with CaptureQueriesContext(connection) as seen:
        for _ in range(3):
            decide(Job(**FRESH), FailureClass.UNKNOWN)
    assert len(seen) == 3
    assert all("COUNT" in query["sql"] for query in seen)


def test_an_unusable_row_leaves_the_other_rules_standing() -> None:
    rule(pattern="(", order=1)
    assert told(decide(Job(**FRESH), FailureClass.UNKNOWN)) == (AGAIN, "a")


@pytest.mark.parametrize("pattern", ["(", r"(?=ahead)", r"(a)\1", "a{1000}{1000}", "*"])
def test_what_re2_cannot_search_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        compiled(pattern)


def test_no_pattern_can_hold_the_farm_up() -> None:
    rule(pattern=r"(a+)+(a+)+(a|a)*$")
    text = "a" * 200_000 + "!"
    assert told(decide(Job(**FRESH), FailureClass.UNKNOWN, words=text)) == (OVER, "a")  # bounded: $ is near


# On the way from a node's report


@pytest.mark.usefixtures("bus", "templates")
class TestOnTheWay:
    """A rule at work on a node's report."""

    def test_somebody_who_stops_it_in_comfyui_spends_no_attempt(self, node24: Hand, job: Job) -> None:
        order = next_order(node24)
        node24.finishes(order, node24.failure(order, FailureClass.INTERRUPTED))
        now = again(job)
        assert (now.state, now.attempts_used, now.free_retries) == (AGAIN, 0, 1)
        assert now.failure_message.endswith(" — somebody stopped it in ComfyUI itself")

    def test_an_order_that_cannot_be_built_is_not_quarantined_but_fails(
        self, node24: Hand, job: Job, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(attempt: Attempt) -> None:
            raise Unorderable(FailureClass.INPUT_MISSING, "first_frame: it has no file any more")

        monkeypatch.setattr(sending, "order_for", gone)
        rule(reported_class=FailureClass.INPUT_MISSING, action=Action.QUARANTINE)
        assert dispatch() == 0
        assert (again(job).state, Attempt.objects.get().state) == (OVER, AttemptState.FAILED)

    def test_a_report_of_what_no_node_was_granted_sends_its_job_back(self, node24: Hand, job: Job) -> None:
        Job.objects.update(crashes=2)
        order = dispatched(node24)
        node24.finishes(order, node24.failure(order, FailureClass.COMFY_HUNG))
        assert (again(job).state, again(job).crashes) == (JobState.READY, 2)

    def test_a_rules_class_stands_in_attempt_and_job_and_its_win_is_counted(
        self, node24: Hand, job: Job, django_capture_on_commit_callbacks: Any
    ) -> None:
        ours = rule(pattern="own words", failure_class="input_missing")
        order = next_order(node24)
        with django_capture_on_commit_callbacks(execute=True):
            node24.finishes(order, node24.failure(order, FailureClass.UNKNOWN))
        assert (again(job).state, again(job).failure_class) == (OVER, "input_missing")
        assert attempt_of(order).failure_class == "input_missing"
        assert attempt_of(order).report["failure"]["failure_class"] == "unknown", "as its node said"
        ours.refresh_from_db()
        assert ours.matches == 1

    def test_a_job_for_another_node_is_refused_to_this_one_and_rendered_there(
        self, node24: Hand, bus: Broker, job: Job
    ) -> None:
        rule(action=Action.OTHER_NODE)
        order = next_order(node24)
        node24.finishes(order, node24.failure(order, FailureClass.UNKNOWN))
        now = again(job)
        assert (now.state, now.attempts_used, now.avoids) == (AGAIN, 0, "gpu24")
        assert now.lane is not None
        assert now.lane.avoided == {"gpu24"}
        Job.objects.update(start_after=None)
        assert dispatch() == 0
        explain_waiting()
        assert wait_sentence(again(job)) == "It failed on every fitting node: gpu24."
        other = Hand("other24", tier_gb=24, broker=bus).arrives()
        second = dispatched(other)
        assert not node24.claims(second).granted
        assert next_order(other)

    def test_a_requeued_job_may_go_to_every_node_again(
        self, node24: Hand, job: Job, coordinator: User
    ) -> None:
        rule(action=Action.OTHER_NODE)
        lane = again(job).lane_id
        order = next_order(node24)
        node24.finishes(order, node24.failure(order, FailureClass.UNKNOWN))
        Job.objects.filter(pk=job.pk).update(state=OVER)
        assert requeue(again(job), user=coordinator)
        assert (again(job).avoids, again(job).lane_id) == ("", lane)

    def test_once_means_with_caches_emptied_by_whatever_rule(self, node24: Hand, job: Job) -> None:
        rule(pattern="own words", action=Action.ONCE, reported_class="unknown")
        order = next_order(node24)
        assert not order.free_first
        node24.finishes(order, node24.failure(order, FailureClass.UNKNOWN))
        second = next_order(node24)
        assert second.free_first
        node24.finishes(second, node24.failure(second, FailureClass.UNKNOWN))
        assert again(job).state == OVER

    def test_three_dead_workers_put_a_job_into_quarantine(self, node24: Hand, job: Job) -> None:
        for crashes in (1, 2, 3):
            executing(node24)
            node_falls_silent()
            assert sweep() == 1
            assert again(job).crashes == crashes
            node24.running.clear()
            node24.epoch += "x"
            node24.arrives()
        assert (again(job).state, again(job).attempts_used) == (JobState.QUARANTINED, 0)


ELSEWHERE = """
import django; django.setup()
from apps.renders.models import FailureRule
FailureRule.objects.create(name="elsewhere", pattern="tensor on meta", action="fail")
"""


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_rule_written_by_another_process_holds_at_the_next_failure() -> None:
    words = "execution_failed RuntimeError: tensor on meta device"
    assert told(decide(Job(**FRESH), FailureClass.UNKNOWN, words=words)) == (AGAIN, "a")
    database = connection.settings_dict["NAME"]
    code = f"""
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
from django.conf import settings
settings.DATABASES["default"]["NAME"] = {str(database)!r}
{ELSEWHERE}"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert told(decide(Job(**FRESH), FailureClass.UNKNOWN, words=words)) == (OVER, "a")


# Pages


@pytest.fixture
def operator(db: None) -> Client:
    """Somebody who may edit rules."""
    client = Client()
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    return client


def form(**changes: Any) -> dict[str, Any]:
    """What the page of a rule sends."""
    sent = {"order": "5", "name": "ours", "action": "fail", "active": "on"}
    return sent | {"reported_class": "", "pattern": "", "failure_class": "", "advice": ""} | changes


def test_an_operator_writes_a_rule_and_it_holds(operator: Client) -> None:
    answer = operator.post(reverse("admin:renders_failurerule_add"), form(pattern="no kernel image"))
    assert answer.status_code == 302
    assert told(decide(Job(**FRESH), FailureClass.UNKNOWN, words="no kernel image is available")) == (
        OVER,
        "a",
    )


def test_a_pattern_that_cannot_be_searched_is_said_to_be_so(operator: Client) -> None:
    answer = operator.post(reverse("admin:renders_failurerule_add"), form(pattern="(?=x)"))
    assert "is no RE2 pattern: invalid perl operator" in answer.content.decode()
    assert not FailureRule.objects.filter(name="ours").exists()


def test_editing_a_shipped_rule_keeps_its_name_and_holds_at_once(operator: Client) -> None:
    timed_out = FailureRule.objects.get(name="Timed out")
    decide(Job(**FRESH), FailureClass.TIMED_OUT)
    change = reverse("admin:renders_failurerule_change", args=[timed_out.pk])
    operator.post(change, form(name="mine", reported_class="timed_out", order="1080", row_version="0"))
    timed_out.refresh_from_db()
    assert (timed_out.name, timed_out.row_version, timed_out.action) == ("Timed out", 1, Action.FAIL)
    assert told(decide(Job(**FRESH), FailureClass.TIMED_OUT)) == (OVER, "a")
    delete = reverse("admin:renders_failurerule_delete", args=[timed_out.pk])
    assert operator.post(delete, {"post": "yes"}).status_code == 403
    assert "edited" in operator.get(reverse("admin:renders_failurerule_changelist")).content.decode()


def test_words_are_tried_without_anything_happening(operator: Client) -> None:
    rule(name="ours", pattern="meta device", action=Action.OTHER_NODE, advice="restart that ComfyUI")
    page = operator.get(
        reverse("admin:renders_failurerule_try"), {"words": "tensor on Meta Device", "reported": "unknown"}
    ).content.decode()
    assert "ours" in page
    assert "again on another node" in page
    assert "restart that ComfyUI" in page
    assert "untouched" in page
    assert FailureRule.objects.get(name="ours").matches == 0


@pytest.mark.usefixtures("bus", "templates")
def test_what_nobody_foresaw_is_shown_until_a_rule_speaks_of_it(
    node24: Hand, job: Job, operator: Client
) -> None:
    order = next_order(node24)
    node24.works_on(order, Stage.EXECUTING)
    node24.finishes(order, node24.failure(order, FailureClass.UNKNOWN))
    address = reverse("admin:renders_failurerule_try")
    assert "unknown : in ComfyUI&#x27;s own words" in operator.get(address).content.decode()
    rule(pattern="own words")
    assert "unknown : in ComfyUI&#x27;s own words" not in operator.get(address).content.decode()
