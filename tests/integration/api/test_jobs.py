"""Jobs over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.common.ids import uuid7
from apps.productions.models import Shot
from apps.renders.models import Attempt, Job, Lane
from tests.factories import BatchFactory, JobFactory, NodeFactory
from tests.integration.api.conftest import only_error

JOBS = "/api/v1/jobs"
TOKEN = "secret-token-of-the-attempt"


@pytest.fixture
def job(shots: list[Shot]) -> Job:
    """A running job with one attempt on a node."""
    made: Job = JobFactory.create(shot=shots[0], state="running", token=TOKEN, progress=0.4, doing="KSampler")
    Attempt.objects.create(
        id=uuid7(),
        job=made,
        number=1,
        state="executing",
        token=TOKEN,
        queue="vram.12",
        tier_gb=12,
        node=NodeFactory.create(name="gpu-a"),
        accept_by=timezone.now() + timedelta(seconds=60),
        report={"token": TOKEN},
    )
    return made


def act(client: APIClient, job: Job, deed: str, **said: Any) -> Any:
    return client.post(f"{JOBS}/{job.pk}/{deed}", said or None)


def test_a_job_tells_its_progress_its_attempts_and_its_node(coordinator: APIClient, job: Job) -> None:
    body = coordinator.get(f"{JOBS}/{job.pk}").json()
    assert (body["state"], body["progress"], body["doing"]) == ("running", 0.4, "KSampler")
    assert [(attempt["node"], attempt["state"]) for attempt in body["attempts"]] == [("gpu-a", "executing")]


def test_the_token_of_an_attempt_is_told_to_nobody(coordinator: APIClient, job: Job) -> None:
    for address in (JOBS, f"{JOBS}/{job.pk}"):
        assert TOKEN not in coordinator.get(address).content.decode()


def test_a_waiting_job_says_why(coordinator: APIClient, shots: list[Shot]) -> None:
    waiting = JobFactory.create(shot=shots[0], need_gb=80, tier_gb=80)
    Lane.objects.filter(jobs=waiting).update(wait_code="too_big", wait_params={"need": 80, "largest": 24})
    body = coordinator.get(f"{JOBS}/{waiting.pk}").json()
    assert body["waits"] == "Needs 80 GB on one GPU; the largest node here has 24 GB."


def test_jobs_are_found_by_state_shot_batch_and_kind(coordinator: APIClient, shots: list[Shot]) -> None:
    first = JobFactory.create(shot=shots[0], state="failed")
    second = JobFactory.create(shot=shots[1], kind="clip")
    wanted = {
        first.code: ({"state": "failed"}, {"shot": str(shots[0].pk)}, {"batch": first.batch.code}),
        second.code: ({"state": "ready"}, {"kind": "clip"}, {"project": "FROST", "state": "ready"}),
    }
    for code, questions in wanted.items():
        for question in questions:
            assert [row["code"] for row in coordinator.get(JOBS, question).json()["results"]] == [code]


def test_cancelling_a_running_job_is_written_in_its_story(coordinator: APIClient, job: Job) -> None:
    body = act(coordinator, job, "cancel").json()
    assert body["state"] == "cancelled"
    assert ("job", "running", "cancelled") in {
        (event["machine"], event["from_state"], event["to_state"]) for event in body["events"]
    }
    assert body["attempts"][0]["state"] == "cancelled"


def test_cancelling_twice_is_no_error(coordinator: APIClient, job: Job) -> None:
    assert [act(coordinator, job, "cancel").status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("deed", "state", "said"),
    [
        ("cancel", "succeeded", {}),
        ("requeue", "succeeded", {}),
        ("requeue", "ready", {}),
        ("prioritise", "failed", {"priority": 30}),
    ],
)
def test_what_comes_too_late_is_a_conflict(
    coordinator: APIClient, shots: list[Shot], deed: str, state: str, said: dict[str, Any]
) -> None:
    response = act(coordinator, JobFactory.create(shot=shots[0], state=state), deed, **said)
    assert only_error(response, 409) == ("state", state, "illegal_move")


def test_a_failed_job_is_requeued_with_a_fresh_budget(coordinator: APIClient, shots: list[Shot]) -> None:
    failed = JobFactory.create(
        shot=shots[0], state="failed", attempts_used=3, failure_message="out of memory"
    )
    body = act(coordinator, failed, "requeue").json()
    assert (body["state"], body["attempts_used"], body["failure_message"]) == ("ready", 0, "")


def test_priority_and_pause_are_changed(coordinator: APIClient, shots: list[Shot]) -> None:
    ready = JobFactory.create(shot=shots[0])
    assert act(coordinator, ready, "prioritise", priority=30).json()["priority"] == 30
    assert act(coordinator, ready, "pause", paused=True).json()["paused"] is True
    assert act(coordinator, ready, "pause", paused=False).json()["paused"] is False


@pytest.mark.parametrize(
    ("deed", "said", "field"), [("prioritise", {"priority": 5}, "priority"), ("pause", {}, "paused")]
)
def test_a_wrong_wish_is_refused(
    coordinator: APIClient, shots: list[Shot], deed: str, said: dict[str, Any], field: str
) -> None:
    response = act(coordinator, JobFactory.create(shot=shots[0]), deed, **said)
    assert only_error(response, 400)[0] == field


def test_a_list_takes_as_many_queries_for_twenty_jobs_as_for_two(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    batch = BatchFactory.create(project=shots[0].project)

    def queries(more: int) -> int:
        JobFactory.create_batch(more, shot=shots[0], batch=batch)
        with CaptureQueriesContext(connection) as asked:
            assert coordinator.get(JOBS).status_code == 200
        return len(asked)

    assert queries(2) == queries(18) <= 6
