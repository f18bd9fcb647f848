"""Submitting over HTTP."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.common.models import StateEvent
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Job, RenderBatch
from tests.factories import (
    CharacterFactory,
    CharacterLoraFactory,
    JobFactory,
    ShotCharacterFactory,
    ShotFactory,
)
from tests.integration.api.conftest import Client, only_error, problem_of

BATCHES = "/api/v1/batches"
pytestmark = pytest.mark.usefixtures("templates", "shots")


def order(**said: Any) -> dict[str, Any]:
    step = {"template": "sd15_t2i"}
    return {"project": "FROST", "shots": ["SQ010_SH0010", "SQ010_SH0020"], "steps": [step]} | said


def submit(client: APIClient, key: str = "press 1", **said: Any) -> Any:
    return client.post(BATCHES, order(**said), HTTP_IDEMPOTENCY_KEY=key)


def test_submitting_makes_a_batch_of_jobs(coordinator: APIClient) -> None:
    steps = [{"template": "sd15_t2i", "takes": 2, "width": 512, "height": 512, "seed": 7}]
    response = submit(coordinator, steps=steps, priority=20, note="for Monday")
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["note"], body["jobs"]) == (
        "for Monday",
        {"total": 4, "open": 4, "failed": 0, "by_state": {"ready": 4}},
    )
    jobs = Job.objects.filter(batch=body["id"])
    assert set(jobs.values_list("width", "priority", "seed")) == {(512, 20, 7), (512, 20, 8)}


def test_shots_may_be_named_by_id_too(coordinator: APIClient, shots: list[Shot]) -> None:
    assert submit(coordinator, shots=[str(shots[1].pk), "SQ010_SH0010"]).json()["jobs"]["total"] == 2


def test_the_same_request_again_gives_the_same_batch(coordinator: APIClient) -> None:
    first, second = submit(coordinator), submit(coordinator)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert Job.objects.count() == 2


def test_another_request_under_the_same_key_is_a_conflict(coordinator: APIClient) -> None:
    submit(coordinator)
    response = submit(coordinator, shots=["SQ010_SH0010"])
    assert only_error(response, 409) == ("Idempotency-Key", "press 1", "idempotency_conflict")
    assert RenderBatch.objects.count() == 1


def test_a_request_without_a_key_is_refused(coordinator: APIClient) -> None:
    response = coordinator.post(BATCHES, order())
    assert only_error(response, 400) == ("Idempotency-Key", "", "required")
    assert not RenderBatch.objects.exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_two_people_pressing_at_the_same_moment_make_one_batch(client_of: Client) -> None:
    clients = [client_of("coordinator"), client_of("coordinator")]
    together = threading.Barrier(2)
    answers: list[tuple[int, str]] = []

    def press(client: APIClient) -> None:
        together.wait(10)
        response = submit(client)
        answers.append((response.status_code, response.json().get("id", response.content)))
        connection.close()

    threads = [threading.Thread(target=press, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(status for status, _ in answers) == [200, 201]
    assert len({batch for _, batch in answers}) == 1
    assert Job.objects.count() == 2


@pytest.mark.parametrize(
    ("said", "field", "value"),
    [
        ({"shots": ["SQ010_SH0990"]}, "shots[0]", "SQ010_SH0990"),
        ({"shots": ["SQ010_SH0010", "SQ010_SH0010"]}, "shots[1]", "SQ010_SH0010"),
        ({"shots": []}, "shots", ""),
        ({"steps": []}, "steps", ""),
        ({"steps": [{"template": "nonesuch"}]}, "steps[0].template", "nonesuch"),
        ({"steps": [{"template": "sd15_t2i", "takes": 0}]}, "steps[0].takes", "0"),
        ({"steps": [{"template": "sd15_t2i", "frames": 0}]}, "steps[0].frames", "0"),
        ({"steps": [{"template": "sd15_t2i", "width": 511}]}, "SQ010_SH0010.width", "511"),
        ({"priority": 17}, "priority", "17"),
        ({"project": "NOWHERE"}, "project", "NOWHERE"),
    ],
)
def test_what_is_wrong_with_a_request_is_named_and_nothing_is_written(
    coordinator: APIClient, said: dict[str, Any], field: str, value: str
) -> None:
    body = problem_of(submit(coordinator, **said), 400)
    first = body["errors"][0]
    assert (first["field"], first["value"]) == (field, value)
    assert first["message"]
    assert not RenderBatch.objects.exists()


def test_a_shot_of_another_film_is_no_shot_of_this_one(coordinator: APIClient) -> None:
    stranger = ShotFactory.create()
    response = submit(coordinator, shots=[str(stranger.pk)])
    assert only_error(response, 400) == ("shots[0]", str(stranger.pk), "unknown_shot")


def test_a_plan_tells_the_jobs_and_writes_nothing(coordinator: APIClient) -> None:
    events = StateEvent.objects.count()
    steps = [{"template": "flux_t2i"}, {"template": "wan22_i2v"}]
    body = coordinator.post(f"{BATCHES}/plan", order(steps=steps)).json()
    assert (body["total"], body["problems"]) == (4, [])
    assert {(job["shot"], job["kind"]) for job in body["jobs"]} == {
        (shot, kind) for shot in ("SQ010_SH0010", "SQ010_SH0020") for kind in ("keyframe", "clip")
    }
    assert all(job["need_gb"] <= job["tier_gb"] for job in body["jobs"])
    assert not Job.objects.exists()
    assert StateEvent.objects.count() == events


def test_a_plan_tells_every_problem_at_once(coordinator: APIClient) -> None:
    body = coordinator.post(f"{BATCHES}/plan", order(steps=[{"template": "wan22_i2v"}])).json()
    assert (body["total"], body["jobs"]) == (0, [])
    assert [problem["code"] for problem in body["problems"]] == ["no_keyframe", "no_keyframe"]


def test_cancelling_a_batch_cancels_what_is_open(coordinator: APIClient, shots: list[Shot]) -> None:
    batch = RenderBatch.objects.get(pk=submit(coordinator).json()["id"])
    JobFactory.create(shot=shots[0], batch=batch, take_number=2, state="succeeded")
    body = coordinator.post(f"{BATCHES}/{batch.pk}/cancel").json()
    assert body["jobs"]["by_state"] == {"cancelled": 2, "succeeded": 1}


def test_a_batch_is_held_back_and_let_go_on(coordinator: APIClient) -> None:
    batch = submit(coordinator).json()["id"]
    assert coordinator.post(f"{BATCHES}/{batch}/pause", {"paused": True}).json()["paused"] is True
    assert RenderBatch.objects.get(pk=batch).paused
    assert coordinator.post(f"{BATCHES}/{batch}/pause", {"paused": False}).json()["paused"] is False


def test_a_list_takes_as_many_queries_for_ten_batches_as_for_one(
    coordinator: APIClient, film: Project, django_assert_max_num_queries: Any
) -> None:
    for number in range(10):
        submit(coordinator, key=f"press {number}")
    with django_assert_max_num_queries(6):
        assert len(coordinator.get(BATCHES).json()["results"]) == 10


def test_two_peoples_loras_are_warned_about_in_the_plan_the_answer_and_the_job(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    for name in ("Gerda", "Kay"):
        person = CharacterFactory.create(project=shots[0].project, name=name, use_lora=True)
        CharacterLoraFactory.create(character=person, base_model="sd15", file=f"{name}.safetensors")
        ShotCharacterFactory.create(shot=shots[0], character=person)
    planned = coordinator.post(f"{BATCHES}/plan", order()).json()
    made = submit(coordinator)
    assert made.status_code == 201
    for warnings in (planned["warnings"], made.json()["warnings"]):
        (warning,) = warnings
        assert (warning["field"], warning["code"]) == ("SQ010_SH0010.loras", "loras_bleed")
    assert submit(coordinator).json()["warnings"] == made.json()["warnings"], "a repeat says the same"
    job = Job.objects.get(shot=shots[0])
    told = coordinator.get(f"/api/v1/jobs/{job.pk}").json()
    assert [lora["file"] for lora in told["loras"]] == ["Gerda.safetensors", "Kay.safetensors"]
    assert "bleed into each other" in told["warnings"][0]


def test_a_plan_lists_what_to_know_of_prompts_as_the_batch_then_does(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    Shot.objects.filter(pk=shots[0].pk).update(negative="sun")
    steps = [{"template": "flux_t2i"}]
    told = coordinator.post(f"{BATCHES}/plan", order(steps=steps)).json()["warnings"]
    assert ("SQ010_SH0010.prompt", "negative_ignored") in {(one["field"], one["code"]) for one in told}
    assert told == submit(coordinator, steps=steps).json()["warnings"]


def test_a_plan_says_that_a_shot_has_no_word(coordinator: APIClient, shots: list[Shot]) -> None:
    Shot.objects.filter(pk=shots[0].pk).update(description="", description_ko="")
    told = coordinator.post(f"{BATCHES}/plan", order()).json()
    assert told["total"] == 0
    assert told["problems"] == submit(coordinator).json()["errors"]
