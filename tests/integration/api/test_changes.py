"""Over HTTP: a request's wishes, changes of jobs, batches and selections, pauses, limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError
from django.utils import timezone
from psycopg.errors import DeadlockDetected
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.nodes.models import Pool
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Attempt, Hold, Job, Limit
from apps.workflows.models import WorkflowTemplateVersion
from tests.factories import BatchFactory, JobFactory, NodeFactory, ShotFactory
from tests.integration.api.conftest import Client, only_error, problem_of

pytestmark = pytest.mark.django_db

JOBS = "/api/v1/jobs"
BATCHES = "/api/v1/batches"
ORDER: dict[str, Any] = {
    "project": "FROST",
    "shots": ["SQ010_SH0010"],
    "steps": [{"template": "sd15_t2i"}],
}


def submit(client: APIClient, **more: Any) -> Any:
    return client.post(BATCHES, ORDER | more, HTTP_IDEMPOTENCY_KEY="press")


def later(**span: float) -> str:
    return (timezone.now() + timedelta(**span)).isoformat()


@pytest.fixture
def job(shots: list[Shot], templates: None) -> Job:
    """A job that waits, of a template whose manifest can be read."""
    version = WorkflowTemplateVersion.objects.get(template__slug="sd15_t2i")
    made: Job = JobFactory.create(shot=shots[0], template_version=version)
    return made


@pytest.fixture
def operator(client_of: Client, people: dict[str, User]) -> APIClient:
    """A coordinator who may also pause the farm and set limits."""
    names = ("change_hold", "add_limit", "change_limit", "delete_limit")
    permissions = Permission.objects.filter(content_type__app_label="renders", codename__in=names)
    people["coordinator"].user_permissions.set(permissions)
    return client_of("coordinator")


@pytest.mark.usefixtures("templates")
def test_a_request_says_when_where_and_after_what(
    coordinator: APIClient, shots: list[Shot], job: Job
) -> None:
    Pool.objects.create(name="nights")
    NodeFactory.create(name="gpu-a", pool=Pool.objects.get(), tags="fast", tier_gb=24)
    start, deadline = later(hours=1), later(hours=9)
    answer = submit(
        coordinator,
        start_after=start,
        deadline=deadline,
        pool="nights",
        tags=["fast"],
        pinned_to="gpu-a",
        paused=True,
        after=[job.code],
    )
    assert answer.status_code == 201, answer.json()
    batch = answer.json()
    assert (batch["paused"], batch["paused_by"], batch["warnings"]) == (True, batch["submitted_by"], [])
    [row] = coordinator.get(JOBS, {"batch": batch["code"]}).json()["results"]
    assert (row["pool"], row["tags"], row["pinned_to"]) == ("nights", ["fast"], "gpu-a")
    assert (row["held"], row["state"]) == (True, "blocked")
    assert row["deadline"] is not None
    assert row["start_by"] < row["deadline"]
    assert coordinator.get(f"{JOBS}/{row['id']}").json()["depends_on"] == [job.code]


@pytest.mark.usefixtures("templates")
@pytest.mark.parametrize(
    ("wishes", "field", "code"),
    [
        ({"deadline": "2001-01-01T00:00:00Z"}, "deadline", "in_the_past"),
        ({"deadline": "tomorrow"}, "deadline", "invalid"),
        ({"pool": "nowhere"}, "pool", "unknown_pool"),
        ({"pinned_to": "nowhere"}, "pinned_to", "unknown_pinned_to"),
        ({"tags": "fast"}, "tags", "not_a_list"),
        ({"tags": ["so fast"]}, "tags", "invalid"),
        ({"after": ["J999999"]}, "after", "unknown_job"),
        ({"urgent": True}, "urgent", "unknown_field"),
    ],
)
def test_a_wish_that_cannot_be_kept_is_answered_by_field(
    coordinator: APIClient, shots: list[Shot], wishes: dict[str, Any], field: str, code: str
) -> None:
    told = only_error(submit(coordinator, **wishes), 400)
    assert (told[0], told[2]) == (field, code)
    assert not Job.objects.exists()


@pytest.mark.usefixtures("templates")
def test_a_plan_warns_of_what_no_node_can_keep(coordinator: APIClient, shots: list[Shot]) -> None:
    NodeFactory.create(tags="slow")
    body = coordinator.post(f"{BATCHES}/plan", ORDER | {"tags": ["fast"]}).json()
    [warning] = body["warnings"]
    assert (warning["field"], warning["value"], warning["code"]) == ("tags", "fast", "tags_nobody")
    assert body["total"] == 1


@pytest.mark.usefixtures("templates")
def test_steps_are_chained_by_their_place(coordinator: APIClient, shots: list[Shot]) -> None:
    steps = [{"template": "sd15_t2i"}, {"template": "flux_t2i"}, {"template": "wan22_i2v", "start_from": 0}]
    assert submit(coordinator, steps=steps).status_code == 201
    clip = Job.objects.get(kind="clip")
    assert clip.dependencies.get().depends_on.template_version.template.slug == "sd15_t2i"
    wrong = submit(coordinator, steps=[{"template": "sd15_t2i", "start_from": 4}])
    assert problem_of(wrong, 409)["errors"][0]["code"] == "idempotency_conflict"


def test_a_job_is_changed_and_its_story_says_who_and_why(coordinator: APIClient, job: Job) -> None:
    Pool.objects.create(name="nights")
    deadline = later(hours=9)
    said = {"priority": 20, "deadline": deadline, "pool": "nights", "reason": "for the trailer"}
    body = coordinator.patch(f"{JOBS}/{job.pk}", said).json()
    assert (body["priority"], body["rank"], body["pool"]) == (20, 20, "nights")
    [event] = [event for event in body["events"] if event["machine"] == "job_wish"]
    assert event["reason"] == "for the trailer"
    assert event["data"]["changes"]["priority"] == [10, 20]
    cleared = coordinator.patch(f"{JOBS}/{job.pk}", {"deadline": None, "pool": ""}).json()
    assert (cleared["deadline"], cleared["pool"]) == (None, None)


@pytest.mark.parametrize("said", ({}, {"reason": "why not"}))
def test_a_change_of_nothing_is_refused(coordinator: APIClient, job: Job, said: dict[str, Any]) -> None:
    field, _value, _code = only_error(coordinator.patch(f"{JOBS}/{job.pk}", said), 400)
    assert field == ""


@pytest.mark.parametrize(
    ("state", "said"), [("running", {"pool": ""}), ("running", {"tags": []}), ("failed", {"priority": 30})]
)
def test_a_change_that_comes_too_late_is_a_conflict(
    coordinator: APIClient, shots: list[Shot], state: str, said: dict[str, Any]
) -> None:
    late = JobFactory.create(shot=shots[0], state=state)
    assert only_error(coordinator.patch(f"{JOBS}/{late.pk}", said), 409) == ("state", state, "illegal_move")


def test_a_batch_is_changed_as_a_whole(coordinator: APIClient, shots: list[Shot]) -> None:
    batch = BatchFactory.create(project=shots[0].project)
    jobs = JobFactory.create_batch(3, shot=shots[0], batch=batch)
    body = coordinator.patch(f"{BATCHES}/{batch.pk}", {"priority": 30, "paused": True}).json()
    assert (body["paused"], bool(body["paused_by"])) == (True, True)
    rows = Job.objects.filter(pk__in=[job.pk for job in jobs])
    assert set(rows.values_list("priority", "held", "paused")) == {(30, True, False)}


def test_a_selection_is_changed_by_code_or_id(coordinator: APIClient, shots: list[Shot]) -> None:
    first, second = JobFactory.create_batch(2, shot=shots[0])
    closed = JobFactory.create(shot=shots[1], state="failed")
    said = {"jobs": [first.code, str(second.pk), closed.code], "priority": 30, "paused": True}
    body = coordinator.post(f"{JOBS}/change", said).json()
    assert sorted(body["changed"]) == sorted([first.code, second.code])
    assert (body["closed"], body["same"], body["in_flight"]) == ([closed.code], [], [])


def test_a_selection_is_cancelled(coordinator: APIClient, shots: list[Shot]) -> None:
    jobs = JobFactory.create_batch(3, shot=shots[0])
    closed = JobFactory.create(shot=shots[1], state="failed")
    codes = [row.code for row in (*jobs, closed)]
    assert coordinator.post(f"{JOBS}/cancel", {"jobs": codes}).json() == {"cancelled": 3}
    assert Job.objects.filter(state="cancelled").count() == 3


@pytest.mark.parametrize(("deed", "more"), [("change", {"priority": 30}), ("cancel", {})])
def test_a_selection_with_somebody_elses_job_changes_none(
    coordinator: APIClient, job: Job, deed: str, more: dict[str, Any]
) -> None:
    secret = JobFactory.create()
    answer = coordinator.post(f"{JOBS}/{deed}", {"jobs": [job.code, secret.code]} | more)
    assert only_error(answer, 400) == ("jobs[1]", secret.code, "unknown_job")
    assert set(Job.objects.values_list("priority", "state")) == {(10, "ready")}


def test_jobs_are_found_by_pool_pin_hold_and_deadline(coordinator: APIClient, shots: list[Shot]) -> None:
    pool, node = Pool.objects.create(name="nights"), NodeFactory.create(name="gpu-a")
    soon = timezone.now() + timedelta(hours=1)
    wanted = {
        JobFactory.create(shot=shots[0], pool=pool).code: {"pool": "nights"},
        JobFactory.create(shot=shots[0], pinned_to=node).code: {"pinned_to": "gpu-a"},
        JobFactory.create(shot=shots[0], held=True).code: {"held": "true"},
        JobFactory.create(shot=shots[0], deadline=soon).code: {"deadline_before": later(hours=2)},
    }
    JobFactory.create(shot=shots[1], deadline=soon + timedelta(days=9))
    for code, question in wanted.items():
        assert [row["code"] for row in coordinator.get(JOBS, question).json()["results"]] == [code]


def test_a_project_is_paused_by_its_admin(client_of: Client, film: Project) -> None:
    address = f"/api/v1/projects/{film.code}/pause"
    body = client_of("admin").post(address, {"paused": True, "reason": "wait"}).json()
    assert body["paused"] is True
    assert body["paused_by"]
    assert client_of("coordinator").post(address, {"paused": False}).status_code == 403
    film.refresh_from_db()
    assert film.paused


def test_the_farm_is_paused_and_goes_on(operator: APIClient, client_of: Client) -> None:
    answer = operator.post("/api/v1/holds", {"scope": "24", "reason": "new cards"})
    assert (answer.status_code, answer.json()["reason"]) == (201, "new cards")
    assert operator.post("/api/v1/holds", {"scope": "24"}).status_code == 200
    rows = client_of("viewer").get("/api/v1/holds").json()["results"]
    assert [row["scope"] for row in rows] == ["24"]
    assert [operator.delete("/api/v1/holds/24").status_code for _ in range(2)] == [204, 204]
    assert not Hold.objects.exists()
    assert only_error(operator.post("/api/v1/holds", {"scope": "25"}), 400)[0] == "scope"
    assert only_error(operator.delete("/api/v1/holds/25"), 400)[0] == "scope"


@pytest.mark.usefixtures("templates")
def test_limits_are_set_and_shown_with_their_use(operator: APIClient, client_of: Client, job: Job) -> None:
    said = {"name": "paid-api", "most": 2, "templates": ["sd15_t2i", "flux_t2i"], "note": "two seats"}
    made = operator.post("/api/v1/limits", said)
    assert made.status_code == 201, made.json()
    limit = Limit.objects.get()
    Attempt.objects.create(
        job=job, number=1, state="executing", token="t", queue="q", tier_gb=0, accept_by=timezone.now()
    )
    [row] = client_of("viewer").get("/api/v1/limits").json()["results"]
    assert (row["name"], row["in_flight"], row["most"]) == ("paid-api", 1, 2)
    address = f"/api/v1/limits/{limit.pk}"
    now = {"row_version": row["row_version"]}
    changed = operator.patch(address, {"most": 0, **now}).json()
    assert changed["most"] == 0
    stale = operator.patch(address, {"note": "three seats", **now})
    assert (stale.status_code, [one["now"] for one in stale.json()["changed"]]) == (409, [0])
    now = {"row_version": changed["row_version"]}
    refused = operator.patch(address, {"templates": ["kling"], **now})
    assert only_error(refused, 400)[:2] == ("templates", "kling")
    assert only_error(operator.patch(address, {"most": -1, **now}), 400)[0] == "most"
    assert operator.delete(address, now).status_code == 204
    assert not Limit.objects.exists()


@pytest.mark.usefixtures("templates")
def test_a_second_limit_of_one_name_is_refused(operator: APIClient) -> None:
    said = {"name": "paid-api", "most": 2, "templates": ["sd15_t2i"]}
    assert [operator.post("/api/v1/limits", said).status_code for _ in range(2)] == [201, 400]


def test_a_change_that_another_one_met_in_the_database_is_to_be_asked_again(
    coordinator: APIClient, film: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = JobFactory.create(shot=ShotFactory.create(sequence=film.sequences.get()))

    def deadlocked(*_: Any, **__: Any) -> None:
        raise OperationalError("deadlock detected") from DeadlockDetected()

    monkeypatch.setattr("apps.renders.services.control.change_job", deadlocked)
    answer = coordinator.patch(f"{JOBS}/{job.pk}", {"priority": 30})
    assert "Ask again" in problem_of(answer, 503)["detail"]
    assert answer["Retry-After"] == "1"
    monkeypatch.undo()
    assert coordinator.patch(f"{JOBS}/{job.pk}", {"priority": 30}).status_code == 200
