"""A clip waits for its keyframe: what it says meanwhile, and what that costs."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.projects.models import Project
from apps.renders.models import Job
from apps.renders.selectors import wait_sentence
from apps.renders.services import sweep
from apps.renders.services.control import cancel, requeue
from apps.renders.services.dependents import explain_blocked
from apps.renders.services.submit import Step, submit
from apps.renders.states import JobState
from farm.contracts import FailureClass
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, next_order

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


@pytest.fixture
def clip(job: Job, film: Project, coordinator: User) -> Job:
    """A clip that waits for the job's keyframe."""
    batch = submit(
        user=coordinator,
        project=film,
        shots=[job.shot],
        steps=[Step(template="wan22_i2v", frames=17)],
        idempotency_key="clip",
    ).batch
    made: Job = batch.jobs.get()
    return made


def sentence(job: Job) -> str:
    return wait_sentence(again(job))


def test_a_clip_names_the_keyframe_it_waits_for(job: Job, clip: Job) -> None:
    assert again(clip).state == JobState.BLOCKED
    assert sentence(clip) == f"Waits for {job.shot.full_code} keyframe take 1."


def test_a_clip_says_that_its_keyframe_failed_and_again_when_it_is_requeued(
    node24: Hand, job: Job, clip: Job, coordinator: User
) -> None:
    waits = sentence(clip)
    order = next_order(node24)
    node24.finishes(order, node24.failure(order, FailureClass.REJECTED_GRAPH))
    assert "which is failed" in sentence(clip)
    assert requeue(again(job), user=coordinator)
    assert sentence(clip) == waits
    node24.finishes(next_order(node24))
    assert (again(clip).state, sentence(clip)) == (JobState.READY, "")


def test_a_clip_says_that_its_keyframe_was_cancelled(job: Job, clip: Job, coordinator: User) -> None:
    assert cancel(again(job), user=coordinator)
    assert "which is cancelled" in sentence(clip)


def test_a_requeued_clip_whose_keyframe_failed_waits_and_says_so(
    node24: Hand, job: Job, clip: Job, coordinator: User
) -> None:
    order = next_order(node24)
    node24.finishes(order, node24.failure(order, FailureClass.REJECTED_GRAPH))
    assert cancel(again(clip), user=coordinator)
    assert requeue(again(clip), user=coordinator)
    assert again(clip).state == JobState.BLOCKED
    assert "which is failed" in sentence(clip)


def test_of_several_sources_the_first_is_named(film: Project, job: Job, clip: Job, coordinator: User) -> None:
    steps = [Step(template="sd15_t2i")]
    second = submit(
        user=coordinator, project=film, shots=[job.shot], steps=steps, idempotency_key="second"
    ).batch.jobs.get()
    clip.dependencies.create(depends_on=second, role="other_image")
    explain_blocked(Job.objects.filter(pk=clip.pk))
    assert "take 1" in sentence(clip)


def test_when_the_first_of_several_is_done_the_next_is_named(
    node24: Hand, film: Project, job: Job, clip: Job, coordinator: User
) -> None:
    steps = [Step(template="sd15_t2i")]
    second = submit(
        user=coordinator, project=film, shots=[job.shot], steps=steps, idempotency_key="second"
    ).batch.jobs.get()
    clip.dependencies.create(depends_on=second, role="other_image")
    explain_blocked(Job.objects.filter(pk=clip.pk))
    order = next_order(node24)
    assert order.job_id == str(job.pk)
    node24.finishes(order)
    assert again(clip).state == JobState.BLOCKED
    assert sentence(clip) == f"Waits for {job.shot.full_code} keyframe take 2."
    node24.finishes(next_order(node24))
    assert (again(clip).state, sentence(clip)) == (JobState.READY, "")


def test_only_a_reason_that_changed_is_written(job: Job, clip: Job, django_assert_num_queries: Any) -> None:
    clips = Job.objects.filter(pk=clip.pk)
    with django_assert_num_queries(2):
        explain_blocked(clips)
    Job.objects.filter(pk=job.pk).update(state=JobState.CANCELLED)
    with CaptureQueriesContext(
        connection,
    ) as written:
        explain_blocked(clips)
    assert sum(query["sql"].startswith("UPDATE") for query in written) == 1
    with django_assert_num_queries(2):
        explain_blocked(clips)


def test_a_clip_whose_keyframe_ended_long_ago_unnoticed_is_released_by_the_look_at_all(
    job: Job, clip: Job
) -> None:
    Job.objects.filter(pk=job.pk).update(
        state=JobState.SUCCEEDED, updated_at=database_now() - 2 * sweep.LATELY
    )
    sweep.sweep()
    assert again(clip).state == JobState.BLOCKED, "the look of every second asks for the lately ended"
    assert sweep.sweep_old() == 1
    assert again(clip).state == JobState.READY
