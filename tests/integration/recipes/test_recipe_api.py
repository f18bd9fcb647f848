"""Recipes and runs over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.recipes.models import Recipe, RecipeRun
from apps.workflows.models import WorkflowTemplate
from tests.integration.recipes.scene import (
    WHOLE,
    jobs,
    recipe_of,
    renders_all,
    started,
    take_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.once]

RECIPES, RUNS = "/api/v1/recipes", "/api/v1/recipe-runs"


@pytest.fixture
def client(coordinator: User) -> APIClient:
    """The coordinator's, who also looks after recipes."""
    coordinator.user_permissions.add(*Permission.objects.filter(content_type__app_label="recipes"))
    made = APIClient()
    made.force_authenticate(User.objects.get(pk=coordinator.pk))

    return made


def post(client: APIClient, path: str, key: str = "k", **body: Any) -> Any:
    return client.post(path, body, format="json", HTTP_IDEMPOTENCY_KEY=key)


def test_recipes_are_listed_with_their_steps_and_what_is_missing(client: APIClient) -> None:
    WorkflowTemplate.objects.filter(slug__in=("rife_interpolate", "esrgan_upscale")).update(active=False)
    rows = {row["slug"]: row for row in client.get(RECIPES).json()["results"]}
    assert [step["template"] for step in rows["keyframe_clip"]["steps"]] == ["flux_t2i", "wan22_i2v"]
    assert rows["keyframe_clip"]["problems"] == []
    assert [one["value"] for one in rows["keyframe_final"]["problems"]] == [
        "rife_interpolate",
        "esrgan_upscale",
    ]


def test_a_recipe_is_made_changed_and_deleted(client: APIClient) -> None:
    steps = [{"template": "sd15_t2i", "takes": 2, "gate": "approval"}, {"template": "wan22_i2v"}]
    made = post(client, RECIPES, slug="mine", title="Mine", steps=steps)
    assert (made.status_code, made.json()["problems"]) == (201, [])
    changed = client.patch(f"{RECIPES}/mine", {"steps": steps[:1], "row_version": 0}, format="json")
    assert (changed.status_code, len(changed.json()["steps"])) == (200, 1)
    stale = client.patch(f"{RECIPES}/mine", {"title": "Ours", "row_version": 0}, format="json")
    assert (stale.status_code, [one["field"] for one in stale.json()["changed"]]) == (409, ["steps"])
    now = {"row_version": changed.json()["row_version"]}
    assert client.delete(f"{RECIPES}/mine", now, format="json").status_code == 204
    assert not Recipe.objects.filter(slug="mine").exists()


def test_steps_that_do_not_fit_are_refused_with_their_place(client: APIClient) -> None:
    steps = [{"template": "sd15_t2i"}, {"template": "upscale"}, {"template": "nothing"}]
    refused = post(client, RECIPES, slug="mine", title="Mine", steps=steps)
    assert refused.status_code == 400
    assert [(one["field"], one["value"]) for one in refused.json()["errors"]] == [
        ("steps[1].template", "upscale"),
        ("steps[2].template", "nothing"),
    ]


def test_shipped_recipes_are_switched_off_and_not_deleted(client: APIClient) -> None:
    now = {"row_version": client.get(f"{RECIPES}/keyframe_clip").json()["row_version"]}
    kept = client.delete(f"{RECIPES}/keyframe_clip", now, format="json")
    assert (kept.status_code, kept.json()["errors"][0]["code"]) == (409, "builtin")
    off = client.patch(f"{RECIPES}/keyframe_clip", {"active": False, **now}, format="json")
    assert off.json()["active"] is False


def test_a_run_is_started_once_and_read_step_by_step(client: APIClient, shot: Shot) -> None:
    recipe_of(*WHOLE)
    asked: dict[str, Any] = {"project": "FROST", "recipe": "whole", "shots": ["SQ010_SH0010"], "priority": 20}
    first, again = post(client, RUNS, **asked), post(client, RUNS, **asked)
    assert (first.status_code, again.status_code) == (201, 200)
    [row] = first.json()["shots"]
    assert row["shot"] == "SQ010_SH0010"
    assert [(step["state"], len(step["jobs"])) for step in row["steps"]] == [
        ("renders", 2),
        ("waits", 0),
        ("waits", 0),
        ("waits", 0),
    ]
    assert row["steps"][1]["waits_for"] == "waits for an approved take of step 1, sd15_t2i"
    assert {job.priority for job in jobs(RecipeRun.objects.get(), 0)} == {20}


def test_a_gate_is_opened_and_what_changed_is_rendered(
    client: APIClient,
    film: Project,
    shot: Shot,
    coordinator: User,
    django_capture_on_commit_callbacks: Any,
) -> None:
    run = started(coordinator, film, [shot])
    renders_all(run)
    address = f"{RUNS}/{run.pk}"
    take = take_of(jobs(run, 0)[0])
    with django_capture_on_commit_callbacks(execute=True):
        chosen = post(client, f"{address}/choose", shot="SQ010_SH0010", step=1, take=str(take.pk))
    assert chosen.json()["shots"][0]["steps"][0]["goes_on_with"] == str(take.pk)
    Shot.objects.filter(pk=shot.pk).update(description="A boy skates over the lake")
    steps = client.get(address).json()["shots"][0]["steps"]
    assert [step["stale"] for step in steps[:2]] == [["the prompt changed"]] * 2
    before = steps[0]["made_of"]
    done = post(client, f"{address}/render-changed", shots=["SQ010_SH0010"])
    again = done.json()["shots"][0]["steps"][0]
    assert len(again["jobs"]) == 4
    assert again["made_of"] != before
    stale = post(client, f"{address}/cancel-stale").json()["shots"][0]["steps"][1]
    assert [job["state"] for job in stale["jobs"]] == ["cancelled"]


def test_unknown_recipes_shots_steps_and_takes_are_named(
    client: APIClient, film: Project, shot: Shot, coordinator: User
) -> None:
    run = started(coordinator, film, [shot])
    asked = {"project": "FROST", "recipe": "nothing", "shots": ["SQ010_SH0010"]}
    for path, body, field in (
        (RUNS, asked, "recipe"),
        (f"{RUNS}/{run.pk}/more", {"shot": "SQ010_SH9999", "step": 1}, "shots[0]"),
        (f"{RUNS}/{run.pk}/more", {"shot": "SQ010_SH0010", "step": 9}, "step"),
        (
            f"{RUNS}/{run.pk}/choose",
            {"shot": "SQ010_SH0010", "step": 1, "take": "00000000-0000-0000-0000-000000000000"},
            "take",
        ),
    ):
        refused = post(client, path, key="other", **body)
        assert refused.status_code == 400, path
        assert [one["field"] for one in refused.json()["errors"]] == [field]
