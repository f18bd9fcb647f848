"""Changing the plan over HTTP: nobody's change is lost, everything can be read again, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.characters.models import Character
from apps.ledger.models import Batch
from apps.productions.models import Location, Sequence, Shot, ShotCharacter
from apps.productions.rendering import shot_has_take, shots_are_rendering
from apps.productions.verdicts import count_retake
from apps.projects.models import Membership, Project
from tests.factories import (
    CharacterFactory,
    CharacterLoraFactory,
    CostumeFactory,
    LocationFactory,
    ShotCharacterFactory,
    TakeFactory,
    UserFactory,
)
from tests.integration.api.conftest import Client, only_error, problem_of

pytestmark = pytest.mark.django_db

API = "/api/v1"


@pytest.fixture
def admin(client_of: Client) -> APIClient:
    """The admin's client."""
    return client_of("admin")


def bulk(client: APIClient, shots: list[Shot], *, preview: bool = False, **values: Any) -> Any:
    named = [{"id": str(shot.pk), "row_version": shot.row_version} for shot in shots]
    body = {"project": "FROST", "shots": named, "set": values, "preview": preview}
    return client.post(f"{API}/shots/bulk-update", body)


def test_a_project_is_opened_by_who_may_and_whoever_opens_it_is_its_admin(
    admin: APIClient,
) -> None:
    root, body = APIClient(), {"code": "THAW", "name": "Thaw", "fps": "23.976", "handles": 4}
    root.force_authenticate(UserFactory.create(is_superuser=True))
    assert admin.post(f"{API}/projects", body).status_code == 403
    assert only_error(root.post(f"{API}/projects", body | {"fps": "fast"}), 400)[0] == "fps"
    assert only_error(root.post(f"{API}/projects", body | {"code": "FROST"}), 400)[0] == "code"
    made = root.post(f"{API}/projects", body)
    assert made.status_code == 201, made.content
    told = {name: made.data[name] for name in ("code", "name", "frame_rate", "handles", "role")}
    assert told == {"code": "THAW", "name": "Thaw", "frame_rate": "24000/1001", "handles": 4, "role": "admin"}
    assert Project.objects.get(code="THAW").memberships.get().user.is_superuser


def test_project_settings_are_set_by_its_admin_with_an_exact_frame_rate(
    admin: APIClient, coordinator: APIClient, film: Project
) -> None:
    address = f"{API}/projects/FROST"
    version = admin.get(address)["ETag"]
    changed = admin.patch(address, {"fps": "23.976", "handles": 8, "name": "Frost II"}, HTTP_IF_MATCH=version)
    assert changed.status_code == 200, changed.content
    assert (changed.data["frame_rate"], changed.data["handles"]) == ("24000/1001", 8)
    assert only_error(admin.patch(address, {"fps": "fast", "row_version": 1}), 400)[0] == "fps"
    assert coordinator.patch(address, {"handles": 4, "row_version": 1}).status_code == 403
    assert admin.delete(address).status_code == 405

    stale = problem_of(admin.patch(address, {"handles": 2, "row_version": 0}), 409)
    told = {one["field"]: one for one in stale["changed"]}
    assert (stale["row_version"], set(told)) == (1, {"fps", "handles", "name"})
    assert (told["fps"]["was"], told["fps"]["now"], told["fps"]["by"]) == ("24", "24000/1001", "admin")


