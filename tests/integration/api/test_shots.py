"""Sequences and shots over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.common import pages
from apps.common.models import StateEvent
from apps.presets.models import CinematicPreset
from apps.productions.models import Shot, ShotCharacter
from apps.projects.models import Project
from tests.factories import (
    CharacterFactory,
    CinematicPresetFactory,
    CostumeFactory,
    LocationFactory,
    PresetCategoryFactory,
    SequenceFactory,
    ShotCharacterFactory,
    ShotFactory,
    ShotPresetFactory,
)
from tests.integration.api.conftest import only_error, problem_of

SHOTS = "/api/v1/shots"


def codes(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["full_code"] for row in response.json()["results"]]


def change(client: APIClient, shot: Shot, **said: Any) -> Any:
    return client.patch(f"{SHOTS}/{shot.pk}", {"row_version": 0} | said)


def test_shots_are_listed_in_the_films_order(
    coordinator: APIClient, film: Project, shots: list[Shot]
) -> None:
    ShotFactory.create(sequence=SequenceFactory.create(project=film, code="SQ005", order=5), code="SH0010")
    assert codes(coordinator.get(SHOTS)) == ["SQ005_SH0010", "SQ010_SH0010", "SQ010_SH0020"]


def test_shots_are_found_by_project_sequence_status_and_words(
    coordinator: APIClient, film: Project, shots: list[Shot]
) -> None:
    other = SequenceFactory.create(project=film, code="SQ020", order=20)
    ShotFactory.create(
        sequence=other, code="SH0010", description="The ship leaves", description_ko="배가 떠난다"
    )
    assert codes(coordinator.get(SHOTS, {"sequence": "SQ020"})) == ["SQ020_SH0010"]
    assert codes(coordinator.get(SHOTS, {"status": "draft"})) == ["SQ020_SH0010"]
    assert codes(coordinator.get(SHOTS, {"search": "ship"})) == ["SQ020_SH0010"]
    assert codes(coordinator.get(SHOTS, {"search": "떠난다"})) == ["SQ020_SH0010"]
    assert codes(coordinator.get(SHOTS, {"project": "OTHER"})) == []


def test_a_filter_by_an_unknown_status_is_refused(coordinator: APIClient) -> None:
    response = coordinator.get(SHOTS, {"status": "lovely"})
    assert only_error(response, 400) == ("status", "lovely", "invalid_choice")


def test_pages_are_as_long_as_asked_and_never_longer_than_five_hundred(
    coordinator: APIClient, film: Project
) -> None:
    ShotFactory.create_batch(3, sequence=film.sequences.get())
    page = coordinator.get(SHOTS, {"limit": 2}).json()
    assert (page["count"], len(page["results"])) == (3, 2)
    rest = coordinator.get(page["next"]).json()
    assert (len(rest["results"]), rest["next"]) == (1, None)
    assert "limit=500" in coordinator.get(SHOTS, {"limit": 100_000, "offset": 1}).json()["previous"]


def test_a_list_is_the_same_when_what_lies_far_on_is_read_from_its_end(
    coordinator: APIClient, film: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "FAR_ON", 2)
    same_place = ShotFactory.create_batch(12, sequence=film.sequences.get(), order=7)
    whole = codes(coordinator.get(SHOTS))
    assert len(whole) == len(same_place)
    with CaptureQueriesContext(connection) as asked:
        for offset in range(len(whole) + 3):
            assert codes(coordinator.get(SHOTS, {"limit": 3, "offset": offset})) == whole[offset : offset + 3]
    backwards = [query["sql"] for query in asked if '"code" DESC' in query["sql"]]
    assert len(backwards) == 5  # those that begin at 7 … 11


def test_a_list_takes_as_many_queries_for_twenty_shots_as_for_two(
    coordinator: APIClient, film: Project
) -> None:
    def queries(more: int) -> int:
        for shot in ShotFactory.create_batch(more, sequence=film.sequences.get()):
            ShotCharacterFactory.create(shot=shot)
            ShotPresetFactory.create(shot=shot)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert coordinator.get(SHOTS).status_code == 200
        return len(asked)

    assert queries(2) == queries(18) <= 15  # three for the paths, one for the keys of the page


def test_a_shot_tells_who_is_in_it_and_how_it_is_framed(coordinator: APIClient, shots: list[Shot]) -> None:
    character = CharacterFactory.create(project=shots[0].project, code="CH0001")
    ShotCharacterFactory.create(shot=shots[0], character=character, action="waves", action_ko="손을 흔든다")
    preset = CinematicPreset.objects.select_related("category").earliest("order")
    ShotPresetFactory.create(shot=shots[0], preset=preset)
    body = coordinator.get(f"{SHOTS}/{shots[0].pk}").json()
    assert body["casting"] == [
        {
            "character": "CH0001",
            "action": "waves",
            "action_ko": "손을 흔든다",
            "costume": "",
            "costume_override": "",
            "costume_override_ko": "",
            "lora_weight": None,
        }
    ]
    assert body["presets"] == [f"{preset.category.slug}/{preset.slug}"]


def test_a_shot_is_created_with_the_next_code_its_cast_and_its_place(
    coordinator: APIClient, film: Project
) -> None:
    gerda = CharacterFactory.create(project=film, code="CH0001")
    CostumeFactory.create(character=gerda, name="Winter")
    response = coordinator.post(
        SHOTS,
        {
            "project": "FROST",
            "sequence": "SQ010",
            "description": "Gerda at the quay",
            "frames": 72,
            "location": "HARBOUR",
            "weather": "snow",
            "casting": [{"character": "CH0001", "costume": "Winter", "lora_weight": 0.7}],
        },
    )
    assert response.status_code == 201, response.content
    body = response.json()
    assert (body["full_code"], body["frames"], body["location"]) == ("SQ010_SH0010", 72, "HARBOUR")
    assert (body["casting"][0]["costume"], body["casting"][0]["lora_weight"]) == ("Winter", 0.7)
    assert response["ETag"] == '"0"'


def test_a_shot_with_a_wrong_cast_is_not_created_at_all(coordinator: APIClient, film: Project) -> None:
    CharacterFactory.create(code="CH0009")  # of another film
    response = coordinator.post(
        SHOTS, {"project": "FROST", "sequence": "SQ010", "casting": [{"character": "CH0009"}]}
    )
    assert only_error(response, 400) == ("casting[0].character", "CH0009", "unknown_character")
    assert not Shot.objects.exists()
    assert not StateEvent.objects.exists()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"sequence": "SQ990"}, ("sequence", "SQ990", "does_not_exist")),
        ({"project": "NOWHERE"}, ("project", "NOWHERE", "does_not_exist")),
        ({"frames": 0}, ("frames", "0", "min_value")),
        ({"code": "../SH1"}, ("code", "../SH1", "invalid_code")),
        ({"weather": "hail"}, ("weather", "hail", "invalid_choice")),
        ({"location": "MOON"}, ("location", "MOON", "does_not_exist")),
        ({"presets": ["shot_size/enormous"]}, ("presets[0]", "shot_size/enormous", "unknown_preset")),
    ],
)
def test_what_is_wrong_with_a_new_shot_is_named(
    coordinator: APIClient, film: Project, said: dict[str, Any], error: tuple[str, str, str]
) -> None:
    response = coordinator.post(SHOTS, {"project": "FROST", "sequence": "SQ010"} | said)
    assert only_error(response, 400) == error
    assert not Shot.objects.exists()


def test_a_change_replaces_the_cast_and_the_presets_and_raises_the_version(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    shot = shots[0]
    ShotCharacterFactory.create(shot=shot)
    CharacterFactory.create(project=shot.project, code="CHGERDA")
    preset = CinematicPresetFactory.create(category=PresetCategoryFactory.create(slug="mood"), slug="calm")
    response = change(
        coordinator, shot, casting=[{"character": "CHGERDA"}], presets=["mood/calm"], description="New"
    )
    body = response.json()
    assert [part["character"] for part in body["casting"]] == ["CHGERDA"]
    assert (body["presets"], body["description"], body["row_version"]) == (["mood/calm"], "New", 1)
    assert list(shot.presets.all()) == [preset]


def test_what_a_change_does_not_name_stays(coordinator: APIClient, shots: list[Shot]) -> None:
    ShotCharacterFactory.create(shot=shots[0])
    before = coordinator.get(f"{SHOTS}/{shots[0].pk}").json()
    after = change(coordinator, shots[0], frames=99).json()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"frames", "cut_out", "row_version", "updated_at"}


def test_a_change_based_on_an_old_reading_is_refused(coordinator: APIClient, shots: list[Shot]) -> None:
    assert change(coordinator, shots[0], frames=24).status_code == 200
    response = change(coordinator, shots[0], frames=96, casting=[])
    assert only_error(response, 409) == ("row_version", "0", "stale")
    assert Shot.objects.get(pk=shots[0].pk).frames == 24


def test_if_match_says_the_version_as_well(coordinator: APIClient, shots: list[Shot]) -> None:
    address = f"{SHOTS}/{shots[0].pk}"
    etag = coordinator.get(address)["ETag"]
    first = coordinator.patch(address, {"frames": 24}, HTTP_IF_MATCH=etag)
    assert (first.status_code, first["ETag"]) == (200, '"1"')
    problem_of(coordinator.patch(address, {"frames": 96}, HTTP_IF_MATCH=etag), 409)


def test_a_change_that_does_not_say_what_it_is_based_on_is_refused(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    response = coordinator.patch(f"{SHOTS}/{shots[0].pk}", {"frames": 24})
    assert only_error(response, 400) == ("row_version", "", "required")


def test_a_change_with_one_fault_changes_nothing(coordinator: APIClient, shots: list[Shot]) -> None:
    response = change(coordinator, shots[0], frames=24, presets=["no/such"])
    problem_of(response, 400)
    shot = Shot.objects.get(pk=shots[0].pk)
    assert (shot.frames, shot.row_version) == (48, 0)


def test_a_location_of_another_film_is_not_a_location(coordinator: APIClient, shots: list[Shot]) -> None:
    LocationFactory.create(code="ELSEWHERE")
    assert only_error(change(coordinator, shots[0], location="ELSEWHERE"), 400)[0] == "location"


def test_an_exclusive_category_gives_one_preset_per_shot(coordinator: APIClient, shots: list[Shot]) -> None:
    category = PresetCategoryFactory.create(slug="tempo", exclusive=True)
    CinematicPresetFactory.create(category=category, slug="slow")
    CinematicPresetFactory.create(category=category, slug="fast")
    response = change(coordinator, shots[0], presets=["tempo/slow", "tempo/fast"])
    assert only_error(response, 400) == ("presets[1]", "tempo/fast", "exclusive_preset")


def test_nobody_is_cast_twice(coordinator: APIClient, shots: list[Shot]) -> None:
    CharacterFactory.create(project=shots[0].project, code="CH0001")
    response = change(coordinator, shots[0], casting=[{"character": "CH0001"}, {"character": "CH0001"}])
    assert only_error(response, 400) == ("casting[1].character", "CH0001", "twice")


def test_who_is_in_the_archive_may_stay_in_a_shot_and_is_not_newly_cast(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    CharacterFactory.create(project=shots[0].project, code="CH0001", archived=True)
    CharacterFactory.create(project=shots[0].project, code="CH0002")
    ShotCharacter.objects.create(
        shot=shots[0],
        character=CharacterFactory.create(project=shots[0].project, code="CH0003", archived=True),
    )
    response = change(coordinator, shots[0], casting=[{"character": "CH0002"}, {"character": "CH0001"}])
    assert only_error(response, 400) == ("casting[1].character", "CH0001", "archived")
    kept = change(coordinator, shots[0], casting=[{"character": "CH0002"}, {"character": "CH0003"}])
    assert [part["character"] for part in kept.data["casting"]] == ["CH0002", "CH0003"]


def test_a_shot_moves_only_as_its_machine_allows(coordinator: APIClient, shots: list[Shot]) -> None:
    address = f"{SHOTS}/{shots[0].pk}/status"
    assert coordinator.post(address, {"to": "on_hold", "reason": "rain"}).json()["status"] == "on_hold"
    assert only_error(coordinator.post(address, {"to": "approved"}), 400) == (
        "status",
        "approved",
        "illegal_move",
    )
    assert StateEvent.objects.filter(subject=shots[0].pk, reason="rain").count() == 1


def test_a_sequence_is_created_with_the_next_code(coordinator: APIClient, film: Project) -> None:
    body = {"project": "FROST", "name": "The mirror", "name_ko": "거울"}
    first, second = (coordinator.post("/api/v1/sequences", body).json()["code"] for _ in range(2))
    assert first < second
    response = coordinator.post("/api/v1/sequences", body | {"code": first})
    problem_of(response, 400)


def test_a_locked_shot_is_changed_again_once_it_is_unlocked(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    address = f"{SHOTS}/{shots[0].pk}/lock"
    for _twice in range(2):
        locked = coordinator.post(address, {"locked": True}).json()
    assert (locked["locked_by"], locked["row_version"]) == ("coordinator", 1)
    refused = change(coordinator, shots[0], row_version=1, description="Kay falls")
    assert only_error(refused, 400)[2] == "locked"
    unlocked = coordinator.post(address, {"locked": False}).json()
    answer = change(coordinator, shots[0], row_version=unlocked["row_version"], description="Kay falls")
    assert answer.json()["description"] == "Kay falls"
