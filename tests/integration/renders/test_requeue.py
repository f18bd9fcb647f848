"""Jobs run again: one, a batch, a selection, what failed on a node."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.common.errors import NotAllowed
from apps.common.models import StateEvent
from apps.nodes.models import Node
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.renders.models import Attempt, Job, JobDependency, Priority, RenderBatch
from apps.renders.services import requeueing
from apps.renders.services.control import change_batch, change_job, requeue, requeue_batch, requeue_jobs
from apps.renders.services.dependents import explain_blocked
from apps.renders.services.dispatch import DUE_RANK, dispatch
from apps.renders.services.requeueing import failures_of
from apps.renders.services.submit import Step, submit
from apps.renders.states import AttemptState, JobState
from farm.contracts import FailureClass
from tests.factories import (
    BatchFactory,
    JobFactory,
    MembershipFactory,
    NodeFactory,
    SequenceFactory,
    ShotFactory,
    UserFactory,
)
from tests.farm_time import FarmTime
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, next_order, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus")]

SPENT: dict[str, Any] = {
    "attempts_used": 3,
    "free_retries": 7,
    "crashes": 2,
    "failure_class": "unknown",
    "failure_message": "no",
    "floor_gb": 32,
    "avoids": "gpu01",
    "tier_gb": 32,
}


@pytest.fixture
def batch(film: Project) -> RenderBatch:
    return BatchFactory.create(project=film)


def ended(batch: RenderBatch, state: str = JobState.FAILED, **facts: Any) -> Job:
    """A job of the batch that ended without a take, its budgets spent."""
    shot = ShotFactory.create(sequence=batch.project.sequences.get())
    return JobFactory.create(shot=shot, batch=batch, state=state, finished_at=timezone.now(), **SPENT | facts)


def failed_on(node: Node, job: Job, *, ago: timedelta = timedelta(), **facts: Any) -> Attempt:
    """The job's next attempt, which failed on this node."""
    return Attempt.objects.create(
        job=job,
        number=job.attempts.count() + 1,
        token="t",
        queue="vram.12",
        tier_gb=12,
        node=node,
        accept_by=timezone.now(),
        finished_at=timezone.now() - ago,
        **{"state": AttemptState.FAILED, "failure_class": "unknown", **facts},
    )


def is_fresh(job: Job) -> bool:
    """Ready, as if it had just been submitted."""
    now = again(job)
    budgets = (now.attempts_used, now.free_retries, now.crashes, now.floor_gb, now.avoids, now.tier_gb)
    assert now.lane is not None
    in_its_lane = (now.lane.floor_gb, now.lane.avoids, now.lane.active) == (0, "", True)
    told = (now.failure_class, now.failure_message, now.finished_at)
    return (now.state, budgets, told) == (
        JobState.READY,
        (0, 0, 0, 0, "", 12),
        ("", "", None),
    ) and in_its_lane


def test_a_batch_runs_again_where_it_ended_without_a_take(batch: RenderBatch, coordinator: User) -> None:
    again_ones = [
        ended(batch, state) for state in (JobState.FAILED, JobState.CANCELLED, JobState.QUARANTINED)
    ]
    left = [ended(batch, state) for state in (JobState.SUCCEEDED, JobState.RUNNING, JobState.READY)]
    states = [job.state for job in left]
    assert requeue_batch(batch, user=coordinator) == 3
    assert all(is_fresh(job) for job in again_ones)
    assert [again(job).state for job in left] == states
    events = StateEvent.objects.filter(machine="job", to_state="ready", reason="requeued")
    assert {event.story for event in events} == {job.pk for job in again_ones}


def test_requeueing_twice_moves_nothing_twice(batch: RenderBatch, coordinator: User) -> None:
    job = ended(batch)
    assert requeue(again(job), user=coordinator)
    assert not requeue(again(job), user=coordinator)
    assert requeue_batch(batch, user=coordinator) == 0


