"""More rows are selected than are taken at once: all of it is done, or it is said what was not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.productions.models import Shot
from apps.review.models import Playlist, Take
from tests.factories import SequenceFactory, ShotFactory, TakeFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing

pytestmark = pytest.mark.django_db

MOST = 3
Lower = Callable[..., None]


@pytest.fixture
def lower(monkeypatch: pytest.MonkeyPatch) -> Lower:
    """Let only MOST rows be taken at once, so that a few are too many."""

    def set_bounds(*places: str) -> None:
        for place in places:
            monkeypatch.setattr(place, MOST)

    return set_bounds


def all_selected(browser: Client, model: type[Any], action: str, row: Any) -> str:
    """Tick a row, press “select all”, and the action; return the page that comes."""
    sent = {"action": action, "_selected_action": [str(row.pk)], "select_across": "1"}
    answer = browser.post(listing(model), sent, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def shots(film: Film) -> list[Shot]:
    """One shot more than are taken at once, of two sequences."""
    there = SequenceFactory.create(project=film.project)
    made = [ShotFactory.create(sequence=there) for _number in range(MOST - 1)]
    return [film.shot, *made, ShotFactory.create(sequence=film.shot.sequence)]


def test_a_playlist_of_too_many_shots_is_refused_in_words(
    film: Film, shots: list[Shot], as_: Browser, lower: Lower
) -> None:
    planner = as_("coordinator")
    assert "A playlist of 4 shots" in all_selected(planner, Shot, "playlist_of", film.shot)
    lower("apps.review.admin.of_shots.MOST_SHOTS")
    assert "Select at most 3 shots at a time; nothing was done." in all_selected(
        planner, Shot, "playlist_of", film.shot
    )
    sent = {
        "shots": ",".join(str(shot.pk) for shot in shots),
        "name": "A",
        "stage": "clip",
        "which": "latest",
    }
    told = planner.post(reverse("admin:review_playlist_of_shots"), sent, follow=True).content.decode()
    assert "Select at most 3 shots at a time" in told
    assert not Playlist.objects.exists()


def test_the_casting_of_many_shots_says_what_it_shows(
    film: Film, shots: list[Shot], as_: Browser, lower: Lower
) -> None:
    planner = as_("coordinator")
    lower("apps.productions.admin_casting.MOST_SELECTED")
    assert "Select at most 3 shots" in all_selected(planner, Shot, "cast_shots", film.shot)
    Shot.objects.filter(pk__in=[shot.pk for shot in shots]).update(sequence=film.shot.sequence)
    told = all_selected(planner, Shot, "cast_shots", film.shot)
    assert "this is the casting of their whole sequence" in told
    address = reverse("admin:productions_shot_casting")
    named = planner.get(address, {"shots": ",".join(shot.pk.hex for shot in shots)}).content.decode()
    assert "The address names 4 shots: the first 3 of them are shown." in named


def test_presets_for_too_many_shots_are_refused_before_anything_is_asked(
    film: Film, shots: list[Shot], as_: Browser, lower: Lower
) -> None:
    planner = as_("coordinator")
    assert "Presets for 4 shots" in all_selected(planner, Shot, "give_presets", film.shot)
    lower("apps.productions.preset_pages.MOST_SHOTS")
    assert "at most 3 shots at a time" in all_selected(planner, Shot, "give_presets", film.shot)


def test_a_status_of_too_many_shots_is_refused_in_words(
    film: Film, shots: list[Shot], as_: Browser, lower: Lower
) -> None:
    lower("apps.productions.moving.MOST_SHOTS")
    planner = as_("coordinator")
    assert "at most 3 shots at a time" in all_selected(planner, Shot, "put_on_hold", film.shot)
    assert not Shot.objects.filter(status="on_hold").exists()


def test_all_shots_are_changed_and_exported_where_all_are_selected(
    film: Film, shots: list[Shot], as_: Browser
) -> None:
    planner = as_("coordinator")
    ShotFactory.create_batch(60, sequence=film.shot.sequence)  # more than a page
    every = Shot.objects.filter(project=film.project)
    sent = {"action": "change_shots", "_selected_action": [str(film.shot.pk)], "select_across": "1"}
    planner.post(listing(Shot), sent | {"set": "notes", "notes": "All of them", "apply": "1"})
    assert set(every.values_list("notes", flat=True)) == {"All of them"}
    sent |= {"action": "export_shots"}
    file = planner.post(listing(Shot), sent)
    assert file["Content-Type"].startswith("application/vnd.openxmlformats")


def test_verdicts_and_comparisons_of_many_takes_say_what_was_left(
    film: Film, as_: Browser, lower: Lower
) -> None:
    reviewer = as_("supervisor")
    takes = [
        TakeFactory.create(shot=film.shot, stage=film.take.stage, kind=film.take.kind) for _ in range(MOST)
    ]
    takes.append(film.take)
    told = all_selected(reviewer, Take, "compare", film.take)
    assert "these are the oldest of the 4 selected" in told
    lower("apps.review.admin.verdicts.MOST_ITEMS")
    assert "Select at most 3 takes at a time; nothing was done." in all_selected(
        reviewer, Take, "ask_retake", film.take
    )
    sent = {"to": "retake", "take": [str(take.pk) for take in takes], "note": "Too dark"}
    told = reviewer.post(reverse("admin:review_take_verdict"), sent, follow=True).content.decode()
    assert "Select at most 3 takes at a time" in told
    assert not Take.objects.filter(review_state="retake").exists()
    Take.objects.filter(pk=takes[0].pk).update(review_state="approved")
    told = all_selected(reviewer, Take, "approve", film.take)
    assert "1 take is left as it is" in told
    assert set(Take.objects.values_list("review_state", flat=True)) == {"approved"}
    told = all_selected(reviewer, Take, "approve", film.take)
    assert "4 takes are left as they are" in told and "0 takes" not in told
