"""Presets on the shot form: picked by category, held against rules while chosen and when saved."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.presets.models import CinematicPreset, PresetOverride, PresetRule
from apps.productions.models import Shot, TimeOfDay, Weather
from tests.factories import CinematicPresetFactory, ShotFactory, ShotPresetFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import page
from tests.integration.admin.test_forms import form_of

pytestmark = pytest.mark.django_db


def preset(ref: str) -> CinematicPreset:
    category, slug = ref.split("/")
    return CinematicPreset.objects.select_related("category").get(category__slug=category, slug=slug)


def picked(*refs: str) -> dict[str, Any]:
    """What a browser sends for these choices."""
    sent: dict[str, Any] = {"picked-shown": "1"}
    for ref in refs:
        row = preset(ref)
        sent.setdefault(f"picked-of-{row.category_id}", []).append(str(row.pk))
    return sent


def presets_of(shot: Shot) -> list[str]:
    rows = shot.shot_presets.select_related("preset__category").order_by("order")
    return [row.preset.ref for row in rows]


def save(browser: Client, film: Film, **sent: Any) -> Any:
    return browser.post(page(film.shot), form_of(browser, page(film.shot)) | sent)


def test_presets_are_picked_by_category_and_what_was_there_keeps_its_place(film: Film, as_: Browser) -> None:
    planner = as_("coordinator")
    before = presets_of(film.shot)
    assert save(planner, film, **picked("mood/tense", "shot_size/close-up")).status_code == 302
    assert presets_of(film.shot) == ["shot_size/close-up", "mood/tense"]
    assert save(planner, film, **picked("mood/tense", "camera_angle/low-angle")).status_code == 302
    assert presets_of(film.shot) == ["mood/tense", "camera_angle/low-angle"]
    assert before != presets_of(film.shot)


def test_a_form_without_the_picker_leaves_the_presets_as_they_are(film: Film, as_: Browser) -> None:
    before = presets_of(film.shot)
    assert before
    assert save(as_("coordinator"), film, frames="72").status_code == 302
    assert presets_of(film.shot) == before


def test_the_page_shows_one_choice_for_exclusive_categories_and_boxes_for_others(
    film: Film, as_: Browser
) -> None:
    ShotPresetFactory.create(shot=film.shot, preset=preset("mood/tense"))
    shown = as_("coordinator").get(page(film.shot)).content.decode()
    assert shown.count('type="radio"') > 100
    mood, close = preset("mood/tense"), preset("shot_size/close-up")
    assert f'<input type="checkbox"\n                   name="picked-of-{mood.category_id}"' in shown
    assert f'<input type="radio"\n                   name="picked-of-{close.category_id}"' in shown
    assert f'value="{mood.pk}"\n                   checked>' in shown
    assert "shotfarm/presets.js" in shown


def test_two_presets_of_an_exclusive_category_are_refused(film: Film, as_: Browser) -> None:
    before = presets_of(film.shot)
    answer = save(as_("coordinator"), film, **picked("shot_size/close-up", "shot_size/wide-shot"))
    assert "allows one per shot" in answer.content.decode()
    assert presets_of(film.shot) == before


@pytest.mark.parametrize("field", ("weather", "time_of_day"))
def test_the_form_offers_the_prototypes_weather_and_times(film: Film, as_: Browser, field: str) -> None:
    form = as_("coordinator").get(page(film.shot)).context["adminform"].form
    offered = [value for value, _label in form.fields[field].choices if value]
    wanted = {
        "weather": ["sunny", "cloudy", "overcast", "rain", "storm", "snow", "fog", "haze"],
        "time_of_day": ["day", "night", "golden_hour", "blue_hour", "dawn", "dusk", "midnight"],
    }
    assert offered == wanted[field]
    assert (len(Weather), len(TimeOfDay)) == (8, 7)
    assert "location" in form.fields


def test_rules_are_told_while_presets_are_chosen_and_nothing_is_saved(film: Film, as_: Browser) -> None:
    check = reverse("admin:productions_shot_preset_check")
    planner = as_("coordinator")
    before = presets_of(film.shot)
    sent = form_of(planner, page(film.shot)) | {"time_of_day": "night"}
    told = planner.post(check, sent | picked("lighting_style/hard-sun")).content.decode()
    assert 'data-rule="no-sun-at-night"' in told
    told = planner.post(check, sent | picked("lighting_style/low-key")).content.decode()
    assert "data-rule" not in told
    assert presets_of(film.shot) == before
    assert as_("nobody").post(check, sent).status_code == 403


def test_rules_are_told_in_the_readers_language(film: Film, as_: Browser) -> None:
    check = reverse("admin:productions_shot_preset_check")
    sent = picked("camera_movement/dolly-zoom", "camera_support/tripod")
    told = as_("coordinator").post(check, sent, headers={"Accept-Language": "ko"}).content.decode()
    assert "돌리 줌에는 돌리가 필요합니다" in told


def test_the_shot_page_says_which_rules_the_shot_breaks_as_it_stands(film: Film, as_: Browser) -> None:
    Shot.objects.filter(pk=film.shot.pk).update(time_of_day="night")
    ShotPresetFactory.create(shot=film.shot, preset=preset("lighting_style/hard-sun"))
    assert 'data-rule="no-sun-at-night"' in as_("coordinator").get(page(film.shot)).content.decode()


def test_a_hard_rule_refuses_the_save_until_somebody_says_why(film: Film, as_: Browser) -> None:
    planner = as_("coordinator")
    night_sun = picked("lighting_style/hard-sun") | {"time_of_day": "night"}
    refused = save(planner, film, **night_sun).content.decode()
    assert "There is no sun at night" in refused
    assert Shot.objects.get(pk=film.shot.pk).time_of_day == ""

    why = {"preset_override": "A searchlight plays the sun"}
    assert save(planner, film, **night_sun, **why).status_code == 302
    shot = Shot.objects.get(pk=film.shot.pk)
    assert (shot.time_of_day, shot.preset_override) == ("night", "A searchlight plays the sun")
    assert save(planner, film, **picked("lighting_style/low-key")).status_code == 302
    assert Shot.objects.get(pk=film.shot.pk).preset_override == ""


def test_a_save_of_something_else_is_not_refused_by_rules(film: Film, as_: Browser) -> None:
    Shot.objects.filter(pk=film.shot.pk).update(time_of_day="night")
    ShotPresetFactory.create(shot=film.shot, preset=preset("lighting_style/hard-sun"))
    kept = picked("lighting_style/hard-sun")
    kept |= {f"picked-of-{one.category_id}": [str(one.pk)] for one in film.shot.presets.all()}
    assert save(as_("coordinator"), film, frames="72", **kept).status_code == 302
    assert Shot.objects.get(pk=film.shot.pk).frames == 72


def test_a_film_offers_its_own_presets_and_not_what_it_hides_or_what_others_have(
    film: Film, other_film: Film, as_: Browser
) -> None:
    own = CinematicPresetFactory.create(project=film.project, name="Our fog machine")
    CinematicPresetFactory.create(project=other_film.project, name="Their fog machine")
    PresetOverride.objects.create(project=film.project, preset=preset("mood/epic"), hidden=True)
    PresetOverride.objects.create(project=other_film.project, preset=preset("mood/tense"), hidden=True)
    shown = as_("coordinator").get(page(film.shot)).content.decode()
    assert str(own.pk) in shown and "Their fog machine" not in shown
    assert str(preset("mood/epic").pk) not in shown
    assert str(preset("mood/tense").pk) in shown


def test_an_archived_preset_stays_on_a_shot_that_has_it(film: Film, as_: Browser) -> None:
    ShotPresetFactory.create(shot=film.shot, preset=preset("mood/tense"))
    gone = preset("mood/tense")
    CinematicPreset.objects.filter(pk=gone.pk).update(archived=True)
    planner = as_("coordinator")
    assert str(gone.pk) in planner.get(page(film.shot)).content.decode()
    assert save(planner, film, **picked("mood/tense", "mood/epic")).status_code == 302
    assert presets_of(film.shot) == ["mood/tense", "mood/epic"]


def test_who_may_not_plan_the_shot_reads_its_presets(film: Film, as_: Browser) -> None:
    shot = ShotFactory.create(sequence=film.shot.sequence)
    ShotPresetFactory.create(shot=shot, preset=preset("mood/tense"))
    shown = as_("artist").get(page(shot)).content.decode()
    assert '<span class="sf-chip">Tense</span>' in shown
    assert "picked-shown" not in shown


def test_more_presets_on_a_shot_take_no_more_queries(film: Film, as_: Browser) -> None:
    planner = as_("coordinator")

    def queries() -> int:
        planner.get(page(film.shot))
        with CaptureQueriesContext(connection) as seen:
            planner.get(page(film.shot))
        return len(seen)

    few = queries()
    for ref in ("mood/tense", "shot_size/close-up", "era/1980s", "weather/fog"):
        ShotPresetFactory.create(shot=film.shot, preset=preset(ref))
    assert queries() == few


def test_what_only_a_picture_or_only_a_video_breaks_is_told_and_refuses_no_save(
    film: Film, as_: Browser
) -> None:
    planner, move = as_("coordinator"), picked("camera_movement/slow-push-in")
    check = reverse("admin:productions_shot_preset_check")
    assert 'data-rule="movement-is-not-in-pictures"' in planner.post(check, move).content.decode()
    PresetRule.objects.filter(slug="movement-is-not-in-pictures").update(severity="hard")
    told = planner.post(check, move).content.decode()
    assert 'class="sf-rule sf-rule-warning" data-rule="movement-is-not-in-pictures"' in told
    assert save(planner, film, **move).status_code == 302
    assert "movement-is-not-in-pictures" in planner.get(page(film.shot)).content.decode()
