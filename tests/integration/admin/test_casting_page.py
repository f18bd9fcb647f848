"""The casting grid: who is in which shot, for a sequence, an episode or a selection."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.characters.models import CharacterReference
from apps.productions.models import Shot, ShotCharacter
from tests.factories import CharacterFactory, CostumeFactory, EpisodeFactory, SequenceFactory, ShotFactory
from tests.integration.admin.conftest import Browser, Film

pytestmark = pytest.mark.django_db

GRID = "/admin/productions/shot/casting/"


def told(browser: Client, **asked: Any) -> dict[str, Any]:
    """What the grid is told."""
    page = browser.get(GRID, asked)
    assert page.status_code == 200
    found = re.search(r'data-told="([^"]*)"', page.content.decode())
    assert found is not None
    answer: dict[str, Any] = json.loads(unescape(found[1]))
    return answer


def test_without_a_project_or_a_sequence_it_is_said_how_to_choose_one(film: Film, as_: Browser) -> None:
    asked = as_("coordinator").get(GRID, follow=True)
    assert asked.redirect_chain[-1][0] == "/admin/productions/sequence/"
    assert "Casting is done by sequence" in asked.content.decode()


def test_a_sequence_stands_there_with_its_shots_and_the_films_characters(film: Film, as_: Browser) -> None:
    sequence = film.shot.sequence
    second = ShotFactory.create(
        sequence=sequence, code="SH0999", order=999, locked_by="bora", locked_at=timezone.now()
    )
    elsa = CharacterFactory.create(project=film.project, code="CH0077", name="Elsa")
    coat = CostumeFactory.create(character=elsa, name="coat")
    gone = CharacterFactory.create(project=film.project, code="CH0078", archived=True)
    cast_of_old = CharacterFactory.create(project=film.project, code="CH0079", archived=True)
    ShotCharacter.objects.create(shot=second, character=elsa, costume=coat, action="runs", order=1)
    ShotCharacter.objects.create(shot=second, character=cast_of_old, order=0)
    CharacterReference.objects.create(
        character=elsa, key="x.png", media_type="image/png", sha256="0" * 64, bytes=1, width=1, height=1
    )

    grid = told(as_("coordinator"), sequence=sequence.pk)
    rows = {row["code"]: row for row in grid["shots"]}
    assert list(rows) == [film.shot.full_code, second.full_code]
    assert [
        (part["character"], part["costume"], part["action"]) for part in rows[second.full_code]["casting"]
    ] == [
        ("CH0079", "", ""),
        ("CH0077", "coat", "runs"),
    ]
    assert (rows[second.full_code]["locked"], rows[second.full_code]["may"]) == ("bora", False)
    assert rows[film.shot.full_code]["may"] is True
    people = {one["code"]: one for one in grid["characters"]}
    assert gone.code not in people
    assert (people["CH0077"]["costumes"], people["CH0079"]["archived"]) == (["coat"], True)
    assert people["CH0077"]["face"].startswith("/media/reference/")


def test_an_artist_may_cast_the_assigned_shots_only(film: Film, as_: Browser) -> None:
    other = ShotFactory.create(sequence=film.shot.sequence, order=999)
    grid = told(as_("artist"), sequence=film.shot.sequence_id)
    assert {row["code"]: row["may"] for row in grid["shots"]} == {
        film.shot.full_code: True,
        other.full_code: False,
    }


def test_an_episode_and_a_selection_have_grids_of_their_own(film: Film, as_: Browser) -> None:
    episode = EpisodeFactory.create(project=film.project)
    inside = ShotFactory.create(sequence=SequenceFactory.create(project=film.project, episode=episode))
    browser = as_("coordinator")
    assert [row["code"] for row in told(browser, episode=episode.pk)["shots"]] == [inside.full_code]
    chosen = {"action": "cast_shots", "_selected_action": [str(film.shot.pk), str(inside.pk)]}
    opened = browser.post(reverse("admin:productions_shot_changelist"), chosen)
    assert opened.status_code == 302
    grid = browser.get(opened["Location"]).content.decode()
    assert film.shot.full_code in grid
    assert inside.full_code in grid


def test_the_grid_is_two_clicks_from_everywhere(film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    sequence = film.shot.sequence
    address = f"{GRID}?sequence={sequence.pk}"
    for page in ("admin:productions_sequence_changelist", "admin:productions_sequence_change"):
        args = [sequence.pk] if page.endswith("_change") else []
        assert address in browser.get(reverse(page, args=args)).content.decode()
    home = browser.get("/admin/").content.decode()
    assert f'href="{GRID}' in home
    opened = told(browser, project__id__exact=film.project.pk)  # the film's first sequence
    assert opened["shots"][0]["code"] == film.shot.full_code


def test_nobody_sees_the_cast_of_another_film(film: Film, other_film: Film, as_: Browser) -> None:
    browser = as_("coordinator")
    assert browser.get(GRID, {"sequence": str(other_film.shot.sequence_id)}).status_code == 404
    assert browser.get(GRID, {"shots": other_film.shot.pk.hex}).status_code == 404
    both = told(browser, shots=f"{other_film.shot.pk.hex},{film.shot.pk.hex}")
    assert [row["code"] for row in both["shots"]] == [film.shot.full_code]
    assert browser.get(GRID, {"sequence": "nonsense"}).status_code == 404


def test_two_hundred_shots_and_thirty_characters_take_no_more_queries_than_one(
    film: Film, as_: Browser
) -> None:
    browser = as_("artist")

    def queries() -> int:
        told(browser, sequence=film.shot.sequence_id)
        with CaptureQueriesContext(connection) as seen:
            told(browser, sequence=film.shot.sequence_id)
        return len(seen)

    few = queries()
    sequence = film.shot.sequence
    people = [CharacterFactory.create(project=film.project) for _ in range(30)]
    more = [
        Shot(project=film.project, sequence=sequence, code=f"SX{n:04}", order=n, status_id="draft")
        for n in range(200)
    ]
    Shot.objects.bulk_create(more)
    ShotCharacter.objects.bulk_create(
        ShotCharacter(shot=shot, character=one, order=place)
        for shot in more
        for place, one in enumerate(people)
    )
    assert queries() == few
