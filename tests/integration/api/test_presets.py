"""The preset library over HTTP: own rows, overrides, looks, rules, files, and presets for many shots."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.ledger.models import Activity
from apps.presets.models import CinematicPreset, Look, PresetCategory, PresetOverride, PresetRule
from apps.productions.models import Location, Shot
from apps.projects.models import Project
from tests.factories import (
    CinematicPresetFactory,
    ProjectFactory,
    ShotFactory,
    ShotPresetFactory,
    UserFactory,
)
from tests.integration.api.conftest import Client, problem_of

pytestmark = pytest.mark.django_db

PRESETS = "/api/v1/presets"
LOOKS = "/api/v1/looks"
RULES = "/api/v1/preset-rules"
APPLY = "/api/v1/shots/apply-presets"
FOG = {"category": "weather", "slug": "harbour-fog", "name": "Harbour fog", "prompt_fragment": "harbour fog"}


@pytest.fixture
def root(db: None) -> APIClient:
    """Whoever may change the studio's library."""
    client = APIClient()
    client.force_authenticate(UserFactory.create(is_superuser=True))
    return client


def preset(ref: str) -> CinematicPreset:
    category, slug = ref.split("/")
    return CinematicPreset.objects.select_related("category").get(category__slug=category, slug=slug)


def refs(shot: Shot) -> list[str]:
    rows = shot.shot_presets.select_related("preset__category").order_by("order")
    return [row.preset.ref for row in rows]


def codes(response: Any, status: int = 400) -> set[str]:
    return {error["code"] for error in problem_of(response, status)["errors"]}


def test_a_preset_is_made_changed_archived_and_deleted(coordinator: APIClient, film: Project) -> None:
    made = coordinator.post(PRESETS, FOG | {"project": "FROST"})
    assert made.status_code == 201, made.json()
    assert (made.json()["ref"], made.json()["project"]) == ("weather/harbour-fog", "FROST")
    at = f"{PRESETS}/{made.json()['id']}"
    assert codes(coordinator.patch(at, {"name": "Sea fog"})) == {"required"}
    changed = coordinator.patch(at, {"name": "Sea fog"}, HTTP_IF_MATCH=made["ETag"])
    assert (changed.json()["name"], changed["ETag"]) == ("Sea fog", '"1"')
    assert codes(coordinator.patch(at, {"name": "x", "row_version": 0}), 409) == {"stale"}

    assert coordinator.post(f"{at}/archive").json()["archived"] is True
    assert made.json()["id"] not in [row["id"] for row in coordinator.get(PRESETS).json()["results"]]
    archived = coordinator.get(PRESETS, {"archived": "true"}).json()["results"]
    assert [row["id"] for row in archived] == [made.json()["id"]]
    assert coordinator.post(f"{at}/restore").json()["archived"] is False
    assert codes(coordinator.delete(at)) == {"required"}
    assert codes(coordinator.delete(at, {"row_version": 1}), 409) == {"stale"}
    assert coordinator.delete(at, {"row_version": 3}).status_code == 204
    verbs = Activity.objects.filter(kind="preset", object_id=made.json()["id"]).order_by("pk")
    assert list(verbs.values_list("verb", flat=True)) == [
        "created",
        "changed",
        "archived",
        "revived",
        "deleted",
    ]


def test_what_is_used_or_shipped_is_archived_not_deleted(root: APIClient, shots: list[Shot]) -> None:
    used = CinematicPresetFactory.create()
    ShotPresetFactory.create(shot=shots[0], preset=used)
    assert codes(root.delete(f"{PRESETS}/{used.pk}", {"row_version": 0}), 409) == {"in_use"}
    assert codes(root.delete(f"{PRESETS}/{preset('mood/tense').pk}", {"row_version": 0})) == {"shipped"}


@pytest.mark.parametrize(
    ("body", "code"),
    (
        ({"category": "nonesuch"}, "unknown_category"),
        ({"slug": "fog"}, "taken"),
        ({"prompt_fragment": ""}, "invalid"),
        ({"channel": "smell"}, "invalid_choice"),
        ({"nonesuch": 1}, "unknown_field"),
    ),
)
def test_a_wrong_preset_is_refused_by_name(
    coordinator: APIClient, film: Project, body: dict[str, Any], code: str
) -> None:
    assert codes(coordinator.post(PRESETS, FOG | {"project": "FROST"} | body)) == {code}
    assert not CinematicPreset.objects.filter(slug="harbour-fog").exists()


