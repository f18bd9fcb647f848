"""Prompts over HTTP: previews, texts by hand, builds compared, a project's order of segments."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from apps.productions.models import Shot
from apps.projects.models import Project
from apps.prompts.models import PromptBuild, PromptEdit
from apps.prompts.reader import Reader
from apps.prompts.services import build_prompt
from tests.factories import (
    CharacterFactory,
    CharacterLoraFactory,
    CinematicPresetFactory,
    ShotCharacterFactory,
    ShotPresetFactory,
    TakeFactory,
)
from tests.integration.api.conftest import Client, only_error

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]


def prompt(shot: Shot, rest: str = "") -> str:
    return f"/api/v1/shots/{shot.pk}/prompt{rest}"


def told(response: Any, status: int = 200) -> dict[str, Any]:
    assert response.status_code == status, response.content
    body: dict[str, Any] = response.json()
    return body


def test_a_preview_says_where_each_piece_comes_from_and_what_is_left_out(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    moving = CinematicPresetFactory.create(channel="video", prompt_fragment="the camera glides")
    ShotPresetFactory.create(shot=shots[0], preset=moving)
    body = told(coordinator.get(prompt(shots[0]), {"template": "flux_t2i"}))
    assert body["template"] == "flux_t2i"
    scene = body["segments"][0]
    assert (scene["row"], scene["source_id"], scene["field"]) == ("shot", str(shots[0].pk), "description")
    (left,) = body["left_out"]
    assert (left["text"], left["why"]) == ("the camera glides", "video_only")
    assert "a picture does not move" in left["reason"]
    assert body["negative_ignored"] == "by_model"
    assert [row["encoder"] for row in body["tokens"]] == ["clip_pooled", "t5xxl"]
    assert not PromptBuild.objects.exists()


def test_without_a_template_each_channel_has_the_one_the_form_begins_with(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    bodies = [told(coordinator.get(prompt(shots[0]), {"channel": one})) for one in ("image", "video")]
    assert [body["channel"] for body in bodies] == ["image", "video"]
    assert all(body["positive"] for body in bodies)


def test_another_order_and_language_are_tried_out_without_being_kept(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    Shot.objects.filter(pk=shots[0].pk).update(description_ko="소녀가 걷는다", weather="snow")
    asked = {"template": "sd15_t2i", "language": "ko", "composer": {"base": "light_first"}}
    body = told(coordinator.post(prompt(shots[0]), asked))
    assert (body["language"], body["positive"]) == ("ko", "소녀가 걷는다. 눈이 내림")
    wrong = asked | {"composer": {"positive": [{"segment": "scenery"}]}}
    response = coordinator.post(prompt(shots[0]), wrong)
    assert response.status_code == 400
    fields = {error["field"] for error in response.json()["errors"]}
    assert "composer.positive[0].segment" in fields
    assert not PromptBuild.objects.exists()


def test_a_template_without_words_is_refused_by_name(coordinator: APIClient, shots: list[Shot]) -> None:
    answer = coordinator.get(prompt(shots[0]), {"template": "plain_slate"})
    assert only_error(answer, 400) == ("template", "plain_slate", "wordless")


def test_a_text_by_hand_is_written_compared_changed_and_dropped(
    coordinator: APIClient, shots: list[Shot], film: Project
) -> None:
    shot = shots[0]
    edit = told(coordinator.put(prompt(shot, "/edits/image"), {"positive": "Only fog"}))
    assert (edit["positive"], edit["negative"], edit["row_version"]) == ("Only fog", None, 1)
    body = told(coordinator.get(prompt(shot), {"template": "sd15_t2i"}))
    assert (body["by_hand"], body["positive"]) == (True, "Only fog")
    assert body["composed"]["positive"].startswith(shot.description)
    assert {run["what"] for run in body["difference"]["positive"]} >= {"added", "removed"}
    ShotCharacterFactory.create(shot=shot, character=CharacterFactory.create(project=film))
    body = told(coordinator.get(prompt(shot), {"template": "sd15_t2i"}))
    assert {change["told"] for change in body["changes"]} >= {"the cast changed since"}
    assert "prompt_outdated" in {warning["code"] for warning in body["warnings"]}
    stale = coordinator.put(prompt(shot, "/edits/image"), {"positive": "Rain"})
    assert only_error(stale, 409)[2] == "stale"
    again = told(coordinator.put(prompt(shot, "/edits/image"), {"positive": "Rain", "row_version": 1}))
    assert again["row_version"] == 2
    assert len(coordinator.get(prompt(shot, "/edits")).json()) == 1
    gone = coordinator.delete(prompt(shot, "/edits/image"), {"row_version": 2})
    assert gone.status_code == 204
    assert not PromptEdit.objects.exists()


@pytest.mark.parametrize(
    ("channel", "said", "field", "code"),
    [
        ("film", {"positive": "x"}, "channel", "invalid"),
        ("image", {}, "positive", "required"),
        ("image", {"positive": " "}, "positive", "required"),
        ("image", {"positive": "x" * 20_001}, "positive", "too_long"),
    ],
)
def test_what_cannot_be_a_prompt_is_refused(
    coordinator: APIClient, shots: list[Shot], channel: str, said: dict[str, str], field: str, code: str
) -> None:
    answer = coordinator.put(prompt(shots[0], f"/edits/{channel}"), said)
    assert only_error(answer, 400)[::2] == (field, code)
    assert not PromptEdit.objects.exists()


def test_whoever_only_looks_sees_previews_and_writes_nothing(client_of: Client, shots: list[Shot]) -> None:
    looking = client_of("artist")
    assert looking.get(prompt(shots[0])).status_code == 200
    assert looking.post(prompt(shots[0]), {}).status_code == 200
    assert looking.put(prompt(shots[0], "/edits/image"), {"positive": "x"}).status_code == 403
    assert looking.delete(prompt(shots[0], "/edits/image"), {"row_version": 1}).status_code == 403


def test_the_prompt_of_a_locked_shot_stays_as_it_is(coordinator: APIClient, shots: list[Shot]) -> None:
    Shot.objects.filter(pk=shots[0].pk).update(locked_by="alice", locked_at="2026-01-01T00:00Z")
    answer = coordinator.put(prompt(shots[0], "/edits/image"), {"positive": "x"})
    assert only_error(answer, 400)[2] == "locked"


def test_builds_are_listed_read_with_their_takes_and_compared(
    coordinator: APIClient, shots: list[Shot], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    shot = shots[0]
    first = build_prompt(shot, Reader("image"))
    Shot.objects.filter(pk=shot.pk).update(description="A girl runs along the quay")
    second = build_prompt(shot, Reader("image"))
    take = TakeFactory.create(shot=shot, prompt_build=second)
    with django_assert_num_queries(6):  # the token, the person, the shot, how many, which, the rows
        listed = told(coordinator.get(f"/api/v1/shots/{shot.pk}/prompts"))
    assert [row["id"] for row in listed["results"]] == [str(second.pk), str(first.pk)]
    assert told(coordinator.get(f"/api/v1/prompts/{second.pk}"))["takes"] == [str(take.pk)]
    assert told(coordinator.get(f"/api/v1/takes/{take.pk}"))["prompt_build"] == str(second.pk)
    compared = told(
        coordinator.get(f"/api/v1/shots/{shot.pk}/prompts/compare", {"a": str(first.pk), "b": str(second.pk)})
    )
    assert {"what": "added", "text": "runs"} in compared["positive"]
    assert [piece["what"] for piece in compared["segments"]] == ["changed", "same"]
    wrong = coordinator.get(f"/api/v1/shots/{shot.pk}/prompts/compare", {"a": str(first.pk), "b": "?"})
    assert only_error(wrong, 400) == ("b", "?", "unknown_build")


def test_an_admin_sets_the_projects_order_and_prompts_follow_it(
    client_of: Client, film: Project, shots: list[Shot]
) -> None:
    admin, address = client_of("admin"), f"/api/v1/projects/{film.code}/composer"
    order = told(admin.get(address))
    assert [piece["segment"] for piece in order["positive"]][:2] == ["scene", "cast"]
    assert order["bases"] == ["shotfarm", "style_first", "light_first"]
    asked = {"composer": {"negative": [{"segment": "shot"}]}, "row_version": order["row_version"]}
    assert client_of("coordinator").put(address, asked).status_code == 403
    kept = told(admin.put(address, asked))
    assert {"segment": "house", "on": False, "join": "comma"} in kept["negative"]
    assert build_prompt(shots[0], Reader("image")).negative == ""
    assert only_error(admin.put(address, asked), 409)[2] == "stale"
    back = told(admin.put(address, {"composer": {}, "row_version": kept["row_version"]}))
    film.refresh_from_db()
    assert (back["base"], film.composer) == ("shotfarm", {})


def test_a_batch_is_rendered_with_the_text_by_hand_and_its_jobs_say_so(
    coordinator: APIClient, film: Project, shots: list[Shot]
) -> None:
    member = CharacterFactory.create(project=film, use_lora=True)
    CharacterLoraFactory.create(character=member, base_model="sd15", trigger_words=["gerda_v1"])
    ShotCharacterFactory.create(shot=shots[0], character=member)
    coordinator.put(prompt(shots[0], "/edits/image"), {"positive": "Only fog", "negative": ""})
    asked = {
        "project": film.code,
        "shots": [shots[0].full_code],
        "steps": [{"template": "sd15_t2i"}],
    }
    body = told(coordinator.post("/api/v1/batches", asked, headers={"Idempotency-Key": "k"}), 201)
    codes = {warning["code"] for warning in body["warnings"]}
    assert {"prompt_by_hand", "trigger_missing"} <= codes
    build = PromptBuild.objects.get(shot=shots[0])
    assert (build.positive, build.negative, build.by_hand) == ("Only fog", "", True)
    assert build.composed["positive"].endswith("gerda_v1")
    assert [lora["character"] for lora in build.loras] == [member.code]