def test_who_waits_for_a_requeued_job_says_so_and_waits_again_itself(
    batch: RenderBatch, coordinator: User
) -> None:
    keyframe, clip = ended(batch), ended(batch)
    waiting = ended(batch, JobState.BLOCKED)
    for job in (clip, waiting):
        JobDependency.objects.create(job=job, depends_on=keyframe, role="first_frame")
    explain_blocked(Job.objects.filter(pk=waiting.pk))
    assert again(waiting).wait_code == "depends_failed"
    assert requeue_batch(batch, user=coordinator) == 2
    assert is_fresh(keyframe)
    assert (again(clip).state, again(clip).wait_code) == (JobState.BLOCKED, "depends")
    assert (again(waiting).state, again(waiting).wait_code) == (JobState.BLOCKED, "depends")


def test_a_paused_job_is_still_held_back(batch: RenderBatch, coordinator: User) -> None:
    job = ended(batch, paused=True, held=True)
    requeue_batch(batch, user=coordinator)
    assert again(job).held


def test_more_jobs_take_hardly_more_statements(
    batch: RenderBatch, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def statements(count: int) -> int:
        for _ in range(count):
            ended(batch)
        with CaptureQueriesContext(connection) as seen:
            assert requeue_batch(batch, user=coordinator) == count
        return len(seen)

    few = statements(3)
    assert statements(40) == few
    monkeypatch.setattr(requeueing, "AT_ONCE", 10)
    assert statements(40) <= 4 * few


def test_only_jobs_of_films_the_person_renders_are_requeued(batch: RenderBatch, coordinator: User) -> None:
    stranger = JobFactory.create(state=JobState.FAILED)
    mine = ended(batch)
    assert requeue_jobs(Job.objects.all(), user=coordinator) == 1
    assert (again(mine).state, again(stranger).state) == (JobState.READY, JobState.FAILED)
    viewer = MembershipFactory.create(project=batch.project, role=Role.CLIENT).user
    Job.objects.filter(pk=mine.pk).update(state=JobState.FAILED)
    assert requeue_jobs(Job.objects.all(), user=viewer) == 0
    with pytest.raises(NotAllowed):
        requeue_batch(batch, user=viewer)


def test_a_nodes_failures_are_those_whose_last_attempt_failed_there(batch: RenderBatch) -> None:
    node, other = NodeFactory.create(), NodeFactory.create()
    there, lost, elsewhere, cancelled, long_ago = (ended(batch) for _ in range(5))
    failed_on(node, there)
    failed_on(node, lost, state=AttemptState.LOST, failure_class="infrastructure")
    failed_on(node, elsewhere)
    failed_on(other, elsewhere)
    failed_on(node, cancelled)
    Job.objects.filter(pk=cancelled.pk).update(state=JobState.CANCELLED)
    failed_on(node, long_ago, ago=timedelta(days=3))
    since = timezone.now() - timedelta(days=1)
    assert set(failures_of(node)) == {there, lost, long_ago}
    assert set(failures_of(node, since=since)) == {there, lost}
    assert set(failures_of(node, since=since, failure_class="infrastructure")) == {lost}


# Over HTTP


@pytest.fixture
def browser(coordinator: User) -> Client:
    """The coordinator's browser, on the admin's pages and on the API."""
    User.objects.filter(pk=coordinator.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=coordinator.pk))
    return client


def post(browser: Client, address: str, **body: Any) -> Any:
    return browser.post(address, body, content_type="application/json")


def test_the_api_requeues_a_batch(batch: RenderBatch, browser: Client) -> None:
    job = ended(batch)
    answer = post(browser, f"/api/v1/batches/{batch.pk}/requeue")
    assert (answer.status_code, answer.json()["jobs"]["open"]) == (200, 1)
    assert is_fresh(job)


