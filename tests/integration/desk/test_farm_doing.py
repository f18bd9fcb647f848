"""``manage.py farm`` steers nodes and jobs by the same services as admin and API; who may do what."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.common.models import StateEvent
from apps.nodes.models import Node
from apps.nodes.states import Desired
from apps.renders.models import Hold, Job, Priority
from apps.renders.states import AttemptState, JobState
from tests.factories import (
    BatchFactory,
    JobFactory,
    MembershipFactory,
    UserFactory,
)
from tests.integration.desk.terminal import actors, attempt_on, farm, state_of, tool

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("deed", "wish"),
    [("drain", Desired.DRAINING), ("pause", Desired.PAUSED), ("resume", Desired.ACTIVE)],
)
def test_nodes_are_steered_by_who_sits_at_the_terminal(
    nodes: dict[str, Node], deed: str, wish: Desired
) -> None:
    Node.objects.update(desired=Desired.PAUSED if wish != Desired.PAUSED else Desired.ACTIVE)
    assert farm(deed, "gpu-1").out == f"gpu-1: {wish.label} from its next report on.\n"
    assert Node.objects.get(name="gpu-1").desired == wish
    assert Node.objects.get(name="gpu-2").desired != wish
    assert actors() == {"cli:kim"}
    assert farm(deed, "gpu-1").out == f"gpu-1: {wish.label} already.\n"
    told = tool(deed, "gpu-*")
    assert [(one["node"], one["changed"]) for one in told["nodes"]] == [("gpu-1", False), ("gpu-2", True)]


def test_a_node_that_is_gone_for_good_is_removed(nodes: dict[str, Node]) -> None:
    assert "it still reports" in farm("remove", "gpu-1").err
    pinned = JobFactory.create(pinned_to=nodes["gpu-2"])
    [problem] = tool("remove", "gpu-2")["problems"]
    assert problem["message"].startswith(f"1 open job may run on it only: {pinned.code}.")
    farm("cancel", pinned.code)
    assert farm("remove", "gpu-2").out == "gpu-2 is removed.\n"
    assert [node.name for node in Node.objects.all()] == ["gpu-1"]


def test_a_drain_says_why(nodes: dict[str, Node]) -> None:
    farm("drain", "gpu-1", "--reason", "new card")
    assert StateEvent.objects.get(machine="node_desired").reason == "new card"


def test_a_note_is_pinned_and_taken_off(nodes: dict[str, Node]) -> None:
    assert farm("note", "gpu-2", "its fan rattles").code == 0
    assert Node.objects.get(name="gpu-2").note == "its fan rattles"
    assert tool("note", "gpu-2", "") == {"form": 1, "command": "note", "node": "gpu-2", "note": ""}
    assert Node.objects.get(name="gpu-2").note == ""


def test_jobs_are_requeued_one_by_one(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED)
    assert farm("requeue", "J000012", "--dry-run").out == "1 job would be requeued: J000012\n"
    assert state_of(job) == JobState.FAILED
    assert farm("requeue", "J000012").out == "1 job requeued: J000012\n"
    assert state_of(job) == JobState.READY
    assert "cli:kim" in actors()
    again = farm("requeue", "J000012")
    assert again.code == 1
    assert again.err == (
        "job “J000012”: only a failed, cancelled or quarantined job is requeued; this one is: ready\n"
    )


def test_what_failed_of_a_batch_is_requeued(job: Job) -> None:
    batch = BatchFactory.create(project=job.project, code="B00007")
    failed = JobFactory.create_batch(3, shot=job.shot, batch=batch, state=JobState.FAILED)
    done = JobFactory.create(shot=job.shot, batch=batch, state=JobState.SUCCEEDED)
    told = tool("requeue", "--batch", "b00007")
    assert told["requeued"] == sorted(one.code for one in failed)
    assert {state_of(one) for one in failed} == {JobState.READY}
    assert state_of(done) == JobState.SUCCEEDED
    assert farm("requeue", "--batch", "B00007").code == 1


def test_what_failed_on_a_node_lately_is_requeued(nodes: dict[str, Node], job: Job) -> None:
    now = timezone.now()
    lately, before, elsewhere = JobFactory.create_batch(3, shot=job.shot, state=JobState.FAILED)
    for failed, node, hours in ((lately, "gpu-1", 1), (before, "gpu-1", 30), (elsewhere, "gpu-2", 1)):
        at = now - timedelta(hours=hours)
        attempt_on(nodes[node], failed, state=AttemptState.FAILED, holds_slot=False, finished_at=at)
    assert tool("requeue", "--node", "gpu-1", "--since", "12h")["requeued"] == [lately.code]
    assert tool("requeue", "--node", "gpu-1")["requeued"] == [before.code]
    assert state_of(elsewhere) == JobState.FAILED


def test_jobs_are_cancelled_and_closed_ones_are_refused_by_name(job: Job) -> None:
    closed = JobFactory.create(shot=job.shot, code="J000099", state=JobState.SUCCEEDED)
    said = farm("cancel", "J000012", "J000099")
    assert said.code == 1
    assert said.out == "1 job cancelled: J000012\n"
    assert said.err == "job “J000099”: it is closed already (succeeded)\n"
    assert (state_of(job), state_of(closed)) == (JobState.CANCELLED, JobState.SUCCEEDED)
    told = tool("cancel", "J000099")
    assert (told["cancelled"], told["problems"][0]["code"]) == ([], "illegal_move")


def test_a_dry_cancel_changes_nothing(job: Job) -> None:
    assert tool("cancel", "J000012", "--dry-run")["cancelled"] == ["J000012"]
    assert state_of(job) == JobState.READY


@pytest.mark.parametrize("typed", ["urgent", "30", "URGENT"])
def test_priorities_have_names_and_numbers(job: Job, typed: str) -> None:
    assert farm("prioritise", "J000012", typed).out == "1 job now has priority urgent: J000012\n"
    assert Job.objects.get(pk=job.pk).priority == Priority.URGENT


def test_the_farm_and_a_tier_are_held_and_released(job: Job) -> None:
    assert farm("hold", "farm", "--reason", "power cut at six").code == 0
    assert tool("hold", "24GB")["scope"] == "24"
    assert {(hold.scope, hold.by) for hold in Hold.objects.all()} == {("farm", "cli:kim"), ("24", "cli:kim")}
    assert farm("release", "farm").out == "the farm: goes on.\n"
    assert tool("release", "24")["changed"] is True
    assert not Hold.objects.exists()
    assert farm("release", "24").code == 1


def test_a_project_a_batch_and_a_job_are_held_and_released_by_their_codes(job: Job) -> None:
    held: dict[str, Callable[[], bool]] = {
        job.code: lambda: Job.objects.get().paused,
        job.batch.code: lambda: Job.objects.get().batch.paused,
        "FROST": lambda: Job.objects.get().project.paused,
    }
    for code, is_held in held.items():
        said = farm("hold", code.lower(), "--reason", "the client calls")
        assert (said.code, is_held()) == (0, True)
        assert said.out == f"{code}: paused; what nodes already have goes on.\n"
        assert farm("hold", code).out == f"{code}: paused already.\n"
        told = StateEvent.objects.filter(to_state="paused").latest("pk")
        assert (told.actor, told.reason) == ("cli:kim", "the client calls")
        if code == "FROST":
            assert tool("status")["paused_projects"] == [{"project": "FROST", "by": "cli:kim"}]
            assert "project FROST, by cli:kim" in farm("status").out
        assert tool("release", code) == {
            "form": 1,
            "command": "release",
            "scope": code,
            "held": False,
            "changed": True,
        }
        assert not is_held()
        assert farm("release", code).code == 1


def test_a_closed_job_is_not_held(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED)
    said = farm("hold", "J000012")
    assert (said.code, "closed" in said.err, Job.objects.get().paused) == (1, True, False)


@pytest.mark.parametrize(
    "words",
    [
        ("drain", "gpu-1"),
        ("note", "gpu-1", "mine"),
        ("cancel", "J000012"),
        ("prioritise", "J000012", "urgent"),
        ("hold", "farm"),
        ("hold", "FROST"),
        ("hold", "J000012"),
    ],
)
def test_an_account_may_do_no_more_here_than_elsewhere(
    nodes: dict[str, Node], job: Job, words: tuple[str, ...]
) -> None:
    UserFactory.create(username="alice")
    said = farm(*words, "--as", "alice")
    assert said.code == 1
    assert "alice" in said.err
    assert not StateEvent.objects.exists()
    assert not Hold.objects.exists()
    assert (state_of(job), Node.objects.get(name="gpu-1").note) == (JobState.READY, "new fan on Friday")
    [problem] = tool(*words, "--as", "alice")["problems"]
    assert problem["code"] == "not_allowed"


def test_a_coordinators_account_cancels_in_the_own_film_and_both_names_are_written(job: Job) -> None:
    alice = UserFactory.create(username="alice")
    MembershipFactory.create(project=job.project, user=alice)
    assert farm("cancel", "J000012", "--as", "alice").code == 0
    assert "alice (cli:kim)" in actors()


def test_a_requeue_of_what_one_may_not_touch_requeues_nothing(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED)
    UserFactory.create(username="alice")
    assert farm("requeue", "J000012", "--as", "alice").code == 1
    assert state_of(job) == JobState.FAILED


def test_no_account_is_made_for_who_sits_at_the_terminal(job: Job) -> None:
    from apps.accounts.models import User

    before = User.objects.count()
    farm("cancel", "J000012")
    assert User.objects.count() == before


def test_an_account_that_is_switched_off_or_unknown_does_nothing(job: Job) -> None:
    UserFactory.create(username="alice")
    UserFactory.create(username="mallory", is_active=False)
    assert "switched off" in farm("cancel", "J000012", "--as", "mallory").err
    assert "did you mean alice?" in farm("cancel", "J000012", "--as", "alcie").err
    assert state_of(job) == JobState.READY
