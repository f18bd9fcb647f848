"""What the API does not know it refuses, and says what it does know."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.productions.models import Sequence, Shot
from apps.projects.models import Project
from apps.renders.models import Job, RenderBatch
from apps.review.models import Take
from tests.factories import BatchFactory, JobFactory, TakeFactory
from tests.integration.api.conftest import Client, problem_of

BATCHES = "/api/v1/batches"
ORDER = {"project": "FROST", "shots": ["SQ010_SH0010"], "steps": [{"template": "sd15_t2i"}]}
LISTS = (
    "projects",
    "sequences",
    "shots",
    "characters",
    "batches",
    "jobs",
    "takes",
    "presets",
    "templates",
    "nodes",
    "pools",
    "schedules",
    "blocks",
    "holds",
    "limits",
    "notices",
    "subscriptions",
    "deliveries",
)


def faults(response: Any) -> dict[tuple[str, str], str]:
    """The messages of a 400, by field and code."""
    errors = problem_of(response, 400)["errors"]
    return {(error["field"], error["code"]): error["message"] for error in errors}


@pytest.mark.parametrize("address", (BATCHES, f"{BATCHES}/plan"))
def test_an_unknown_field_is_refused_at_every_level(
    coordinator: APIClient, shots: list[Shot], templates: None, address: str
) -> None:
    body = ORDER | {"steps": [{"template": "sd15_t2i", "foo": 1}], "bar": 2}
    response = coordinator.post(address, body, HTTP_IDEMPOTENCY_KEY="press")
    told = faults(response)
    assert set(told) == {("steps[0].foo", "unknown_field"), ("bar", "unknown_field")}
    assert "not a field here; known are template, takes, width" in told["steps[0].foo", "unknown_field"]
    assert {error["value"] for error in response.json()["errors"]} == {"1", "2"}
    assert not RenderBatch.objects.exists()


def test_every_writing_address_refuses_an_unknown_field(coordinator: APIClient, shots: list[Shot]) -> None:
    shot, job, take = shots[0], JobFactory.create(shot=shots[0]), TakeFactory.create(shot=shots[0])
    batch = BatchFactory.create(project=shot.project)
    wrong = {"nonesuch": 1}
    for method, path, body in (
        ("post", "sequences", {"project": "FROST"}),
        ("post", "sequences", {"project": "FROST", "order": 7}),
        ("post", "shots", {"project": "FROST", "sequence": "SQ010"}),
        ("patch", f"shots/{shot.pk}", {"row_version": 0}),
        ("post", f"shots/{shot.pk}/status", {"to": "on_hold"}),
        ("post", f"takes/{take.pk}/review", {"to": "rejected"}),
        ("post", f"jobs/{job.pk}/prioritise", {"priority": 30}),
        ("post", f"jobs/{job.pk}/pause", {"paused": True}),
        ("post", f"batches/{batch.pk}/pause", {"paused": True}),
    ):
        told = faults(getattr(coordinator, method)(f"/api/v1/{path}", body | wrong))
        assert ("nonesuch", "unknown_field") in told, path
    assert Sequence.objects.count() == 1
    assert Shot.objects.count() == len(shots)
    assert not Job.objects.filter(paused=True).exists()
    assert Take.objects.get(pk=take.pk).review_state == take.review_state


def test_an_unknown_field_of_a_part_is_named_by_its_place(coordinator: APIClient, shots: list[Shot]) -> None:
    body = {"row_version": 0, "casting": [{"character": "CH0001", "hat": "red"}]}
    told = faults(coordinator.patch(f"/api/v1/shots/{shots[0].pk}", body))
    assert set(told) == {("casting[0].hat", "unknown_field")}


def test_a_part_without_its_character_is_refused_in_a_change_too(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    body = {"row_version": 0, "casting": [{"action": "waits"}]}
    told = faults(coordinator.patch(f"/api/v1/shots/{shots[0].pk}", body))
    assert set(told) == {("casting[0].character", "required")}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_refuses_parameters_it_does_not_know(coordinator: APIClient, name: str) -> None:
    told = faults(coordinator.get(f"/api/v1/{name}", {"page": 2, "offset": 0}))
    assert "limit, offset" in told["page", "unknown_parameter"]


def test_a_list_names_the_filters_it_knows(coordinator: APIClient) -> None:
    told = faults(coordinator.get("/api/v1/shots", {"statuss": "draft"}))
    known = told["statuss", "unknown_parameter"].rpartition("known are ")[2].split(", ")
    assert {"project", "sequence", "status", "assigned", "search", "limit", "offset"} <= set(known)


def test_a_filter_names_its_choices(coordinator: APIClient) -> None:
    told = faults(coordinator.get("/api/v1/takes", {"kind": "poem"}))
    assert told["kind", "invalid_choice"] == "choose one of keyframe, clip, frames, slate"


@pytest.mark.parametrize(
    ("name", "filter_"),
    [("notices", "unread"), ("nodes", "simulated"), ("jobs", "paused"), ("pools", "dedicated")],
)
def test_a_filter_that_is_true_or_false_takes_nothing_else(
    coordinator: APIClient, name: str, filter_: str
) -> None:
    told = faults(coordinator.get(f"/api/v1/{name}", {filter_: "yes"}))
    assert told == {(filter_, "invalid"): "write true or false"}
    for right in ("true", "False", "1", "0", ""):
        assert coordinator.get(f"/api/v1/{name}", {filter_: right}).status_code == 200


@pytest.mark.parametrize(("body", "sent"), [("[]", "array"), ("null", "null"), ("3", "number")])
def test_a_body_that_is_no_object_is_told_so_in_a_sentence(
    coordinator: APIClient, film: Project, body: str, sent: str
) -> None:
    response = coordinator.post(BATCHES, body, content_type="application/json", HTTP_IDEMPOTENCY_KEY="press")
    told = problem_of(response, 400)
    assert told["detail"].startswith(f"send an object in braces here, not {sent}; its fields are project,")
    assert told["errors"][0]["field"] == ""


def test_an_unknown_project_is_answered_with_ones_own(coordinator: APIClient, film: Project) -> None:
    for sent in ("NOPE", ["FROST"]):
        response = coordinator.post(BATCHES, ORDER | {"project": sent}, HTTP_IDEMPOTENCY_KEY="press")
        ((field, _code), message) = faults(response).popitem()
        assert (field, message.endswith("yours are FROST")) == ("project", True)


def test_a_wrong_choice_is_answered_with_the_right_ones(coordinator: APIClient, shots: list[Shot]) -> None:
    job = JobFactory.create(shot=shots[0])
    told = faults(coordinator.post(f"/api/v1/jobs/{job.pk}/prioritise", {"priority": 5}))
    assert told["priority", "invalid_choice"].startswith("choose one of ")
    assert "30" in told["priority", "invalid_choice"]


def test_who_may_not_is_told_so_before_the_body_is_looked_at(client_of: Client, shots: list[Shot]) -> None:
    viewer, shot = client_of("viewer"), shots[0]
    job, take = JobFactory.create(shot=shot), TakeFactory.create(shot=shot)
    for path in (
        f"takes/{take.pk}/review",
        f"jobs/{job.pk}/pause",
        f"jobs/{job.pk}/prioritise",
        f"batches/{job.batch_id}/pause",
        f"shots/{shot.pk}/status",
    ):
        problem_of(viewer.post(f"/api/v1/{path}", {"wrong": "all of it"}), 403)


def test_a_key_that_is_too_long_is_called_by_the_name_of_its_header(
    coordinator: APIClient, shots: list[Shot], templates: None
) -> None:
    response = coordinator.post(BATCHES, ORDER, HTTP_IDEMPOTENCY_KEY="k" * 101)
    assert [field for field, _code in faults(response)] == ["Idempotency-Key"]
