"""Filters of lists print a few choices into the page, however many there are; letters find the others."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.characters.models import Character
from apps.presets.models import Look
from apps.projects.models import Membership
from tests.factories import CharacterFactory, CinematicPresetFactory
from tests.integration.admin.conftest import Browser, Film

pytestmark = pytest.mark.django_db

LISTED = 30


def shots(browser: Client, **asked: str) -> str:
    answer = browser.get(reverse("admin:productions_shot_changelist"), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def choices(html: str, name: str) -> list[str]:
    """What a filter offers, by the value in its links."""
    return re.findall(rf"[?;&]{name}=([^&\"]+)", html)


def crowd(film: Film, count: int, *, start: int = 0) -> None:
    """So many characters, presets, looks and members more."""
    numbers = range(start, start + count)
    Character.objects.bulk_create(
        Character(project=film.project, code=f"CH{number:05}", name=f"Guard {number}") for number in numbers
    )
    Look.objects.bulk_create(
        Look(project=film.project, slug=f"look-{number}", name=f"Look {number}", order=number + 100)
        for number in numbers
    )
    people = User.objects.bulk_create(User(username=f"guard{number:05}") for number in numbers)
    hired = (Membership(project=film.project, user=one, role="artist") for one in people)
    Membership.objects.bulk_create(hired)


def test_the_list_of_shots_is_as_small_with_two_thousand_characters(film: Film, as_: Browser) -> None:
    planner, film_only = as_("coordinator"), {"project__id__exact": str(film.project.pk)}
    shots(planner, **film_only)
    counts, sizes = [], []
    for start, count in ((0, LISTED + 10), (1000, 2000)):
        crowd(film, count, start=start)
        with CaptureQueriesContext(connection) as seen:
            page = shots(planner, **film_only)
        counts.append(len(seen))
        sizes.append(len(page))
    assert counts[0] == counts[1]
    assert abs(sizes[1] - sizes[0]) < 1000
    for name in ("characters__id__exact", "assigned", "presets__id__exact", "look"):
        assert len(set(choices(page, name))) <= LISTED + 2, name
    assert page.count("There are more") == 4


def test_a_choice_is_found_by_letters_beside_the_filters_that_stand(
    film: Film, other_film: Film, as_: Browser
) -> None:
    planner = as_("coordinator")
    crowd(film, LISTED + 10)
    kay = CharacterFactory.create(project=film.project, code="KAY", name="Kay of the mill", name_ko="카이")
    CharacterFactory.create(project=other_film.project, code="KAY2", name="Kay the stranger")
    asked = {"project__id__exact": str(film.project.pk), "status__slug__exact": "draft", "p": "2"}
    for typed in ("kay", "mill of", "카이"):
        found = shots(planner, **asked, _find="characters", _typed=typed)
        assert choices(found, "characters__id__exact") == [str(kay.pk)]
        assert "status__slug__exact=draft" in found and "<html" not in found and "p=2" not in found
        assert "_typed" not in "".join(re.findall(r'href="[^"]*"', found))
    korean = planner.get(
        reverse("admin:productions_shot_changelist"),
        {"_find": "characters", "_typed": "kay"},
        headers={"Accept-Language": "ko"},
    ).content.decode()
    assert "카이" in korean
    guard = shots(planner, **asked, _find="assigned", _typed="guard00039")
    assert choices(guard, "assigned")[-1] == "guard00039"
    look = Look.objects.get(name="Look 39")
    assert choices(shots(planner, **asked, _find="look", _typed="look 39"), "look") == [str(look.pk)]
    preset = CinematicPresetFactory.create(project=film.project, name="Our fog machine")
    assert choices(shots(planner, **asked, _find="presets", _typed="fog machine"), "presets__id__exact") == [
        str(preset.pk)
    ]


def test_a_list_of_one_film_offers_what_is_that_films_and_the_studios(
    film: Film, other_film: Film, as_: Browser, people: dict[str, User]
) -> None:
    """To somebody who works on both: a character of the other film is in no shot of this one."""
    Membership.objects.create(project=other_film.project, user=people["coordinator"], role="coordinator")
    planner, here = as_("coordinator"), {"project__id__exact": str(film.project.pk)}
    studios = CinematicPresetFactory.create(name="Fog for all")
    mine, theirs = (
        {
            "characters": CharacterFactory.create(project=one.project, code=f"KAY{number}").pk,
            "sequence": one.shot.sequence.pk,
            "presets": CinematicPresetFactory.create(project=one.project, name="Our fog").pk,
            "look": Look.objects.create(project=one.project, slug="fog", name="Fog", order=500).pk,
        }
        for number, one in enumerate((film, other_film))
    )
    letters = {"characters": "kay", "sequence": "sequence", "presets": "fog", "look": "fog"}
    for name, typed in letters.items():
        value = name if name == "look" else f"{name}__id__exact"
        own, other = str(mine[name]), str(theirs[name])
        assert other not in choices(shots(planner, **here), value), name
        found = choices(shots(planner, **here, _find=name, _typed=typed), value)
        assert own in found and other not in found, name
        assert {own, other} <= set(choices(shots(planner, _find=name, _typed=typed), value)), name
        assert other in choices(shots(planner, **here, **{value: other}), value)  # the chosen one stays
    found = choices(shots(planner, **here, _find="presets", _typed="fog"), "presets__id__exact")
    assert str(studios.pk) in found


def test_what_is_chosen_stays_listed_and_narrows_the_list(film: Film, as_: Browser) -> None:
    planner = as_("coordinator")
    crowd(film, LISTED + 10)
    last = Character.objects.get(code=f"CH{LISTED + 9:05}")
    page = shots(planner, characters__id__exact=str(last.pk), project__id__exact=str(film.project.pk))
    assert last.name in page and film.shot.full_code not in page
    look = Look.objects.get(name="Look 39")
    page = shots(planner, look=str(look.pk))
    assert "Look 39" in page
    assert film.shot.full_code not in shots(planner, look="none-such")
    page = shots(planner, assigned="guard00039", project__id__exact=str(film.project.pk))
    assert "guard00039" in page


def test_choices_are_found_by_whoever_sees_the_list_of_filters_that_it_has(film: Film, as_: Browser) -> None:
    address = reverse("admin:productions_shot_changelist")
    assert as_("nobody").get(address, {"_find": "characters", "_typed": "a"}).status_code == 403
    planner = as_("coordinator")
    assert planner.get(address, {"_find": "none-such", "_typed": "a"}).status_code == 404
    assert planner.get(address, {"_find": "characters", "_typed": "a\0b" * 100}).status_code == 200
    takes = planner.get(reverse("admin:review_take_changelist"), {"_find": "shot__sequence", "_typed": "SQ"})
    assert takes.status_code == 200 and film.shot.sequence.code in takes.content.decode()
