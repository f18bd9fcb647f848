"""Presets and looks given to shots from the shot list and the shot page; the pages of the library."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.presets.models import Look
from apps.productions.models import Shot
from tests.factories import ShotFactory, ShotPresetFactory
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
    assert ask(as_("viewer"), [film.shot], apply="1", **picked("mood/tense")).status_code == 403
    answer = ask(as_("admin"), [other_film.shot], apply="1", **picked("mood/tense"))
    assert answer.status_code == 302
    assert "mood/tense" not in presets_of(film.shot) + presets_of(other_film.shot)


def test_the_presets_of_a_shot_are_kept_as_a_look_of_its_film(film: Film, as_: Browser) -> None:
    for ref in ("mood/tense", "weather/fog"):
        ShotPresetFactory.create(shot=film.shot, preset=preset(ref))
    keep = reverse("admin:productions_shot_keep_look", args=[film.shot.pk])
    assert as_("viewer").post(keep, {"name": "Harbour"}).status_code == 403
    shown = as_("artist").post(keep, {"name": "Harbour"}, follow=True).content.decode()
    assert "Kept as the look" in shown
    kept = Look.objects.get(slug="harbour")
    assert kept.project == film.project
    assert {one.ref for one in kept.presets.select_related("category")} >= {"mood/tense", "weather/fog"}
    assert '<span class="sf-dim">Harbour</span>' in as_("artist").get(page(film.shot)).content.decode()