def test_unknown_presets_are_not_found(coordinator: APIClient) -> None:
    problem_of(coordinator.get(f"{PRESETS}/00000000-0000-7000-8000-000000000000"), 404)


def test_the_studios_rows_take_djangos_permission_and_a_films_the_right_to_plan(
    client_of: Client, root: APIClient, film: Project
) -> None:
    assert client_of("coordinator").post(PRESETS, FOG).status_code == 403
    assert client_of("artist").post(PRESETS, FOG | {"project": "FROST"}).status_code == 403
    assert client_of("outsider").post(PRESETS, FOG | {"project": "FROST"}).status_code == 403
    assert (
        client_of("coordinator")
        .patch(f"{PRESETS}/{preset('mood/tense').pk}", {"name": "x", "row_version": 0})
        .status_code
        == 403
    )
    assert root.post(PRESETS, FOG).json()["project"] is None


def test_no_film_sees_what_another_has_or_says(client_of: Client, film: Project, root: APIClient) -> None:
    other = ProjectFactory.create(code="OTHER")
    theirs = CinematicPresetFactory.create(project=other)
    assert client_of("coordinator").get(f"{PRESETS}/{theirs.pk}").status_code == 404
    PresetOverride.objects.create(project=other, preset=preset("mood/tense"), prompt_fragment="theirs")
    tense = (
        client_of("coordinator").get(PRESETS, {"project": "FROST", "category": "mood"}).json()["results"][0]
    )
    assert tense["prompt_fragment"] != "theirs"
    there = root.get(PRESETS, {"project": "OTHER", "category": "mood"}).json()["results"][0]
    assert there["prompt_fragment"] == "theirs"


def test_a_film_says_something_else_hides_and_takes_it_back(coordinator: APIClient, film: Project) -> None:
    at = f"{PRESETS}/{preset('mood/tense').pk}/override"
    said = coordinator.put(at, {"project": "FROST", "prompt_fragment": "breath held"})
    assert (said.status_code, said.json()["preset"]) == (200, "mood/tense")

    def moods() -> dict[str, str]:
        rows = coordinator.get(PRESETS, {"project": "FROST", "category": "mood"}).json()["results"]
        return {row["slug"]: row["prompt_fragment"] for row in rows}

    assert moods()["tense"] == "breath held"
    assert codes(coordinator.put(at, {"project": "FROST", "hidden": True})) == {"required"}
    coordinator.put(at, {"project": "FROST", "hidden": True, "row_version": 0})
    assert "tense" not in moods()
    assert codes(coordinator.delete(f"{at}?project=FROST")) == {"required"}
    assert codes(coordinator.delete(f"{at}?project=FROST", {"row_version": 0}), 409) == {"stale"}
    assert coordinator.delete(f"{at}?project=FROST", {"row_version": 1}).status_code == 204
    assert moods()["tense"] == preset("mood/tense").prompt_fragment
    assert codes(coordinator.delete(at)) == {"required"}


def test_a_preset_is_copied_into_a_film(coordinator: APIClient, film: Project) -> None:
    tense = preset("mood/tense")
    copy = coordinator.post(f"{PRESETS}/{tense.pk}/duplicate", {"project": "FROST"})
    assert (copy.json()["project"], copy.json()["slug"]) == ("FROST", "tense-2")
    assert copy.json()["prompt_fragment"] == tense.prompt_fragment


def test_categories_looks_and_rules_are_made_and_changed(coordinator: APIClient, film: Project) -> None:
    category = coordinator.post(
        "/api/v1/preset-categories", {"project": "FROST", "slug": "ice", "name": "Ice", "exclusive": False}
    )
    assert category.status_code == 201
    preset_of_it = FOG | {"project": "FROST", "category": "ice", "slug": "floe"}
    assert coordinator.post(PRESETS, preset_of_it).status_code == 201
    look = coordinator.post(LOOKS, {"project": "FROST", "name": "Ice fog", "presets": ["ice/floe"]})
    assert (look.status_code, look.json()["slug"]) == (201, "ice-fog")
    at = f"{LOOKS}/{look.json()['id']}"
    more = coordinator.patch(at, {"presets": ["ice/floe", "mood/tense"], "row_version": 0})
    assert (more.json()["presets"], more.json()["row_version"]) == (["ice/floe", "mood/tense"], 1)
    rule = {
        "project": "FROST",
        "slug": "no-floe-by-day",
        "severity": "hard",
        "when": "preset:ice/floe",
        "other": "time_of_day:day",
        "message": "No floes by day.",
    }
    assert codes(coordinator.post(RULES, rule | {"when": "preset:ice/none"})) == {"unknown_preset"}
    assert codes(coordinator.post(RULES, rule | {"other": "time:day"})) == {"bad_term"}
    assert coordinator.post(RULES, rule).status_code == 201
    asked = {"project": "FROST", "presets": ["ice/floe"], "time_of_day": "day"}
    answer = coordinator.post(f"{PRESETS}/check", asked).json()
    assert (answer["ok"], [one["rule"] for one in answer["problems"]]) == (False, ["no-floe-by-day"])


