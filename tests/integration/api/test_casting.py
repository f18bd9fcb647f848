"""Many shots are cast at once: all or nothing, nobody's cast is lost, and it is taken back as one."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.characters.models import Character
from apps.ledger.models import Activity, Batch
from apps.productions.models import Shot, ShotCharacter
from apps.projects.models import Project
from tests.factories import CharacterFactory, CostumeFactory, SequenceFactory
from tests.integration.api.conftest import Client, only_error, problem_of

pytestmark = pytest.mark.django_db

CASTING = "/api/v1/shots/casting"


@pytest.fixture
def admin_too(client_of: Client) -> APIClient:
    """Somebody else, who plans the same film."""
    return client_of("admin")


@pytest.fixture
def elsa(film: Project) -> Character:
    """CH0001 Elsa, who owns a coat."""
    elsa: Character = CharacterFactory.create(project=film, code="CH0001", name="Elsa")
    CostumeFactory.create(character=elsa, name="coat")
    return elsa


@pytest.fixture
def kay(film: Project) -> Character:
    """CH0002 Kay."""
    kay: Character = CharacterFactory.create(project=film, code="CH0002", name="Kay")
    return kay


def cast(client: APIClient, *told: tuple[Shot, list[dict[str, Any]]]) -> Any:
    shots = [{"id": str(shot.pk), "row_version": shot.row_version, "casting": parts} for shot, parts in told]
    return client.post(CASTING, {"project": "FROST", "shots": shots})


def who(shot: Shot) -> list[tuple[str, str, str, float | None]]:
    rows = ShotCharacter.objects.filter(shot=shot).order_by("order")
    return [
        (one.character.code, one.costume.name if one.costume else "", one.action, one.lora_weight)
        for one in rows
    ]


def test_many_shots_are_cast_as_one_batch_and_taken_back_as_one(
    coordinator: APIClient, shots: list[Shot], elsa: Character, kay: Character
) -> None:
    worn = {"character": "CH0001", "costume": "coat", "action": "runs", "lora_weight": 0.5}
    done = cast(coordinator, (shots[0], [{"character": "CH0002"}, worn]), (shots[1], [worn]))
    assert done.status_code == 200, done.content
    assert who(shots[0]) == [("CH0002", "", "", None), ("CH0001", "coat", "runs", 0.5)]
    assert who(shots[1]) == [("CH0001", "coat", "runs", 0.5)]
    told = [(one["full_code"], one["row_version"]) for one in done.data["changed"]]
    assert told == [("SQ010_SH0010", 1), ("SQ010_SH0020", 1)]
    assert Activity.objects.filter(batch=done.data["batch"]).count() == 2

    read = coordinator.get(CASTING, {"project": "FROST", "sequence": "SQ010"}).data["results"]
    assert [one["row_version"] for one in read] == [1, 1]
    assert [part["character"] for part in read[0]["casting"]] == ["CH0002", "CH0001"]

    undone = coordinator.post(f"/api/v1/bulk-changes/{done.data['batch']}/undo", {})
    assert undone.data["changed"] == 2
    assert (who(shots[0]), who(shots[1])) == ([], [])


def test_who_is_in_the_archive_stays_where_cast_and_comes_into_no_other_shot(
    coordinator: APIClient, shots: list[Shot], elsa: Character
) -> None:
    cast(coordinator, (shots[0], [{"character": "CH0001"}]))
    shots[0].refresh_from_db()
    Character.objects.filter(pk=elsa.pk).update(archived=True)
    again = [{"character": "CH0001", "action": "sleeps"}]
    refused = cast(coordinator, (shots[0], again), (shots[1], again))
    assert only_error(refused, 400) == ("shots[1].casting[0].character", "CH0001", "archived")
    assert (who(shots[0]), who(shots[1])) == ([("CH0001", "", "", None)], [])
    assert cast(coordinator, (shots[0], again)).status_code == 200
    assert who(shots[0]) == [("CH0001", "", "sleeps", None)]


def test_a_cast_is_changed_in_its_order_and_the_same_again_is_no_change(
    coordinator: APIClient, shots: list[Shot], elsa: Character, kay: Character
) -> None:
    both = [{"character": "CH0001"}, {"character": "CH0002"}]
    cast(coordinator, (shots[0], both))
    shots[0].refresh_from_db()
    turned = cast(coordinator, (shots[0], both[::-1]))
    assert [code for code, *_more in who(shots[0])] == ["CH0002", "CH0001"]
    assert turned.data["changed"][0]["row_version"] == 2
    shots[0].refresh_from_db()
    same = cast(coordinator, (shots[0], both[::-1]))
    assert (same.data["batch"], same.data["unchanged"], Batch.objects.count()) == (None, 1, 2)


def test_a_cast_that_somebody_changed_meanwhile_is_refused_with_who_it_was_and_nothing_is_written(
    admin_too: APIClient, coordinator: APIClient, shots: list[Shot], elsa: Character, kay: Character
) -> None:
    assert cast(admin_too, (shots[1], [{"character": "CH0002"}])).status_code == 200
    late = cast(coordinator, (shots[0], [{"character": "CH0001"}]), (shots[1], [{"character": "CH0001"}]))
    (error,) = problem_of(late, 409)["errors"]
    assert (error["field"], error["code"]) == ("shots[1].row_version", "stale")
    assert error["message"].startswith("admin changed the cast of SQ010_SH0020 on ")
    assert (who(shots[0]), [code for code, *_more in who(shots[1])]) == ([], ["CH0002"])


def test_what_else_was_changed_of_a_shot_meanwhile_is_no_conflict(
    coordinator: APIClient, admin_too: APIClient, shots: list[Shot], elsa: Character
) -> None:
    told = {"description": "Dusk.", "row_version": 0}
    assert admin_too.patch(f"/api/v1/shots/{shots[0].pk}", told).status_code == 200
    assert cast(coordinator, (shots[0], [{"character": "CH0001"}])).status_code == 200
    assert Shot.objects.get(pk=shots[0].pk).description == "Dusk."
    assert only_error(cast(coordinator, (Shot(pk=shots[0].pk, row_version=9), [])), 409)[2] == "stale"


def test_a_locked_shot_refuses_and_the_others_stay_as_they_are(
    coordinator: APIClient, shots: list[Shot], elsa: Character
) -> None:
    Shot.objects.filter(pk=shots[1].pk).update(locked_by="bora", locked_at="2026-01-01T00:00Z")
    refused = cast(coordinator, (shots[0], [{"character": "CH0001"}]), (shots[1], []))
    assert only_error(refused, 400) == ("shots[1]", "SQ010_SH0020", "locked")
    assert who(shots[0]) == []


@pytest.mark.parametrize(
    ("part", "field", "code"),
    (
        ({"character": "CH9"}, "shots[0].casting[1].character", "unknown_character"),
        ({"character": "CH0001"}, "shots[0].casting[1].character", "twice"),
        ({"character": "CH0002", "costume": "coat"}, "shots[0].casting[1].costume", "unknown_costume"),
        ({"character": "CH0002", "lora_weight": 2.5}, "shots[0].casting[1].lora_weight", "max_value"),
    ),
)
def test_what_is_wrong_is_named_by_its_place(
    coordinator: APIClient,
    shots: list[Shot],
    elsa: Character,
    kay: Character,
    part: dict[str, Any],
    field: str,
    code: str,
) -> None:
    refused = cast(coordinator, (shots[0], [{"character": "CH0001"}, part]))
    assert only_error(refused, 400)[::2] == (field, code)
    assert who(shots[0]) == []


def test_an_artist_casts_the_own_shots_only(
    client_of: Client, shots: list[Shot], people: dict[str, Any], elsa: Character
) -> None:
    shots[0].assignees.add(people["artist"])
    artist, part = client_of("artist"), [{"character": "CH0001"}]
    assert cast(artist, (shots[0], part), (shots[1], part)).status_code == 403
    assert cast(artist, (shots[0], part)).status_code == 200
    assert cast(client_of("viewer"), (shots[0], [])).status_code == 403


def test_many_shots_take_as_many_questions_as_two(
    coordinator: APIClient, film: Project, shots: list[Shot]
) -> None:
    people = [CharacterFactory.create(project=film, code=f"CH{n:04}") for n in range(4)]
    everybody = [{"character": one.code} for one in people]

    def questions(some: list[Shot]) -> int:
        """What is asked; rows are written a batch at a time, so their statements are not counted."""
        with CaptureQueriesContext(connection) as seen:
            assert cast(coordinator, *((shot, everybody) for shot in some)).status_code == 200
        return sum(not one["sql"].startswith("INSERT") for one in seen.captured_queries)

    few = questions(shots)
    sequence = SequenceFactory.create(project=film, code="SQ020")
    many = [
        Shot(project=film, sequence=sequence, code=f"SH{n:04}", order=n, status_id="ready") for n in range(60)
    ]
    assert questions(Shot.objects.bulk_create(many)) == few
    assert ShotCharacter.objects.filter(shot__sequence=sequence).count() == 240
