"""Two people at one form: nobody's edit is lost, and each hears of the other's."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.ledger.models import Activity
from apps.presets.models import CinematicPreset
from apps.productions.models import Shot, ShotCharacter
from apps.productions.services import move_shot_status
from apps.projects.models import Membership, Project
from tests.factories import CharacterFactory, ShotFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import page
from tests.integration.admin.test_forms import form_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _the_artist_works_on_it(film: Film, people: dict[str, User]) -> None:
    film.shot.assignees.add(people["artist"])


def save(browser: Client, row: Any, sent: dict[str, Any], **typed: str) -> Any:
    return browser.post(page(row), sent | typed)


def test_a_stale_save_saves_nothing_and_shows_who_changed_what(film: Film, as_: Browser) -> None:
    alice, bob = as_("coordinator"), as_("artist")
    hers, his = form_of(alice, page(film.shot)), form_of(bob, page(film.shot))
    assert save(bob, film.shot, his, frames="72", description="Bob's snow").status_code == 302

    answer = save(alice, film.shot, hers, frames="60", notes="ask the director")
    assert answer.status_code == 200
    shot = Shot.objects.get(pk=film.shot.pk)
    assert (shot.frames, shot.description, shot.notes) == (72, "Bob's snow", film.shot.notes)

    told = {change.field: change for change in answer.context["meanwhile"]}
    assert set(told) == {"frames", "description"}
    assert (told["frames"].was, told["frames"].typed, told["frames"].who) == (
        str(film.shot.frames), "60", "artist"
    )  # fmt: skip
    shown = answer.content.decode()
    assert "Somebody else saved this after you opened it" in shown
    assert "<ins>72</ins>" in shown
    assert 'value="60"' in shown
    assert "ask the director" in shown  # what was typed is still there


def test_saving_once_more_is_a_decision(film: Film, as_: Browser) -> None:
    alice, bob = as_("coordinator"), as_("artist")
    hers = form_of(alice, page(film.shot))
    save(bob, film.shot, form_of(bob, page(film.shot)), frames="72", dialogue="Brr.")

    refused = save(alice, film.shot, hers, frames="60")
    again = hers | {"frames": "60", "row_version": refused.context["row_version"], "dialogue": "Brr."}
    assert save(alice, film.shot, again).status_code == 302
    shot = Shot.objects.get(pk=film.shot.pk)
    assert (shot.frames, shot.dialogue) == (60, "Brr.")
    newest = Activity.objects.first()
    assert newest is not None
    assert (newest.actor, newest.changes) == ("coordinator", {"frames": [72, 60]})


def sent_back(answer: Any) -> dict[str, Any]:
    """What the page sends if somebody presses Save again."""
    forms = [answer.context["adminform"].form]
    for inline in answer.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    again: dict[str, Any] = {
        bound.html_name: "" if value is None else value
        for form in forms
        for bound in form
        if (value := bound.value()) is not False
    }
    return again | {"row_version": answer.context["row_version"]}


def test_saving_once_more_takes_nothing_back_that_one_never_touched(film: Film, as_: Browser) -> None:
    """Presets, continuity, cast, place and numbers: what only the other changed stays the other's."""
    alice, bob = as_("coordinator"), as_("artist")
    before = ShotFactory.create(sequence=film.shot.sequence)
    film.shot.presets.clear()
    close_up = CinematicPreset.objects.get(slug="close-up", project=None)
    picking = {"picked-shown": "1", f"picked-of-{close_up.category_id}": str(close_up.pk)}
    hers, his = form_of(alice, page(film.shot)), form_of(bob, page(film.shot))
    bobs = {"seed": "77", "continues": before.full_code, "casting-0-action": "Bob waves", "location": ""}
    assert save(bob, film.shot, his | picking, **bobs).status_code == 302

    refused = save(alice, film.shot, hers | {"picked-shown": "1"}, description="Alice's snow")
    assert refused.status_code == 200
    told = {change.name: change.untouched for change in refused.context["meanwhile"]}
    names = ("location", "seed", "continues", "shotcharacter", "picked")
    assert told == dict.fromkeys(names, True), refused.context["meanwhile"]
    html = " ".join(refused.content.decode().split())
    assert "theirs stands in the form now" in html
    assert f'value="{close_up.pk}" checked' in html

    assert save(alice, film.shot, sent_back(refused) | picking).status_code == 302
    shot = Shot.objects.get(pk=film.shot.pk)
    assert (shot.description, shot.seed) == ("Alice's snow", 77)
    assert (shot.continuity_from, shot.location) == (before, None)
    assert [row.action for row in shot.casting.all()] == ["Bob waves"]
    assert list(shot.presets.all()) == [close_up]


