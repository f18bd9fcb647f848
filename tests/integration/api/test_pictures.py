"""Pictures of projects and characters over HTTP, by the checks that the pages have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from apps.characters import references
from apps.characters.models import Character, CharacterReference
from apps.characters.pictures import Picture, read_picture
from apps.ledger.models import Activity
from apps.projects.models import Project
from tests.factories import CharacterFactory
from tests.integration.api.conftest import Client, only_error, problem_of
from tests.integration.materials.made import picture, upload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("artifact_root")]


@pytest.fixture
def elsa(film: Project) -> Character:
    """CH0001."""
    elsa: Character = CharacterFactory.create(project=film, code="CH0001")
    return elsa


def sent(client: APIClient, method: str, at: str, content: bytes, name: str = "a.png", **fields: Any) -> Any:
    body = {"file": upload(content, name), **fields}
    return getattr(client, method)(f"/api/v1/{at}", body, format="multipart")


def colours(answer: Any) -> list[str]:
    return [one["title"] for one in answer.data["references"]]


def test_a_projects_picture_is_given_replaced_seen_and_taken_away_by_its_admin(
    client_of: Client, film: Project, artifact_root: Path
) -> None:
    admin, at = client_of("admin"), "projects/FROST/picture"
    first = sent(admin, "put", at, picture(colour="navy"), row_version=0)
    assert first.status_code == 200, first.content
    assert first["ETag"] == '"1"'
    film.refresh_from_db()
    second = sent(admin, "put", at, picture(colour="teal"), row_version=1)
    assert (second.data["row_version"], film.thumbnail_key != Project.objects.get().thumbnail_key) == (
        2,
        True,
    )
    assert first.data["url"] != second.data["url"]  # or the browser shows the one that it keeps
    shown = client_of("viewer").get(f"/api/v1/{at}").data
    assert shown["row_version"] == 2
    seen = client_of("anonymous").get(shown["url"])
    assert seen["ETag"] == f'"{Path(Project.objects.get().thumbnail_key).stem}"'
    assert only_error(sent(admin, "put", at, picture(colour="red"), row_version=1), 409)[2] == "stale"
    assert sent(client_of("coordinator"), "put", at, picture(colour="red"), row_version=2).status_code == 403
    gone = admin.delete(f"/api/v1/{at}", {"row_version": 2}, format="json")
    assert gone.data == {"url": "", "row_version": 3}
    said = [activity.changes["thumbnail_key"] for activity in Activity.objects.order_by("id")]
    assert said[0] == ["", said[1][0]]
    assert said[2][1] == ""


def test_reference_pictures_are_brought_put_first_named_replaced_and_taken_away(
    coordinator: APIClient, elsa: Character
) -> None:
    at = f"characters/{elsa.pk}/references"
    sent(coordinator, "post", at, picture(colour="navy"), title="front", row_version=0)
    both = sent(coordinator, "post", at, picture(colour="teal"), title="side", row_version=1, place=0)
    assert both.status_code == 201, both.content
    assert colours(both) == ["side", "front"]  # the first one is the face
    side, front = (one["id"] for one in both.data["references"])
    named = coordinator.patch(f"/api/v1/{at}/{front}", {"title": "face", "place": 0, "row_version": 2})
    assert colours(named) == ["face", "side"]
    replaced = sent(coordinator, "put", f"{at}/{front}", picture(colour="red"), row_version=3)
    assert colours(replaced) == ["face", "side"]
    assert replaced.data["references"][0]["sha256"] != named.data["references"][0]["sha256"]
    left = coordinator.delete(f"/api/v1/{at}/{side}", {"row_version": 4})
    assert (colours(left), left.data["row_version"]) == (["face"], 5)
    assert coordinator.get(f"/api/v1/{at}").data["references"][0]["url"].startswith("/media/reference/")
    assert Activity.objects.filter(kind="character", object_id=str(elsa.pk)).count() == 5


def test_a_picture_is_decoded_while_its_characters_row_is_free(
    coordinator: APIClient, elsa: Character, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, depth = f"characters/{elsa.pk}/references", len(connection.savepoint_ids)
    seen: list[int] = []

    def watched(file: Any, *, name: str = "") -> Picture:
        seen.append(len(connection.savepoint_ids) - depth)
        return read_picture(file, name=name)

    monkeypatch.setattr(references, "read_picture", watched)
    first = sent(coordinator, "post", at, picture(colour="navy"), title="front", row_version=0)
    second = sent(coordinator, "post", at, picture(colour="teal"), title="side", row_version=1)
    front, side = (one["id"] for one in second.data["references"])
    again = sent(coordinator, "put", f"{at}/{front}", picture(colour="teal"), row_version=2)
    assert [one["id"] for one in again.data["references"]] == [side]
    assert colours(again) == ["side"]  # the character has it already, and calls it that
    assert (first.status_code, seen) == (201, [0, 0, 0])


def test_a_stale_change_and_a_missing_version_change_nothing(coordinator: APIClient, elsa: Character) -> None:
    at = f"characters/{elsa.pk}/references"
    sent(coordinator, "post", at, picture(colour="navy"), row_version=0)
    stale = problem_of(sent(coordinator, "post", at, picture(colour="teal"), row_version=0), 409)
    assert stale["row_version"] == 1
    assert [one["field"] for one in stale["changed"]] == ["references"]
    assert only_error(sent(coordinator, "post", at, picture(colour="teal")), 400)[0] == "row_version"
    assert CharacterReference.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "name", "code"),
    (
        (b"GIF89a", "a.gif", "not_an_image"),
        (b"<svg onload=alert(1)>", "a.png", "not_an_image"),
        (picture(colour="navy"), "a.jpg", "wrong_extension"),
        (picture(colour="navy") + b"<script>", "a.png", "trailing_data"),
    ),
)
def test_bytes_decide_what_a_picture_is(
    client_of: Client, elsa: Character, content: bytes, name: str, code: str
) -> None:
    admin = client_of("admin")
    for method, at in (("post", f"characters/{elsa.pk}/references"), ("put", "projects/FROST/picture")):
        refused = sent(admin, method, at, content, name, row_version=0)
        assert only_error(refused, 400) == ("file", name, code)
    assert (CharacterReference.objects.count(), Project.objects.get().row_version) == (0, 0)


def test_whoever_only_reads_brings_nothing(client_of: Client, elsa: Character) -> None:
    at = f"characters/{elsa.pk}/references"
    for who, status in (("viewer", 403), ("artist", 403), ("outsider", 404), ("anonymous", 401)):
        assert sent(client_of(who), "post", at, picture(colour="navy"), row_version=0).status_code == status
