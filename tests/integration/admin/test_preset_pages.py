"""Presets and looks given to shots from the shot list and the shot page; the pages of the library."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.presets.models import (
    CinematicPreset,
    Look,
    LookPreset,
    PresetCategory,
    PresetOverride,
    PresetRule,
)
from apps.productions.models import Shot
from tests.factories import CinematicPresetFactory, ShotFactory, ShotPresetFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing, page
from tests.integration.admin.test_preset_picker import picked, preset, presets_of

pytestmark = pytest.mark.django_db

GIVE = "/admin/productions/shot/presets/"


def look(slug: str) -> Look:
    return Look.objects.get(slug=slug)


def ask(browser: Client, shots: list[Shot], **sent: Any) -> Any:
    about = {"shots": ",".join(str(shot.pk) for shot in shots), "mode": "add", "picked-shown": "1"}
    return browser.post(GIVE, about | sent)


def token_in(answer: Any) -> str:
    found = re.search(r'name="token" value="(\w+)"', answer.content.decode())
    assert found is not None
    return found[1]


def test_a_look_is_shown_shot_by_shot_and_then_applied(film: Film, as_: Browser) -> None:
    shots = [film.shot, ShotFactory.create(sequence=film.shot.sequence)]
    coordinator = as_("coordinator")
    opened = coordinator.post(
        listing(Shot), {"action": "give_presets", "_selected_action": [str(shot.pk) for shot in shots]}
    )
    assert "Presets for 2 shots" in opened.content.decode()

    shown = ask(coordinator, shots, look=str(look("film-noir").pk))
    assert "2 shots change" in shown.content.decode()
    assert '<ins class="sf-chip sf-gained">Low key</ins>' in shown.content.decode()
    assert not presets_of(shots[1])

    done = ask(coordinator, shots, look=str(look("film-noir").pk), token=token_in(shown), apply="1")
    assert done.status_code == 302
    assert presets_of(shots[1]) == [
        "medium_style/film-noir",
        "colour_palette/monochrome",
        "lighting_style/low-key",
        "composition/diagonal",
        "mood/ominous",
    ]


def test_picked_presets_go_to_all_shots_or_none(film: Film, as_: Browser) -> None:
    night = ShotFactory.create(sequence=film.shot.sequence, time_of_day="night")
    before = presets_of(film.shot)
    coordinator = as_("coordinator")
    sun = picked("lighting_style/hard-sun")
    answer = ask(coordinator, [film.shot, night], apply="1", **sun).content.decode()
    assert "There is no sun at night" in answer and 'name="apply"' not in answer
    assert (presets_of(film.shot), presets_of(night)) == (before, [])
    why = {"reason": "two suns on this planet"}
    assert ask(coordinator, [film.shot, night], apply="1", **sun, **why).status_code == 302
    assert presets_of(night) == ["lighting_style/hard-sun"]
    night.refresh_from_db()
    assert night.preset_override == "two suns on this planet"


def test_a_change_since_the_preview_is_told(film: Film, as_: Browser) -> None:
    coordinator = as_("coordinator")
    shown = ask(coordinator, [film.shot], **picked("mood/tense"))
    Shot.objects.filter(pk=film.shot.pk).update(row_version=7)
    answer = ask(coordinator, [film.shot], apply="1", token=token_in(shown), **picked("mood/tense"))
    assert "changed since this was shown" in answer.content.decode()
    assert "mood/tense" not in presets_of(film.shot)


def test_who_may_not_plan_gives_nothing(film: Film, other_film: Film, as_: Browser) -> None:
    theirs = ShotFactory.create(sequence=film.shot.sequence)
    assert ask(as_("artist"), [theirs], apply="1", **picked("mood/tense")).status_code == 403
    answer = ask(as_("admin"), [other_film.shot], apply="1", **picked("mood/tense"))
    assert answer.status_code == 302
    assert "mood/tense" not in presets_of(theirs) + presets_of(other_film.shot)


def test_an_artist_gives_presets_to_the_shots_that_are_theirs(
    film: Film, as_: Browser, people: dict[str, User]
) -> None:
    other = ShotFactory.create(sequence=film.shot.sequence)
    film.shot.assignees.add(people["artist"])
    assert ask(as_("artist"), [film.shot, other], apply="1", **picked("mood/tense")).status_code == 403
    assert ask(as_("artist"), [film.shot], apply="1", **picked("mood/tense")).status_code == 302
    assert "mood/tense" in presets_of(film.shot)
    assert page(film.shot) in as_("artist").get(listing(Shot)).content.decode()


def test_the_presets_of_a_shot_are_kept_as_a_look_of_its_film(film: Film, as_: Browser) -> None:
    for ref in ("mood/tense", "weather/fog"):
        ShotPresetFactory.create(shot=film.shot, preset=preset(ref))
    keep = reverse("admin:productions_shot_keep_look", args=[film.shot.pk])
    as_("artist").post(keep, {"name": "Harbour"})  # theirs to plan, and a look is the whole film's
    assert not Look.objects.filter(slug="harbour").exists()
    shown = as_("coordinator").post(keep, {"name": "Harbour"}, follow=True).content.decode()
    assert "Kept as the look" in shown
    kept = Look.objects.get(slug="harbour")
    assert kept.project == film.project
    assert {one.ref for one in kept.presets.select_related("category")} >= {"mood/tense", "weather/fog"}
    assert '<span class="sf-dim">Harbour</span>' in as_("coordinator").get(page(film.shot)).content.decode()


# the library's pages


def form(row: Any, **sent: Any) -> dict[str, Any]:
    """What a browser sends for a row of the library."""
    return {name: "" if value is None else value for name, value in sent.items()} | {
        "row_version": str(row.row_version) if row else ""
    }


PRESET = {
    "name": "Harbour fog",
    "name_ko": "항구 안개",
    "slug": "harbour-fog",
    "channel": "both",
    "order": "",
    "prompt_fragment": "fog over the harbour",
    "params": "{}",
}


def test_create_new_makes_a_preset_of_ones_film(film: Film, as_: Browser) -> None:
    add = reverse("admin:presets_cinematicpreset_add")
    planner = as_("coordinator")
    assert planner.get(add).status_code == 200
    weather = PresetCategory.objects.get(slug="weather")
    sent = PRESET | {"project": str(film.project.pk), "category": str(weather.pk)}
    assert planner.post(add, sent).status_code == 302
    made = CinematicPreset.objects.get(slug="harbour-fog")
    assert (made.project, made.category, made.order > 9) == (film.project, weather, True)
    assert str(made.pk) in planner.get(page(film.shot)).content.decode()


def test_the_studios_presets_take_djangos_permission(film: Film, as_: Browser) -> None:
    add = reverse("admin:presets_cinematicpreset_add")
    sent = PRESET | {"project": "", "category": str(PresetCategory.objects.get(slug="weather").pk)}
    assert "project" in as_("coordinator").post(add, sent).context["adminform"].form.errors
    assert not CinematicPreset.objects.filter(slug="harbour-fog").exists()
    assert as_("root").post(add, sent).status_code == 302
    assert CinematicPreset.objects.get(slug="harbour-fog").project is None
    tense = preset("mood/tense")
    assert as_("coordinator").post(page(tense), form(tense, name="Tenser")).status_code == 403


def test_a_films_own_key_never_stands_in_the_studios_way(film: Film, as_: Browser) -> None:
    add = reverse("admin:presets_cinematicpreset_add")
    sent = PRESET | {"slug": "fog", "project": str(film.project.pk)}
    sent |= {"category": str(PresetCategory.objects.get(slug="weather").pk)}
    errors = as_("coordinator").post(add, sent).context["adminform"].form.errors
    assert "the studio has one of this key" in str(errors["slug"])


def test_the_library_is_filtered_by_category_and_by_whose_it_is(
    film: Film, other_film: Film, as_: Browser
) -> None:
    own = CinematicPresetFactory.create(project=film.project, name="Ours alone")
    CinematicPresetFactory.create(project=other_film.project, name="Theirs alone")
    planner = as_("coordinator")
    every = planner.get(listing(CinematicPreset)).content.decode()
    assert "Ours alone" in every and "Theirs alone" not in every
    ours = planner.get(listing(CinematicPreset), {"of": str(film.project.pk)}).context["cl"].result_list
    assert [row.pk for row in ours] == [own.pk]
    moods = planner.get(
        listing(CinematicPreset), {"category__id__exact": str(preset("mood/tense").category_id)}
    )
    assert len(moods.context["cl"].result_list) == 10
    assert (
        planner.get(listing(CinematicPreset), {"of": str(other_film.project.pk)}).context["cl"].result_list
        == []
    )


def act(browser: Client, model: type[Any], action: str, *rows: Any) -> str:
    sent = {"action": action, "_selected_action": [str(row.pk) for row in rows]}
    return browser.post(listing(model), sent, follow=True).content.decode()


def test_presets_are_duplicated_archived_restored_and_moved(film: Film, as_: Browser) -> None:
    root, tense = as_("root"), preset("mood/tense")
    act(root, CinematicPreset, "duplicate", tense)
    copy = CinematicPreset.objects.get(slug="tense-2")
    assert (copy.name, copy.prompt_fragment) == ("Tense (copy)", tense.prompt_fragment)
    act(root, CinematicPreset, "archive", tense)
    assert CinematicPreset.objects.get(pk=tense.pk).archived
    act(root, CinematicPreset, "restore", tense)
    assert not CinematicPreset.objects.get(pk=tense.pk).archived

    def moods() -> list[str]:
        rows = CinematicPreset.objects.filter(category=tense.category_id).order_by("order", "slug")
        return list(rows.values_list("slug", flat=True))[:3]

    assert moods() == ["tense", "serene", "melancholic"]
    act(root, CinematicPreset, "move_down", tense)
    assert moods() == ["serene", "tense", "melancholic"]
    act(root, CinematicPreset, "move_up", tense)
    assert moods() == ["tense", "serene", "melancholic"]
    assert "permission" in act(as_("coordinator"), CinematicPreset, "archive", tense)
    assert not CinematicPreset.objects.get(pk=tense.pk).archived


def test_a_preset_says_in_how_many_of_ones_shots_it_is_used(
    film: Film, other_film: Film, as_: Browser
) -> None:
    tense = preset("mood/tense")
    for shot in (film.shot, other_film.shot):
        ShotPresetFactory.create(shot=shot, preset=tense)
    used = f'<a class="sf-link" href="/admin/productions/shot/?presets__id__exact={tense.pk}">'
    assert f"{used}1</a>" in as_("coordinator").get(listing(CinematicPreset)).content.decode()
    assert f"{used}2</a>" in as_("root").get(listing(CinematicPreset)).content.decode()
    (row,) = (
        as_("coordinator").get(listing(Shot), {"presets__id__exact": str(tense.pk)}).context["cl"].result_list
    )
    assert row.pk == film.shot.pk


def test_shots_are_listed_by_the_look_they_wear(film: Film, as_: Browser) -> None:
    noir = look("film-noir")
    bare = ShotFactory.create(sequence=film.shot.sequence)
    for one in noir.presets.all():
        ShotPresetFactory.create(shot=film.shot, preset=one)
    ShotPresetFactory.create(shot=bare, preset=noir.presets.all()[0])
    (row,) = as_("coordinator").get(listing(Shot), {"look": str(noir.pk)}).context["cl"].result_list
    assert row.pk == film.shot.pk
    assert f"?look={noir.pk}" in as_("coordinator").get(page(noir)).content.decode()


def test_a_look_is_made_and_changed_with_the_picker(film: Film, as_: Browser) -> None:
    coordinator = as_("coordinator")
    sent = {"project": str(film.project.pk), "name": "Quay", "slug": "quay", "order": ""}
    empty = coordinator.post(reverse("admin:presets_look_add"), sent | {"picked-shown": "1"})
    assert "at least one preset" in empty.content.decode()
    assert (
        coordinator.post(reverse("admin:presets_look_add"), sent | picked("weather/fog")).status_code == 302
    )
    quay = Look.objects.get(slug="quay")
    changed = form(quay, **sent) | picked("weather/fog", "mood/tense")
    assert coordinator.post(page(quay), changed).status_code == 302
    assert [one.preset.slug for one in quay.look_presets.order_by("order")] == ["fog", "tense"]


def test_a_rule_that_cannot_be_read_is_refused_beside_its_field(film: Film, as_: Browser) -> None:
    sent = {
        "project": str(film.project.pk),
        "slug": "no-fog-at-noon",
        "order": "",
        "kind": "conflicts",
        "severity": "hard",
        "when": "preset:weather/fogg",
        "other": "time_of_day:noon",
        "message": "No fog at noon.",
    }
    add = reverse("admin:presets_presetrule_add")
    errors = as_("coordinator").post(add, sent).context["adminform"].form.errors
    assert "nothing of this name" in str(errors["when"])
    assert "time_of_day:day" in str(errors["other"])
    right = sent | {"when": "preset:weather/fog", "other": "preset:time_of_day/midday"}
    assert as_("coordinator").post(add, right).status_code == 302
    check = reverse("admin:productions_shot_preset_check")
    ours = picked("weather/fog", "time_of_day/midday") | {"sequence": str(film.shot.sequence_id)}
    assert 'data-rule="no-fog-at-noon"' in as_("coordinator").post(check, ours).content.decode()
    elsewhere = picked("weather/fog", "time_of_day/midday")
    assert "no-fog-at-noon" not in as_("coordinator").post(check, elsewhere).content.decode()


def test_the_list_of_rules_tells_their_terms_in_words_of_the_readers_language(
    film: Film, other_film: Film, as_: Browser
) -> None:
    mood = PresetCategory.objects.get(slug="mood")
    for project, name, name_ko in ((film.project, "Quay", "부두"), (other_film.project, "Pier", "잔교")):
        own = {"project": project, "category": mood, "slug": "wet"}
        CinematicPresetFactory.create(**own, name=name, name_ko=name_ko)
        PresetRule.objects.create(
            project=project,
            slug="wet-by-night",
            kind="conflicts",
            severity="info",
            when="category:mood\nparam:focal_mm>=200 | year:<1912",
            other="preset:mood/wet\ntime_of_day:blue_hour|weather:rain|kind:video|setting:interior",
            message="Wet.",
        )
    broken = PresetRule.objects.create(
        slug="of-old", kind="conflicts", severity="info", when="lens:long|wide", other="x", message="Old."
    )
    root = as_("root")

    def shown(search: str = "") -> str:
        return root.get(listing(PresetRule) + search).content.decode()

    english = shown()
    for words in ("a preset of “Mood”", "Hard sun", "before 1912", "a preset with “focal_mm &gt;= 200”"):
        assert f'<span class="sf-chip">{words}</span>' in english, words
    whole = 'title="{}, time of day: blue hour, weather: rain, as a video, location: interior"'
    assert whole.format("Quay") in english
    assert whole.format("Pier") in english
    assert f'<span class="sf-chip">{broken.when}</span>' in english
    assert "category:mood" not in english
    assert "preset:" not in english
    User.objects.filter(username="root").update(language="ko")
    korean = shown()
    assert '<span class="sf-chip">부두</span>' in korean
    assert '<span class="sf-chip">1912년 이전</span>' in korean
    assert "Hard sun" not in korean
    edited = root.get(page(PresetRule.objects.get(project=film.project))).content.decode()
    assert "category:mood" in edited  # what is edited stays as it is written


def test_a_film_says_something_else_than_the_studio(film: Film, as_: Browser) -> None:
    add = reverse("admin:presets_presetoverride_add")
    sent = {"project": str(film.project.pk), "preset": str(preset("weather/fog").pk)}
    sent |= {"prompt_fragment": "sea fog, foghorns"}
    assert as_("artist").post(add, sent).status_code == 403
    assert as_("coordinator").post(add, sent).status_code == 302
    assert PresetOverride.objects.get(project=film.project).prompt_fragment == "sea fog, foghorns"


@pytest.mark.parametrize("model", (CinematicPreset, PresetCategory, Look, PresetRule, PresetOverride))
def test_longer_pages_of_the_library_take_no_more_queries(film: Film, as_: Browser, model: type[Any]) -> None:
    coordinator = as_("coordinator")

    def more() -> None:
        for _ in range(3):
            own = CinematicPresetFactory.create(project=film.project)
            number = Look.objects.count()
            made = Look.objects.create(project=film.project, slug=f"look-{number}", name="x")
            LookPreset.objects.create(look=made, preset=own)
            PresetRule.objects.create(
                project=film.project,
                slug=f"rule-{number}",
                when="kind:image",
                other="weather:rain",
                message="x",
            )
            PresetCategory.objects.create(project=film.project, slug=f"own-{number}", name="x", order=number)
            ShotPresetFactory.create(shot=film.shot, preset=own)
            studios = CinematicPreset.objects.filter(project=None, overrides=None)[0]
            PresetOverride.objects.create(project=film.project, preset=studios, hidden=True)

    def queries() -> int:
        coordinator.get(listing(model))
        with CaptureQueriesContext(connection) as seen:
            assert coordinator.get(listing(model)).status_code == 200
        return len(seen)

    more()
    few = queries()
    more()
    assert queries() == few


# out and in


def test_what_is_taken_out_and_brought_in_again_changes_nothing(film: Film, as_: Browser) -> None:
    root = as_("root")
    for kind in ("", "categories", "presets", "looks", "rules"):
        taken = root.get(reverse("admin:presets_export"), {"kind": kind}).content
        file = SimpleUploadedFile("library", taken)
        shown = root.post(reverse("admin:presets_exchange"), {"project": "", "file": file}).content.decode()
        assert "The library says all of this already." in shown, kind


def test_a_changed_file_is_shown_field_by_field_and_then_brought_in(film: Film, as_: Browser) -> None:
    root, exchange = as_("root"), reverse("admin:presets_exchange")
    taken = root.get(reverse("admin:presets_export")).content.decode()
    text = taken.replace('"name": "Tense"', '"name": "Taut"')
    file = SimpleUploadedFile("library.json", text.encode())
    shown = root.post(exchange, {"project": "", "file": file})
    assert "0 new, 1 changed" in shown.content.decode()
    assert preset("mood/tense").name == "Tense"
    sent = {"project": "", "text": shown.context["text"], "apply": "1"}
    assert root.post(exchange, sent).status_code == 302
    assert preset("mood/tense").name == "Taut"


def test_a_file_with_a_fault_changes_nothing(film: Film, as_: Browser) -> None:
    rows = "category,slug,name,name_ko,channel,order,prompt_fragment,prompt_fragment_ko,negative_fragment,"
    rows += "negative_fragment_ko,params,archived\n"
    rows += "mood,calm,Calm,,both,50,calm,,,,,0\nmood,angry,Angry,,smell,51,angry,,,,{},0\n"
    sent = {"project": str(film.project.pk), "text": rows, "apply": "1"}
    shown = as_("coordinator").post(reverse("admin:presets_exchange"), sent).content.decode()
    assert "presets row 3, channel" in shown
    assert not CinematicPreset.objects.filter(slug="calm").exists()
    right = sent | {"text": rows.replace("smell", "video")}
    assert as_("coordinator").post(reverse("admin:presets_exchange"), right).status_code == 302
    assert CinematicPreset.objects.get(slug="calm").project == film.project
    studio = right | {"project": ""}
    assert as_("coordinator").post(reverse("admin:presets_exchange"), studio).status_code == 403


def test_a_file_with_one_column_twice_is_refused_by_its_name_and_changes_nothing(
    film: Film, as_: Browser
) -> None:
    text = "slug,name,name_ko,order,exclusive,archived,name\nice,Ice,,90,1,0,Snow\n"
    sent = {"project": str(film.project.pk), "text": text, "apply": "1"}
    shown = as_("coordinator").post(reverse("admin:presets_exchange"), sent).content.decode()
    assert "row 1, name" in shown
    assert "The column is there twice. Remove one of the two." in shown
    assert not PresetCategory.objects.filter(slug="ice").exists()