def test_presets_are_checked_with_what_is_known_of_a_shot(coordinator: APIClient, film: Project) -> None:
    Location.objects.filter(project=film).update(setting="interior")
    Project.objects.filter(pk=film.pk).update(period_year=1900)
    asked = {"project": "FROST", "presets": ["light_source/neon", "camera_support/drone"]}
    answer = coordinator.post(f"{PRESETS}/check", asked | {"location": "HARBOUR"}).json()
    assert [one["rule"] for one in answer["problems"]] == ["no-neon-before-1912", "no-drone-indoors"]
    assert answer["problems"][0]["because"] == ["preset:light_source/neon", "year:<1912"]
    assert coordinator.post(f"{PRESETS}/check", asked | {"year": 1980}).json() == {"ok": True, "problems": []}
    picture = {"presets": ["camera_movement/pan-left"], "kind": "image"}
    told = coordinator.post(f"{PRESETS}/check", picture, HTTP_ACCEPT_LANGUAGE="ko").json()
    assert "영상 프롬프트에만" in told["problems"][0]["message"]
    assert codes(coordinator.post(f"{PRESETS}/check", {"presets": ["mood/none"]})) == {"unknown_preset"}


def test_a_shot_tells_its_problems_and_refuses_hard_ones_without_a_reason(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    at = f"/api/v1/shots/{shots[0].pk}"
    sun = {"presets": ["lighting_style/hard-sun"], "time_of_day": "night", "row_version": 0}
    assert codes(coordinator.patch(at, sun)) == {"preset_rule:no-sun-at-night"}
    assert refs(shots[0]) == []
    answer = coordinator.patch(at, sun | {"preset_override": "a searchlight"})
    assert answer.status_code == 200
    told = coordinator.get(at).json()
    assert (told["preset_override"], [one["rule"] for one in told["preset_problems"]]) == (
        "a searchlight",
        ["no-sun-at-night"],
    )


def test_a_look_is_given_to_many_shots_after_a_preview(coordinator: APIClient, shots: list[Shot]) -> None:
    body = {"project": "FROST", "shots": ["SQ010_SH0010", "SQ010_SH0020"], "look": "film-noir"}
    shown = coordinator.post(APPLY, body | {"preview": True}).json()
    assert (shown["changed"], shown["batch"]) == (2, None)
    assert shown["shots"][0]["after"][0] == "medium_style/film-noir"
    assert refs(shots[0]) == []
    done = coordinator.post(APPLY, body | {"token": shown["token"]}).json()
    assert refs(shots[1])[:1] == ["medium_style/film-noir"]
    rows = Activity.objects.filter(batch=done["batch"])
    assert sorted(rows.values_list("kind", flat=True)) == ["shot", "shot"]
    assert (
        coordinator.get("/api/v1/shots", {"look": str(Look.objects.get(slug="film-noir").pk)}).json()["count"]
        == 2
    )
    assert coordinator.get("/api/v1/shots", {"preset": "mood/tense"}).json()["count"] == 0
    assert codes(coordinator.post(APPLY, body | {"token": shown["token"]}), 409) == {"stale"}


@pytest.mark.parametrize(
    ("change", "code"),
    (
        ({"shots": ["SQ010_SH9999"]}, "does_not_exist"),
        ({"look": "nonesuch"}, "does_not_exist"),
        ({"presets": ["mood/none"], "look": ""}, "unknown_preset"),
        ({"presets": ["era/1980s", "era/silent-era"], "look": ""}, "exclusive_preset"),
        ({"presets": [], "look": ""}, "invalid"),
        ({"mode": "stir"}, "invalid_choice"),
    ),
)
def test_what_cannot_be_given_is_refused_by_name(
    coordinator: APIClient, shots: list[Shot], change: dict[str, Any], code: str
) -> None:
    body = {"project": "FROST", "shots": ["SQ010_SH0010"], "look": "film-noir"}
    assert codes(coordinator.post(APPLY, body | change)) == {code}
    assert refs(shots[0]) == []


def test_one_shot_that_may_not_stops_all(coordinator: APIClient, shots: list[Shot]) -> None:
    Shot.objects.filter(pk=shots[1].pk).update(time_of_day="night")
    body = {
        "project": "FROST",
        "shots": ["SQ010_SH0010", "SQ010_SH0020"],
        "presets": ["lighting_style/hard-sun"],
    }
    assert codes(coordinator.post(APPLY, body)) == {"preset_rule:no-sun-at-night"}
    Shot.objects.filter(pk=shots[1].pk).update(
        time_of_day="", locked_by="gerda", locked_at="2026-01-01T00:00Z"
    )
    assert codes(coordinator.post(APPLY, body)) == {"locked"}
    assert refs(shots[0]) == refs(shots[1]) == []


def test_the_presets_of_a_shot_are_kept_as_a_look(coordinator: APIClient, shots: list[Shot]) -> None:
    at = f"/api/v1/shots/{shots[0].pk}/look"
    assert codes(coordinator.post(at, {"name": "Empty"})) == {"invalid"}
    ShotPresetFactory.create(shot=shots[0], preset=preset("mood/tense"))
    kept = coordinator.post(at, {"name": "Taut"})
    assert (kept.status_code, kept.json()["presets"], kept.json()["project"]) == (
        201,
        ["mood/tense"],
        "FROST",
    )


@pytest.mark.parametrize("kind", ("", "categories", "presets", "looks", "rules"))
def test_the_studios_library_exported_and_imported_changes_nothing(root: APIClient, kind: str) -> None:
    taken = root.get(f"{PRESETS}/export", {"kind": kind} if kind else {})
    sent = {"csv": taken.content.decode()} if kind else {"library": taken.json()}
    answer = root.post(f"{PRESETS}/import", sent, format="json").json()
    counts = {"": 266, "categories": 20, "presets": 171, "looks": 16, "rules": 59}
    assert answer == {"changes": [], "unchanged": counts[kind], "batch": None}


def test_a_films_library_goes_to_another_film_as_a_file(
    client_of: Client, film: Project, root: APIClient
) -> None:
    coordinator = client_of("coordinator")
    coordinator.post(PRESETS, FOG | {"project": "FROST", "name": "=SUM(1)", "params": {"led": True}})
    coordinator.post(LOOKS, {"project": "FROST", "name": "Foggy", "presets": ["weather/harbour-fog"]})
    tense = preset("mood/tense")
    coordinator.put(f"{PRESETS}/{tense.pk}/override", {"project": "FROST", "prompt_fragment": "breath held"})
    taken = coordinator.get(f"{PRESETS}/export", {"project": "FROST"}).json()
    other = Project.objects.create(code="OTHER", name="Other")
    dry = root.post(
        f"{PRESETS}/import", {"project": "OTHER", "library": taken, "dry_run": True}, format="json"
    )
    assert [(one["kind"], one["name"], one["new"]) for one in dry.json()["changes"]] == [
        ("presets", "weather/harbour-fog", True),
        ("looks", "foggy", True),
        ("overrides", "mood/tense", True),
    ]
    assert not CinematicPreset.objects.filter(project=other).exists()
    done = root.post(f"{PRESETS}/import", {"project": "OTHER", "library": taken}, format="json").json()
    assert Activity.objects.filter(batch=done["batch"]).count() == 3
    again = root.get(f"{PRESETS}/export", {"project": "OTHER"}).json()
    assert again | {"project": "FROST"} == taken
    csv = root.get(f"{PRESETS}/export", {"project": "OTHER", "kind": "presets"}).content.decode()
    assert "'=SUM(1)" in csv
    answer = root.post(f"{PRESETS}/import", {"project": "OTHER", "csv": csv}, format="json").json()
    assert (answer["changes"], answer["unchanged"]) == ([], 1)


def test_one_slug_in_two_categories_stays_two_presets_in_a_file(
    client_of: Client, film: Project, root: APIClient
) -> None:
    """Among a film's own, and where the studio has one of them."""
    coordinator = client_of("coordinator")
    for category in ("weather", "mood"):
        said = {"project": "FROST", "category": category, "slug": "tense-fog", "name": f"{category} fog"}
        made = coordinator.post(PRESETS, FOG | said, format="json")
        assert made.status_code == 201, made.content
    both = ["mood/tense-fog", "weather/tense-fog"]
    coordinator.post(LOOKS, {"project": "FROST", "name": "Foggy", "presets": both}, format="json")
    other = Project.objects.create(code="OTHER", name="Other")
    for kind in ("", "presets", "looks"):
        taken = coordinator.get(f"{PRESETS}/export", {"project": "FROST", **({"kind": kind} if kind else {})})
        sent = {"csv": taken.content.decode()} if kind else {"library": taken.json()}
        same = coordinator.post(f"{PRESETS}/import", sent | {"project": "FROST"}, format="json").json()
        assert (same["changes"], same["unchanged"]) == ([], {"": 3, "presets": 2, "looks": 1}[kind])
        first = root.post(f"{PRESETS}/import", sent | {"project": "OTHER"}, format="json").json()
        assert len(first["changes"]) == (3 if kind == "" else 0), first
    names = CinematicPreset.objects.filter(project=other).order_by("category__slug")
    assert list(names.values_list("category__slug", "name")) == [
        ("mood", "mood fog"),
        ("weather", "weather fog"),
    ]
    look = Look.objects.get(project=other)
    worn = look.presets.select_related("category")
    assert sorted(f"{one.category.slug}/{one.slug}" for one in worn) == both


@pytest.mark.parametrize(
    ("library", "told"),
    (
        ({"format": "something"}, "this is no library"),
        ({"presets": [{"category": "mood", "slug": "x", "smell": 1}]}, "not a column here"),
        ({"presets": [{"category": "nonesuch", "slug": "x", "name": "x"}]}, "there is no such category"),
        ({"presets": [{"category": "mood", "slug": "x", "name": "x", "params": []}]}, "write an object"),
        ({"looks": [{"slug": "x", "name": "x", "presets": ["mood/none"]}]}, "no such preset"),
        ({"rules": [{"slug": "x", "when": "sun", "other": "sun", "message": "x"}]}, "cannot be read"),
        ({"spices": []}, "not a kind of rows"),
    ),
)
def test_a_wrong_file_is_refused_with_the_place(root: APIClient, library: dict[str, Any], told: str) -> None:
    sent = {"format": "shotfarm-presets", "version": 1} | library
    errors = problem_of(root.post(f"{PRESETS}/import", {"library": sent}, format="json"), 400)["errors"]
    assert told in errors[0]["message"]
    assert (CinematicPreset.objects.count(), Look.objects.count(), PresetRule.objects.count()) == (
        171,
        16,
        59,
    )


@pytest.mark.parametrize("rows", ("presets", "preset-categories", "looks", "preset-rules"))
def test_longer_lists_of_the_library_take_no_more_queries(
    coordinator: APIClient, film: Project, rows: str
) -> None:
    def more() -> None:
        for number in range(3):
            own = CinematicPresetFactory.create(project=film)
            look = Look.objects.create(project=film, slug=f"{own.slug}-{number}", name="x")
            look.look_presets.create(preset=own)
            PresetRule.objects.create(
                project=film, slug=own.slug, when="kind:image", other="kind:video", message="x"
            )
            PresetCategory.objects.create(project=film, slug=own.slug, name="x", order=1)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert coordinator.get(f"/api/v1/{rows}", {"project": "FROST", "limit": "200"}).status_code == 200
        return len(seen)

    more()
    few = queries()
    more()
    assert queries() == few


def test_one_shots_problems_take_no_more_queries_with_more_presets(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            coordinator.get(f"/api/v1/shots/{shots[0].pk}")
        return len(seen)

    ShotPresetFactory.create(shot=shots[0], preset=preset("mood/tense"))
    few = queries()
    for ref in ("era/1980s", "weather/fog", "shot_size/close-up"):
        ShotPresetFactory.create(shot=shots[0], preset=preset(ref))
    assert queries() == few


def test_many_shots_take_as_many_queries_as_one(coordinator: APIClient, shots: list[Shot]) -> None:
    def queries(names: list[str]) -> int:
        body = {"project": "FROST", "shots": names, "presets": ["mood/tense"], "preview": True}
        with CaptureQueriesContext(connection) as seen:
            assert coordinator.post(APPLY, body).status_code == 200
        return len(seen)

    more = [ShotFactory.create(sequence=shots[0].sequence) for _ in range(8)]
    few = queries(["SQ010_SH0010"])
    assert queries([shot.full_code for shot in more]) == few