def test_the_api_requeues_named_jobs_and_says_how_many(batch: RenderBatch, browser: Client) -> None:
    one, other, done = ended(batch), ended(batch), ended(batch, JobState.SUCCEEDED)
    names = [one.code, str(other.pk), done.code]
    tried = post(browser, "/api/v1/jobs/requeue", jobs=names, dry_run=True)
    assert tried.json() == {"found": 2, "requeued": 0}
    assert again(one).state == JobState.FAILED
    assert post(browser, "/api/v1/jobs/requeue", jobs=names).json() == {"found": 2, "requeued": 2}


def test_the_api_requeues_what_failed_on_a_node(batch: RenderBatch, browser: Client) -> None:
    node = NodeFactory.create()
    recent, old = ended(batch), ended(batch)
    failed_on(node, recent)
    failed_on(node, old, ago=timedelta(days=2))
    since = (timezone.now() - timedelta(hours=1)).isoformat()
    answer = post(browser, "/api/v1/jobs/requeue", node=node.name, since=since, failure_class="unknown")
    assert answer.json() == {"found": 1, "requeued": 1}
    assert (is_fresh(recent), again(old).state) == (True, JobState.FAILED)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ({"jobs": ["J1"], "node": "gpu01"}, ""),
        ({"jobs": ["J999999"]}, "jobs[0]"),
        ({"node": "nobody"}, "node"),
        ({"jobs": ["J1"], "since": "2026-01-01T00:00:00Z"}, ""),
        ({"node": "gpu01", "failure_class": "lightning"}, "failure_class"),
        ({"node": "gpu01", "since": "yesterday"}, "since"),
    ],
)
def test_the_api_says_what_is_wrong_with_a_request(
    batch: RenderBatch, browser: Client, body: dict[str, Any], field: str
) -> None:
    answer = post(browser, "/api/v1/jobs/requeue", **body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_a_list_of_jobs_is_requeued_after_the_question(batch: RenderBatch, browser: Client) -> None:
    jobs = [ended(batch) for _ in range(3)]
    tick = {"action": "requeue_jobs", "index": "0", "_selected_action": [str(job.pk) for job in jobs[:2]]}
    address = reverse("admin:renders_job_changelist")
    asked = browser.post(address, tick).content.decode()
    assert "Requeue 2 jobs?" in asked
    assert again(jobs[0]).state == JobState.FAILED
    browser.post(address, tick | {"confirmed": "1"})
    assert [is_fresh(job) for job in jobs[:2]] == [True, True]
    assert again(jobs[2]).state == JobState.FAILED


def test_all_jobs_of_a_filtered_list_are_requeued_by_one_tick(batch: RenderBatch, browser: Client) -> None:
    jobs = [ended(batch) for _ in range(3)]
    other = ended(batch, JobState.CANCELLED)
    tick = {
        "action": "requeue_jobs",
        "index": "0",
        "select_across": "1",
        "_selected_action": [str(jobs[0].pk)],
    }
    address = reverse("admin:renders_job_changelist") + "?state__exact=failed"
    asked = browser.post(address, tick).content.decode()
    assert "Requeue 3 jobs?" in asked
    assert 'name="select_across" value="1"' in asked
    assert "state__exact=failed" in asked
    browser.post(address, tick | {"confirmed": "1"})
    assert all(is_fresh(job) for job in jobs)
    assert again(other).state == JobState.CANCELLED


def test_a_batchs_page_says_how_many_and_requeues_them(batch: RenderBatch, browser: Client) -> None:
    job = ended(batch)
    page = reverse("admin:renders_renderbatch_change", args=[batch.pk])
    deed = reverse("admin:renders_renderbatch_requeue", args=[batch.pk])
    assert deed not in browser.get(page).content.decode()
    assert "Requeue 1 job that failed" in browser.get(page + "?requeue=ask").content.decode()
    browser.post(deed)
    assert is_fresh(job)


def test_a_nodes_page_says_how_many_failed_there_and_requeues_them(
    batch: RenderBatch, browser: Client
) -> None:
    node = NodeFactory.create()
    recent, old = ended(batch), ended(batch)
    failed_on(node, recent, failure_class=FailureClass.INFRASTRUCTURE)
    failed_on(node, old, ago=timedelta(days=2))
    address = reverse("admin:nodes_node_requeue", args=[node.pk])
    assert address in browser.get(reverse("admin:nodes_node_change", args=[node.pk])).content.decode()
    assert "Requeue 1 job?" in browser.get(address).content.decode()
    assert "Requeue 2 jobs?" in browser.get(address, {"hours": "72"}).content.decode()
    browser.post(address, {"hours": "24", "failure": "infrastructure"})
    assert (is_fresh(recent), again(old).state) == (True, JobState.FAILED)


def test_a_viewer_is_not_asked(batch: RenderBatch) -> None:
    viewer = UserFactory.create(is_staff=True)
    MembershipFactory.create(project=batch.project, user=viewer, role=Role.CLIENT)
    client = Client()
    client.force_login(viewer)
    node = NodeFactory.create()
    address = reverse("admin:nodes_node_requeue", args=[node.pk])
    assert client.get(address).status_code == 403
    assert address not in client.get(reverse("admin:nodes_node_change", args=[node.pk])).content.decode()
    ended(batch)
    page = reverse("admin:renders_renderbatch_change", args=[batch.pk])
    assert "Requeue" not in client.get(page).content.decode()


def test_another_films_failures_on_the_same_node_are_left(batch: RenderBatch, browser: Client) -> None:
    node = NodeFactory.create()
    shot = ShotFactory.create(sequence=SequenceFactory.create())
    stranger = JobFactory.create(shot=shot, state=JobState.FAILED)
    failed_on(node, stranger)
    assert post(browser, "/api/v1/jobs/requeue", node=node.name).json() == {"found": 0, "requeued": 0}
    assert again(stranger).state == JobState.FAILED


# --- deadlines ---


@pytest.mark.usefixtures("templates")
def test_a_raise_for_the_deadline_belongs_to_the_life_that_ended_and_comes_again(
    node24: Hand, film: Project, coordinator: User, farm_time: FarmTime
) -> None:
    job = press(film, coordinator, "sd15_t2i")
    change_job(job, {"deadline": farm_time() + timedelta(hours=2)}, user=coordinator)
    by = again(job).start_by
    assert by is not None
    farm_time.passes((by - farm_time()).total_seconds() + 1)
    node24.reports()
    order = next_order(node24)
    assert (again(job).rank, again(job).start_by) == (DUE_RANK, None)
    node24.finishes(order, node24.failure(order, FailureClass.REJECTED_GRAPH))
    assert requeue(again(job), user=coordinator)
    assert (again(job).rank, again(job).start_by) == (Priority.NORMAL, by)
    assert dispatch() == 1
    assert again(job).rank == DUE_RANK, "it is still in a hurry"


@pytest.mark.usefixtures("templates")
def test_a_requeued_job_keeps_the_deadline_of_what_waits_for_it(film: Project, coordinator: User) -> None:
    shot = ShotFactory.create(sequence=film.sequences.get())
    steps = [Step(template="sd15_t2i"), Step(template="wan22_i2v", start_from=0, frames=17)]
    chain = submit(user=coordinator, project=film, shots=[shot], steps=steps, idempotency_key="chain").batch
    keyframe, clip = chain.jobs.order_by("code")
    change_batch(chain, {"deadline": timezone.now() + timedelta(hours=8)}, user=coordinator)
    by, its_own = again(keyframe).start_by, again(clip).start_by
    assert by is not None
    assert its_own is not None
    assert by < its_own
    Job.objects.filter(pk=keyframe.pk).update(
        state=JobState.FAILED, start_by=None, deadline=None, rank=DUE_RANK
    )
    assert requeue(again(keyframe), user=coordinator)
    assert (again(keyframe).rank, again(keyframe).start_by) == (Priority.NORMAL, by)
