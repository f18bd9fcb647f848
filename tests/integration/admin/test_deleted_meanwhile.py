"""What somebody else changed is not deleted unseen, and what somebody deleted takes no typed word with it."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.ledger.models import Activity
from apps.materials.models import Material
from apps.productions.models import Location, Shot, ShotCharacter
from apps.productions.outline import delete_shot
from apps.projects.models import Membership
from tests.factories import CharacterFactory, LocationFactory, SequenceFactory, ShotFactory, UserFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import page
from tests.integration.admin.test_forms import form_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def shot(film: Film) -> Shot:
    """A shot of which nothing was made, with a cast of one."""
    sequence = SequenceFactory.create(project=film.project, code="SQ700")
    shot = ShotFactory.create(sequence=sequence, code="SH0070", description="Snow falls")
    shot.casting.create(character=CharacterFactory.create(project=film.project), action="waves")
    return shot


@pytest.fixture
def bob(people: dict[str, User], film: Film) -> User:
    bob = UserFactory.create(username="bob", is_staff=True)
    Membership.objects.create(project=film.project, user=bob, role="admin")
    return bob


def gone_by(bob: User, shot: Shot) -> None:
    now = Shot.objects.get(pk=shot.pk)
    delete_shot(now, user=bob, row_version=now.row_version)


def test_a_save_of_a_deleted_shot_shows_what_was_typed_and_saves_nothing(
    film: Film, shot: Shot, bob: User, as_: Browser
) -> None:
    alice = as_("coordinator")
    sent = form_of(alice, page(shot))
    gone_by(bob, shot)
    before = Activity.objects.count()
    answer = alice.post(page(shot), sent | {"notes": "ask the director", "casting-0-action": "bows"})
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "bob deleted “SQ700_SH0070” on" in shown
    assert "ask the director" in shown
    assert "bows" in shown
    assert not Shot.objects.filter(pk=shot.pk).exists()
    assert Activity.objects.count() == before


def test_saving_once_more_makes_it_again_as_it_was_with_what_was_typed(
    film: Film, shot: Shot, bob: User, as_: Browser
) -> None:
    alice = as_("coordinator")
    sent = form_of(alice, page(shot))
    gone_by(bob, shot)
    shown = alice.post(page(shot), sent | {"notes": "ask the director", "casting-0-action": "bows"})
    assert alice.post(page(shot), form_shown(shown)).status_code == 302
    now = Shot.objects.get(pk=shot.pk)
    assert (now.full_code, now.description, now.notes) == ("SQ700_SH0070", "Snow falls", "ask the director")
    assert [cast.action for cast in now.casting.all()] == ["bows"]


def form_shown(answer: Any) -> dict[str, Any]:
    """What a browser would send of a page whose form was sent once already."""
    assert 'name="bring_back"' in answer.content.decode()
    forms = [answer.context["adminform"].form]
    for inline in answer.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    told = {
        bound.html_name: "" if value is None else value
        for form in forms
        for bound in form
        if (value := bound.value()) is not False
    }
    return told | {"row_version": answer.context["row_version"], "bring_back": "1"}


def test_what_cannot_be_saved_brings_no_half_of_a_shot_back(
    film: Film, shot: Shot, bob: User, as_: Browser
) -> None:
    alice = as_("coordinator")
    sent = form_of(alice, page(shot))
    gone_by(bob, shot)
    shown = alice.post(page(shot), sent | {"casting-0-action": "bows"})
    before = Activity.objects.count()
    answer = alice.post(page(shot), form_shown(shown) | {"code": "no code/"})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors["code"]
    assert (Shot.objects.filter(pk=shot.pk).exists(), Activity.objects.count()) == (False, before)
    assert alice.post(page(shot), form_shown(answer) | {"code": "SH0070"}).status_code == 302
    assert [cast.action for cast in Shot.objects.get(pk=shot.pk).casting.all()] == ["bows"]


def test_who_may_not_make_it_again_gets_back_what_was_typed(
    film: Film, shot: Shot, bob: User, as_: Browser, people: dict[str, User]
) -> None:
    shot.assignees.add(people["artist"])
    artist = as_("artist")
    sent = form_of(artist, page(shot))
    gone_by(bob, shot)
    answer = artist.post(page(shot), sent | {"description": "Hail on the roof"})
    assert answer.status_code == 409
    assert "bob deleted" in answer.content.decode()
    assert "Hail on the roof" in answer.content.decode()
    assert not Shot.objects.filter(pk=shot.pk).exists()


def test_nobody_of_another_film_hears_of_a_deletion(film: Film, shot: Shot, bob: User, as_: Browser) -> None:
    gone_by(bob, shot)
    answer = as_("nobody").post(page(shot), {"description": "x"})
    assert "bob" not in answer.content.decode()
    assert answer.status_code in (302, 403, 404)


@pytest.fixture
def place(film: Film) -> Location:
    return LocationFactory.create(project=film.project, code="QUAY", name="The quay")


def delete_page(row: Location) -> str:
    return reverse("admin:productions_location_delete", args=[row.pk])


def test_what_somebody_changed_meanwhile_is_shown_before_it_is_deleted(
    film: Film, place: Location, bob: User, as_: Browser, people: dict[str, User]
) -> None:
    alice, other = as_("admin"), as_("coordinator")
    asked = alice.get(delete_page(place))
    assert 'name="row_version" value="0"' in asked.content.decode()
    sent = form_of(other, page(place))
    assert other.post(page(place), sent | {"name": "The old quay"}).status_code == 302

    answer = alice.post(delete_page(place), {"post": "yes", "row_version": "0"})
    assert answer.status_code == 200
    [change] = answer.context["meanwhile"]
    assert (change.field, change.was, change.who) == ("name", "The quay", "coordinator")
    assert "coordinator" in answer.content.decode()
    assert Location.objects.filter(pk=place.pk).exists()

    now = str(answer.context["row_version"])
    assert alice.post(delete_page(place), {"post": "yes", "row_version": now}).status_code == 302
    assert not Location.objects.filter(pk=place.pk).exists()


def test_a_deletion_that_names_no_version_asks_again(film: Film, place: Location, as_: Browser) -> None:
    answer = as_("admin").post(delete_page(place), {"post": "yes"})
    assert answer.status_code == 200
    assert Location.objects.filter(pk=place.pk).exists()


def test_ticked_rows_are_deleted_as_they_were_seen(film: Film, place: Location, as_: Browser) -> None:
    admin, other = as_("admin"), LocationFactory.create(project=film.project, code="ROOF")
    at = reverse("admin:productions_location_changelist")
    ticked = {"action": "delete_selected", "_selected_action": [str(place.pk), str(other.pk)]}
    asked = admin.post(at, ticked)
    assert f'name="row_version_{place.pk}" value="0"' in asked.content.decode()
    seen = {f"row_version_{row.pk}": "0" for row in (place, other)}
    sent = form_of(admin, page(place))
    assert admin.post(page(place), sent | {"name": "The old quay"}).status_code == 302

    refused = admin.post(at, ticked | seen | {"post": "yes"})
    assert refused.status_code == 200
    assert ["QUAY" in change.field for change in refused.context["meanwhile"]] == [True]
    assert Location.objects.filter(pk__in=(place.pk, other.pk)).count() == 2

    seen[f"row_version_{place.pk}"] = "1"
    assert admin.post(at, ticked | seen | {"post": "yes"}).status_code == 302
    assert not Location.objects.filter(pk__in=(place.pk, other.pk)).exists()


def test_neither_a_locked_shot_is_deleted_nor_one_with_material(film: Film, shot: Shot, as_: Browser) -> None:
    admin = as_("admin")
    at = reverse("admin:productions_shot_delete", args=[shot.pk])
    Shot.objects.filter(pk=shot.pk).update(locked_by="alice", locked_at=timezone.now())
    answer = admin.post(at, {"post": "yes", "row_version": "0"}, follow=True)
    assert "locked this shot" in answer.content.decode()
    Shot.objects.filter(pk=shot.pk).update(locked_by="", locked_at=None)
    told = {
        "kind": "mask",
        "name": "mask.png",
        "key": "mask.png",
        "media_type": "image/png",
        "medium": "image",
    }
    size = {"sha256": "2" * 64, "bytes": 9, "width": 8, "height": 8, "state": "ready"}
    Material.objects.create(project=film.project, shot=shot, **told, **size)
    answer = admin.post(at, {"post": "yes", "row_version": "0"}, follow=True)
    assert "it is needed by 1" in answer.content.decode()
    assert Shot.objects.filter(pk=shot.pk).exists()

    listed = reverse("admin:productions_shot_changelist")
    ticked = {"action": "delete_selected", "_selected_action": [str(shot.pk)], "post": "yes"}
    answer = admin.post(listed, ticked | {f"row_version_{shot.pk}": "0"}, follow=True)
    assert "it is needed by 1" in answer.content.decode()
    assert Shot.objects.filter(pk=shot.pk).exists()


def test_the_page_that_asks_names_what_keeps_a_row_in_order(film: Film, shot: Shot, as_: Browser) -> None:
    boss, character = as_("admin"), shot.casting.get().character
    for code, order in (("SH0090", 9009), ("SH0080", 9008)):
        later = ShotFactory.create(sequence=shot.sequence, code=code, order=order)
        later.casting.create(character=character)
    asked = boss.get(page(character).replace("/change/", "/delete/")).content.decode()
    assert asked.index("SQ700_SH0070") < asked.index("SQ700_SH0080") < asked.index("SQ700_SH0090")
    asked = boss.get(page(shot.sequence).replace("/change/", "/delete/")).content.decode()
    assert asked.index("SQ700_SH0070") < asked.index("SQ700_SH0080") < asked.index("SQ700_SH0090")


def test_of_many_shots_that_keep_a_character_the_first_are_named_and_the_others_counted(
    film: Film, shot: Shot, as_: Browser, django_assert_max_num_queries: Any
) -> None:
    boss, character = as_("admin"), shot.casting.get().character
    many = ShotFactory.create_batch(60, sequence=shot.sequence, order=9100)
    ShotCharacter.objects.bulk_create(
        ShotCharacter(shot=one, character=character, order=0) for one in reversed(many)
    )
    codes = sorted(f"SQ700_{one.code}" for one in many)
    with django_assert_max_num_queries(20):
        asked = boss.get(page(character).replace("/change/", "/delete/")).content.decode()
    assert asked.index("SQ700_SH0070") < asked.index(codes[0]) < asked.index(codes[48])
    assert codes[49] not in asked and "and 11 more" in asked
    asked = boss.get(page(shot.sequence).replace("/change/", "/delete/")).content.decode()
    assert asked.count("SQ700_SH") < 60 and "and " in asked and " more" in asked
    listed = reverse("admin:characters_character_changelist")
    ticked = {"action": "delete_selected", "_selected_action": [str(character.pk)]}
    assert "and 11 more" in boss.post(listed, ticked).content.decode()
