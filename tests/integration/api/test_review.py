"""Notes, playlists, selections and verdicts over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.review.models import Playlist, ReviewNote, Take
from apps.review.services.noting import add_note
from apps.review.services.playlists import create_playlist
from tests.factories import ArtifactFactory, TakeFactory

STROKE = {"tool": "arrow", "colour": "#ff3b30", "width": 0.004, "points": [[0.1, 0.2], [0.3, 0.4]]}


@pytest.fixture
def takes(shots: list[Shot]) -> list[Take]:
    """Two clips of the first shot and one of the second."""
    told: dict[str, Any] = {"kind": "clip", "stage": "clip", "media_state": "ready"}
    return [TakeFactory.create(shot=shot, **told) for shot in (shots[0], shots[0], shots[1])]


def test_a_note_is_written_answered_resolved_and_filtered(coordinator: APIClient, takes: list[Take]) -> None:
    take = str(takes[0].pk)
    body = {"take": take, "text": "No lantern", "frame": 1005, "drawing": [STROKE]}
    made = coordinator.post("/api/v1/notes", body, format="json")
    assert made.status_code == 201
    note = made.json()
    assert (note["frame"], note["shot"], note["drawing"], note["mine"]) == (
        1005,
        "SQ010_SH0010",
        [STROKE],
        True,
    )
    answer = {"take": take, "text": "Right", "reply_to": note["id"]}
    assert coordinator.post("/api/v1/notes", answer, format="json").status_code == 201
    changed = coordinator.patch(
        f"/api/v1/notes/{note['id']}", {"text": "No lantern at all", "row_version": 0}, format="json"
    )
    assert (changed.status_code, changed.json()["text"]) == (200, "No lantern at all")
    done = coordinator.post(f"/api/v1/notes/{note['id']}/resolve", {}, format="json").json()
    assert done["resolved_at"]
    listed = coordinator.get("/api/v1/notes", {"take": take, "open": "true"}).json()["results"]
    assert [one["text"] for one in listed] == ["Right"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"frame": 3}, "frame"),
        ({"text": ""}, "text"),
        ({"drawing": [STROKE], "frame": None}, "frame"),
        ({"drawing": [{**STROKE, "tool": "spray"}], "frame": 1005}, "drawing[0].tool"),
        ({"take": "0194d3c2-0000-7000-8000-000000000000"}, "take"),
        ({"reply_to": "0194d3c2-0000-7000-8000-000000000000"}, "reply_to"),
        ({"playlist": "0194d3c2-0000-7000-8000-000000000000"}, "playlist"),
        ({"visibility": "all"}, "visibility"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_with_a_note_is_named(
    coordinator: APIClient, takes: list[Take], change: dict[str, Any], field: str
) -> None:
    body = {"take": str(takes[0].pk), "text": "x"} | change
    answer = coordinator.post("/api/v1/notes", body, format="json")
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not ReviewNote.objects.exists()


def test_a_take_is_selected_and_let_go(coordinator: APIClient, takes: list[Take]) -> None:
    for take in takes[:2]:
        told = coordinator.post(f"/api/v1/takes/{take.pk}/select", {}, format="json").json()
        assert (told["selected"], told["stage"]) == (True, "clip")
    listed = coordinator.get("/api/v1/takes", {"selected": "true"}).json()["results"]
    assert [take["id"] for take in listed] == [str(takes[1].pk)]
    back = coordinator.post(f"/api/v1/takes/{takes[1].pk}/select", {"selected": False}, format="json").json()
    assert not back["selected"]


def test_many_takes_get_one_verdict_and_each_refusal_is_told(
    coordinator: APIClient, takes: list[Take]
) -> None:
    Take.objects.filter(pk=takes[1].pk).update(media_state="broken")
    body: dict[str, Any] = {"takes": [str(take.pk) for take in takes], "to": "approved"}
    told = coordinator.post("/api/v1/takes/verdicts", body, format="json").json()
    assert (told["done"], len(told["refused"])) == (2, 1)
    again = coordinator.post("/api/v1/takes/verdicts", body | {"to": "retake"}, format="json").json()
    assert again["done"] == 0
    assert "a retake needs a reason" in again["refused"][0]
    stranger = TakeFactory.create()
    body["takes"].append(str(stranger.pk))
    assert coordinator.post("/api/v1/takes/verdicts", body, format="json").status_code == 400


def test_a_playlist_is_made_of_shots_ordered_copied_and_shared(
    coordinator: APIClient, takes: list[Take], people: dict[str, User]
) -> None:
    asked = {
        "project": "FROST",
        "name": "Monday",
        "shots": ["SQ010_SH0010", "SQ010_SH0020"],
        "stage": "clip",
    }
    made = coordinator.post("/api/v1/playlists", asked, format="json")
    assert made.status_code == 201
    url = f"/api/v1/playlists/{made.json()['id']}"
    keys = [item["take"] for item in made.json()["items"]]
    assert keys == [str(takes[1].pk), str(takes[2].pk)]
    added = coordinator.post(f"{url}/add", {"takes": [str(takes[0].pk), keys[0]]}, format="json").json()
    assert added["takes"] == 3
    order = [str(takes[0].pk), *reversed(keys)]
    told = coordinator.post(
        f"{url}/order", {"takes": order, "row_version": added["row_version"]}, format="json"
    )
    assert [item["take"] for item in told.json()["items"]] == order
    back = {"takes": order[::-1], "row_version": added["row_version"]}
    stale = coordinator.post(f"{url}/order", back, format="json")
    assert (stale.status_code, [one["field"] for one in stale.json()["changed"]]) == (409, ["takes"])
    unsaid = coordinator.post(f"{url}/order", {"takes": order[::-1]}, format="json")
    assert (unsaid.status_code, unsaid.json()["errors"][0]["field"]) == (400, "row_version")
    copy = coordinator.post(f"{url}/duplicate", {}, format="json")
    assert (copy.status_code, copy.json()["name"]) == (201, "Monday, copy")
    link = coordinator.post(f"{url}/links", {"days": 3, "password": "lantern"}, format="json").json()
    assert link["url"].startswith("http://testserver/client/") and link["has_password"]
    gone = coordinator.post(f"{url}/links/{link['id']}/revoke", format="json").json()
    assert (gone["open"], gone["revoked_by"]) == (False, people["coordinator"].username)
    assert coordinator.get(f"{url}/notes.csv")["Content-Type"].startswith("text/csv")
    wrong = coordinator.post("/api/v1/playlists", asked | {"shots": ["SQ010_SH9999"]}, format="json")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "shots")
    dailies = coordinator.post("/api/v1/playlists/dailies", {"project": "FROST"}, format="json").json()
    assert (dailies["new"], dailies["playlist"]["kind"]) == (3, "dailies")


def test_longer_answers_take_no_more_queries(
    coordinator: APIClient, takes: list[Take], film: Project, people: dict[str, User]
) -> None:
    user = people["coordinator"]

    def more() -> None:
        take = TakeFactory.create(shot=takes[0].shot, kind="clip", stage="clip", media_state="ready")
        ArtifactFactory.create(take=take)
        add_note(take, user=user, text="x", frame=1002)
        create_playlist(project=film, user=user, name="x", takes=[*takes, take])
        first = Playlist.objects.order_by("created_at").first()
        assert first is not None
        if not first.items.filter(take=take).exists():
            first.items.create(take=take, position=999)

    def counts() -> list[int]:
        one = Playlist.objects.order_by("created_at").values_list("pk", flat=True)[0]
        seen = []
        for address in ("notes", "playlists", f"playlists/{one}", f"playlists/{one}/notes.csv"):
            with CaptureQueriesContext(connection) as queries:
                assert coordinator.get(f"/api/v1/{address}").status_code == 200
            seen.append(len(queries))
        return seen

    more()
    counts()
    few = counts()
    for _once in range(4):
        more()
    assert counts() == few