def test_a_stale_change_hears_of_a_status_that_moved_and_of_who_moved_it(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    address = f"{API}/shots/{shots[0].pk}"

    def told(version: int) -> list[tuple[Any, ...]]:
        stale = problem_of(coordinator.patch(address, {"notes": "wider", "row_version": version}), 409)
        assert {one["field"] for one in stale["changed"]} <= {"status", "retake_count"}
        return [(one["field"], one["was"], one["now"], one["by"]) for one in stale["changed"]]

    shots_are_rendering(shots, actor="alice")  # by an automation
    assert told(0) == [("status", "ready", "in_progress", "alice")]
    shot_has_take(shots[0], actor="node1")
    assert told(0) == [("status", "ready", "review", "node1")]
    assert told(1) == [("status", "in_progress", "review", "node1")]
    count_retake(shots[0].pk, actor="bob")
    assert told(2) == [("retake_count", 0, 1, "bob")]
    moved = coordinator.post(f"{address}/status", {"to": "on_hold"})
    assert [(field, was, now) for field, was, now, _by in told(3)] == [("status", "review", "on_hold")]
    assert moved.data["row_version"] == 4


def test_what_shots_stand_in_is_made_changed_and_deleted(
    admin: APIClient, coordinator: APIClient, shots: list[Shot]
) -> None:
    made = coordinator.post(f"{API}/locations", {"project": "FROST", "code": "QUAY", "name": "The quay"})
    assert made.status_code == 201, made.content
    address = f"{API}/locations/{made.data['id']}"
    changed = coordinator.patch(address, {"prompt": "an icy quay", "row_version": 0})
    assert (changed.data["prompt"], changed["ETag"]) == ("an icy quay", '"1"')
    assert only_error(coordinator.patch(address, {"prompt": "a quay"}), 400)[0] == "row_version"
    assert only_error(coordinator.patch(address, {"code": "bad code", "row_version": 1}), 400)[0] == "code"
    assert coordinator.delete(address, {"row_version": 1}).status_code == 403
    assert admin.delete(address, {"row_version": 1}).status_code == 204
    assert not Location.objects.filter(code="QUAY").exists()

    episode = coordinator.post(f"{API}/episodes", {"project": "FROST", "name": "One"})
    sequence = f"{API}/sequences/{Sequence.objects.get(code='SQ010').pk}"
    moved = coordinator.patch(sequence, {"episode": episode.data["code"], "row_version": 0})
    assert moved.data["episode"] == "EP01"
    refused = problem_of(admin.delete(sequence, {"row_version": 1}), 400)
    assert "2 shots" in refused["errors"][0]["message"]
    assert Sequence.objects.get(code="SQ010").row_version == 1


def test_a_character_that_is_cast_goes_to_the_archive_and_one_that_is_not_goes(
    admin: APIClient, coordinator: APIClient, shots: list[Shot]
) -> None:
    made = coordinator.post(f"{API}/characters", {"project": "FROST", "name": "Elsa"}).data
    address = f"{API}/characters/{made['id']}"
    body = {
        "row_version": 0,
        "costumes": [{"name": "Cloak", "prompt": "a red cloak"}, {"name": "Boots", "prompt": "boots"}],
        "loras": [{"base_model": "flux", "file": "elsa.safetensors", "trigger_words": ["elsa_v2"]}],
        "default_costume": "Cloak",
    }
    changed = coordinator.patch(address, body)
    assert changed.status_code == 200, changed.content
    assert changed.data["default_costume"] == "Cloak"
    assert [one["trigger_words"] for one in changed.data["loras"]] == [["elsa_v2"]]
    wrong = coordinator.patch(address, {"row_version": 1, "default_costume": "Crown"})
    assert "there is none of this name" in problem_of(wrong, 400)["detail"]

    shots[0].casting.create(character=Character.objects.get(pk=made["id"]))
    archived = admin.delete(address, {"row_version": 1})
    assert (archived.status_code, archived.data["archived"]) == (200, True)
    other = CharacterFactory.create(project=shots[0].project, code="CH0999")
    assert admin.delete(f"{API}/characters/{other.pk}", {"row_version": 0}).status_code == 204


def test_a_shot_of_which_something_was_made_is_not_deleted(admin: APIClient, shots: list[Shot]) -> None:
    one, two = shots
    TakeFactory.create(shot=one)
    told = problem_of(admin.delete(f"{API}/shots/{one.pk}", {"row_version": 0}), 400)
    assert "1 take" in told["errors"][0]["message"]
    assert admin.delete(f"{API}/shots/{two.pk}", {"row_version": 0}).status_code == 204
    assert list(Shot.objects.all()) == [one]


def test_history_is_read_and_a_version_restored(coordinator: APIClient, shots: list[Shot]) -> None:
    address = f"{API}/shots/{shots[0].pk}"
    coordinator.patch(address, {"frames": 24, "row_version": 0})
    coordinator.patch(address, {"frames": 96, "notes": "ask", "row_version": 1})
    newest, first = coordinator.get(f"{address}/history").data["results"]
    assert newest["changes"]["notes"] == ["", "ask"]
    assert (newest["actor"], newest["verb"], newest["version"]) == ("coordinator", "changed", 2)
    back = coordinator.post(f"{address}/history/{first['id']}/restore")
    assert (back.data["frames"], back.data["notes"]) == (24, "")
    assert coordinator.post(f"{address}/history/999999/restore").status_code == 404


def test_an_artist_restores_a_shot_but_not_who_works_on_it(
    coordinator: APIClient, client_of: Client, shots: list[Shot], people: dict[str, User]
) -> None:
    address = f"{API}/shots/{shots[0].pk}"
    names = [["artist", "supervisor"], ["artist"]]
    shots[0].assignees.set([people["artist"]])
    for frames, assigned in zip((24, 96), names, strict=True):
        shot = Shot.objects.get(pk=shots[0].pk)
        assert bulk(coordinator, [shot], frames=frames, assignees=assigned).status_code == 200
    first = coordinator.get(f"{address}/history").data["results"][-1]
    back = client_of("artist").post(f"{address}/history/{first['id']}/restore")
    assert (back.status_code, back.data["frames"], back.data["assignees"]) == (200, 24, ["artist"])
    back = coordinator.post(f"{address}/history/{first['id']}/restore")
    assert sorted(back.data["assignees"]) == names[0]


def test_what_is_put_back_assigns_nobody_who_left_the_project_meanwhile(
    coordinator: APIClient, shots: list[Shot], people: dict[str, User]
) -> None:
    address = f"{API}/shots/{shots[0].pk}"
    for assigned in (["artist", "supervisor"], ["artist"], []):
        shot = Shot.objects.get(pk=shots[0].pk)
        assert bulk(coordinator, [shot], assignees=assigned).status_code == 200
    Membership.objects.get(project=shots[0].project, user=people["supervisor"]).delete()
    newest, _second, first = coordinator.get(f"{address}/history").data["results"]
    assert sorted(first["changes"]["assignees"][1]) == ["artist", "supervisor"]
    back = coordinator.post(f"{address}/history/{first['id']}/restore")
    assert (back.status_code, back.data["assignees"]) == (200, ["artist"])
    restored = coordinator.get(f"{address}/history").data["results"][0]
    assert restored["id"] != newest["id"]
    assert restored["changes"] == {"assignees": [[], ["artist"]]}


def test_many_shots_are_changed_as_one_and_taken_back_as_one(
    admin: APIClient, coordinator: APIClient, shots: list[Shot], people: dict[str, User]
) -> None:
    LocationFactory.create(project=shots[0].project, code="FJORD")
    seen = bulk(coordinator, shots, preview=True, location="FJORD", weather="snow", assignees=["artist"])
    assert seen.status_code == 200, seen.content
    assert seen.data["batch"] is None
    assert [one["full_code"] for one in seen.data["changed"]] == ["SQ010_SH0010", "SQ010_SH0020"]
    assert seen.data["changed"][0]["changes"]["weather"][1] == "snow"
    assert not Batch.objects.exists()
    assert not Shot.objects.filter(weather="snow").exists()

    done = bulk(coordinator, shots, location="FJORD", weather="snow", assignees=["artist"])
    assert set(Shot.objects.values_list("location__code", "weather", "assignees__username")) == {
        ("FJORD", "snow", "artist")
    }
    listed = coordinator.get(f"{API}/bulk-changes?project=FROST").data["results"]
    assert [one["id"] for one in listed] == [done.data["batch"]]

    undo = f"{API}/bulk-changes/{done.data['batch']}/undo"
    assert coordinator.get(undo).data == {"batch": None, "changed": 2, "left": []}
    taken = admin.post(undo, {})  # the admin of the project may, too
    assert taken.data["changed"] == 2
    assert not Shot.objects.filter(weather="snow").exists()
    assert only_error(coordinator.post(undo, {}), 409)[2] == "undone"


def test_a_bulk_change_is_all_or_nothing(
    client_of: Client, coordinator: APIClient, shots: list[Shot]
) -> None:
    coordinator.patch(f"{API}/shots/{shots[1].pk}", {"frames": 24, "row_version": 0})
    assert only_error(bulk(coordinator, shots, weather="snow"), 409)[2] == "stale"
    shots[1].refresh_from_db()
    unknown = problem_of(bulk(coordinator, shots, location="NOWHERE"), 400)["errors"]
    assert {error["value"] for error in unknown} == {"NOWHERE"}
    assert problem_of(bulk(coordinator, shots, code="SH1"), 400)["errors"][0]["field"] == "set.code"
    assert bulk(client_of("artist"), shots, weather="snow").status_code == 403
    assert not Shot.objects.filter(weather="snow").exists()


def test_shots_are_put_in_another_order(coordinator: APIClient, shots: list[Shot]) -> None:
    order = [str(shots[1].pk), str(shots[0].pk)]
    body = {"project": "FROST", "sequence": "SQ010", "shots": order}
    done = coordinator.post(f"{API}/shots/reorder", body)
    assert done.status_code == 200, done.content
    assert list(Shot.objects.order_by("order").values_list("code", "order")) == [
        ("SH0020", 10),
        ("SH0010", 20),
    ]
    assert coordinator.post(f"{API}/shots/reorder", body).data == {"batch": None}
    again = coordinator.post(f"{API}/shots/reorder", body | {"shots": [order[0], order[0]]})
    assert only_error(again, 400)[2] == "twice"


def test_an_order_that_another_person_changed_meanwhile_is_not_changed(
    client_of: Client, coordinator: APIClient, shots: list[Shot]
) -> None:
    first, second = (str(shot.pk) for shot in shots)
    body = {"project": "FROST", "sequence": "SQ010", "shots": [second, first], "before": [first, second]}
    assert client_of("admin").post(f"{API}/shots/reorder", body).status_code == 200
    stale = coordinator.post(f"{API}/shots/reorder", body)
    assert only_error(stale, 409)[2] == "stale"
    assert "admin put these shots in another order" in str(stale.json())
    others = coordinator.post(f"{API}/shots/reorder", body | {"before": [first]})
    assert only_error(others, 400)[2] == "other_shots"
    back = body | {"shots": [first, second], "before": [second, first]}
    assert coordinator.post(f"{API}/shots/reorder", back).status_code == 200


def test_activity_is_filtered_and_is_nobody_elses(
    client_of: Client, coordinator: APIClient, shots: list[Shot]
) -> None:
    coordinator.patch(f"{API}/shots/{shots[0].pk}", {"frames": 24, "row_version": 0})
    CostumeFactory.create()
    found = coordinator.get(f"{API}/activity?project=FROST&kind=shot&actor=coordinator&verb=changed")
    assert [one["label"] for one in found.data["results"]] == ["SQ010_SH0010"]
    assert coordinator.get(f"{API}/activity?project=FROST&verb=deleted").data["results"] == []
    assert only_error(coordinator.get(f"{API}/activity?who=me"), 400)[0] == "who"
    assert client_of("outsider").get(f"{API}/activity").status_code == 403


def test_a_costume_that_shots_wear_goes_only_when_that_is_said_and_comes_back_with_them(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    coat = CostumeFactory.create(name="coat", character__project=shots[0].project)
    CostumeFactory.create(name="dress", character=coat.character)
    for shot in shots:
        ShotCharacter.objects.create(shot=shot, character=coat.character, costume=coat, action="runs")
    at = f"{API}/characters/{coat.character_id}"
    without = {"costumes": [{"name": "dress", "prompt": "a dress"}], "row_version": 0}
    refused = problem_of(coordinator.patch(at, without), 409)["errors"]
    assert [(one["field"], one["value"], one["code"]) for one in refused] == [("costumes", "coat", "worn")]
    assert refused[0]["message"] == "2 shots wear it: SQ010_SH0010, SQ010_SH0020"
    assert ShotCharacter.objects.filter(costume=coat).count() == 2

    assert coordinator.patch(at, without | {"undress": True}).status_code == 200
    assert ShotCharacter.objects.filter(costume=None).count() == 2
    batch = Batch.objects.get()
    said = {activity.label: activity.changes for activity in batch.activities.all()}
    assert set(said) == {coat.character.code, "SQ010_SH0010", "SQ010_SH0020"}
    (before,), (after,) = said["SQ010_SH0010"]["casting"]
    assert (before["costume"], after["costume"], after["action"]) == ("coat", None, "runs")
    assert [shot.row_version for shot in Shot.objects.order_by("code")] == [1, 1]

    assert coordinator.post(f"{API}/bulk-changes/{batch.pk}/undo", {}).status_code == 200
    assert ShotCharacter.objects.filter(costume__name="coat").count() == 2


def test_a_costume_of_a_locked_shot_stays(coordinator: APIClient, shots: list[Shot]) -> None:
    coat = CostumeFactory.create(name="coat", character__project=shots[0].project)
    ShotCharacter.objects.create(shot=shots[0], character=coat.character, costume=coat)
    assert coordinator.post(f"{API}/shots/{shots[0].pk}/lock", {"locked": True}).status_code == 200
    at = f"{API}/characters/{coat.character_id}"
    told = {"costumes": [], "row_version": 0, "undress": True}
    assert only_error(coordinator.patch(at, told), 400)[2] == "locked"
    assert ShotCharacter.objects.get().costume == coat


def test_what_was_deleted_is_made_again_as_it_was_with_all_that_belonged_to_it(
    client_of: Client, shots: list[Shot]
) -> None:
    admin, coordinator = client_of("admin"), client_of("coordinator")
    shot = shots[0]
    character = CharacterFactory.create(project=shot.project, code="CH0001", use_lora=True)
    CharacterLoraFactory.create(character=character)
    worn = CostumeFactory.create(character=character, name="Winter")
    ShotCharacterFactory.create(shot=shot, character=character, costume=worn, costume_override="a cape")
    both = (f"{API}/shots/{shot.pk}", f"{API}/characters/{character.pk}")
    stood = {at: admin.get(at).json() for at in both}
    for at in stood:
        assert admin.delete(at, {"row_version": 0}).status_code == 204
    gone = admin.get(f"{API}/activity", {"verb": "deleted"}).json()["results"]
    assert [one["label"] for one in gone] == [character.code, shot.full_code]
    again = [f"{API}/activity/{one['id']}/restore" for one in gone]
    lacks = problem_of(coordinator.post(again[1]), 400)["errors"]
    assert [one["value"] for one in lacks] == ["CH0001", "Winter"]  # the cast comes before its shot
    assert client_of("artist").post(again[0]).status_code == 403
    assert client_of("outsider").post(again[0]).status_code == 403
    for one in again:
        assert coordinator.post(one).json()["verb"] == "created"
    for at, was in stood.items():
        now = admin.get(at).json()
        assert now.pop("row_version") > was.pop("row_version")
        assert {**now, "created_at": "", "updated_at": ""} == {**was, "created_at": "", "updated_at": ""}
    assert only_error(coordinator.post(again[0]), 409)[2] == "there"


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"costumes": [{"name": "A", "prompt": "x"}] * 2}, ("costumes[1].name", "A", "twice")),
        (
            {"loras": [{"base_model": "flux", "file": "a.safetensors"}] * 2},
            ("loras[1].file", "a.safetensors", "twice"),
        ),
    ],
)
def test_what_a_character_has_twice_is_named(
    coordinator: APIClient, film: Project, said: dict[str, Any], error: tuple[str, str, str]
) -> None:
    gerda = CharacterFactory.create(project=film)
    answer = coordinator.patch(f"{API}/characters/{gerda.pk}", {"row_version": 0} | said)
    assert only_error(answer, 400) == error