@pytest.mark.parametrize("what", ["presets", "continues"])
def test_presets_and_continuity_are_part_of_the_form(film: Film, as_: Browser, what: str) -> None:
    """They are called otherwise there: a save that would put them back is stopped all the same."""
    alice, bob = as_("coordinator"), as_("artist")
    hers, his = form_of(alice, page(film.shot)), form_of(bob, page(film.shot))
    if what == "presets":
        close_up = CinematicPreset.objects.get(slug="close-up", project=None)
        his |= {"picked-shown": "1", f"picked-of-{close_up.category_id}": str(close_up.pk)}
    else:
        his["continues"] = ShotFactory.create(sequence=film.shot.sequence).full_code
    assert save(bob, film.shot, his).status_code == 302
    assert save(alice, film.shot, hers | {"picked-shown": "1"}, notes="hers").status_code == 200


def test_what_was_typed_into_a_casting_that_somebody_deleted_is_kept(film: Film, as_: Browser) -> None:
    alice, bob = as_("coordinator"), as_("artist")
    sent = form_of(alice, page(film.shot))
    cast = ShotCharacter.objects.get(shot=film.shot)
    newcomer = CharacterFactory.create(project=film.project)
    his = form_of(bob, page(film.shot))
    newly = {
        "casting-TOTAL_FORMS": "2",
        "casting-1-character": str(newcomer.pk),
        "casting-1-order": "1",
        "casting-0-DELETE": "on",
    }
    assert save(bob, film.shot, his, **newly).status_code == 302
    assert [row.character for row in film.shot.casting.all()] == [newcomer]

    refused = save(alice, film.shot, sent, **{"casting-0-action": "waves from the roof"})
    assert refused.status_code == 200
    assert "waves from the roof" in refused.content.decode()
    assert [change.field for change in refused.context["meanwhile"]] == ["casting"]

    # She presses Save again: the page as it stands now goes back.
    assert save(alice, film.shot, sent_back(refused)).status_code == 302
    assert {row.character_id: row.action for row in film.shot.casting.all()} == {
        newcomer.pk: "",
        cast.character_id: "waves from the roof",
    }


def test_a_status_moved_meanwhile_is_no_reason_to_refuse_a_text(film: Film, as_: Browser) -> None:
    alice = as_("coordinator")
    sent = form_of(alice, page(film.shot))
    assert move_shot_status(film.shot, to="on_hold", user=None)
    assert save(alice, film.shot, sent, description="Snow").status_code == 302
    shot = Shot.objects.get(pk=film.shot.pk)
    assert (shot.description, shot.status_id) == ("Snow", "on_hold")


def test_a_save_that_changes_nothing_disturbs_nobody(film: Film, as_: Browser) -> None:
    alice, bob = as_("coordinator"), as_("artist")
    hers = form_of(alice, page(film.shot))
    assert save(bob, film.shot, form_of(bob, page(film.shot))).status_code == 302
    assert save(alice, film.shot, hers, frames="60").status_code == 302
    assert Activity.objects.filter(kind="shot").count() == 1


def test_lines_that_end_as_a_browser_ends_them_are_no_change(film: Film, as_: Browser) -> None:
    """A text that came with an import ends its lines otherwise; saving its form says nothing about it."""
    Shot.objects.update(description="Snow.\nWind.")
    alice, bob = as_("coordinator"), as_("artist")
    hers, his = (form_of(one, page(film.shot)) | {"description": "Snow.\r\nWind."} for one in (alice, bob))
    assert save(bob, film.shot, his).status_code == 302
    assert not Activity.objects.exists()

    assert save(bob, film.shot, his, description="Snow.\r\nWind.\r\nBob's hail.").status_code == 302
    assert Shot.objects.get(pk=film.shot.pk).description == "Snow.\nWind.\nBob's hail."
    refused = save(alice, film.shot, hers, notes="ask the director")
    [told] = refused.context["meanwhile"]
    assert told.untouched, "she typed nothing there"
    assert save(alice, film.shot, sent_back(refused)).status_code == 302
    shot = Shot.objects.get(pk=film.shot.pk)
    assert (shot.description, shot.notes) == ("Snow.\nWind.\nBob's hail.", "ask the director")


def test_a_form_without_a_version_is_shown_again(film: Film, as_: Browser) -> None:
    alice = as_("coordinator")
    sent = form_of(alice, page(film.shot))
    del sent["row_version"]
    answer = save(alice, film.shot, sent, frames="60")
    assert "does not say which version" in answer.content.decode()
    assert Shot.objects.get(pk=film.shot.pk).frames == film.shot.frames


def test_members_are_part_of_their_project(film: Film, as_: Browser) -> None:
    """A role given by one admin is not taken back by the form another admin has open."""
    one, two = as_("admin"), as_("root")
    opened = form_of(one, page(film.project))
    theirs = form_of(two, page(film.project))
    row = next(name for name, value in theirs.items() if name.endswith("-role") and value == "artist")
    assert save(two, film.project, theirs, **{row: "coordinator"}).status_code == 302
    answer = save(one, film.project, opened, name="Frost!")
    assert [change.field for change in answer.context["meanwhile"]] == ["members"]
    assert Project.objects.get(pk=film.project.pk).name == film.project.name
    assert Membership.objects.get(project=film.project, user__username="artist").role == "coordinator"
