"""The pages on which takes are looked at: what they tell the script, and how much they ask the database."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from apps.accounts.models import User
from apps.review.models import Playlist, ReviewNote, Take
from apps.review.services.noting import add_note
from apps.review.services.playlists import create_playlist
from tests.factories import ArtifactFactory, ShotFactory, TakeFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import page

pytestmark = pytest.mark.django_db
People = dict[str, User]


def config(answer: Any) -> dict[str, Any]:
    """What the page tells its script."""
    text = answer.content.decode()
    _before, _mark, rest = text.partition('data-config="')
    told: dict[str, Any] = json.loads(unescape(rest.partition('"')[0]))
    return told


def clip(film: Film, **fields: Any) -> Take:
    take: Take = TakeFactory.create(
        shot=fields.pop("shot", film.shot), kind="clip", stage="clip", media_state="ready", **fields
    )
    ArtifactFactory.create(take=take, kind="video", media_type="video/mp4", frames=48, fps=24.0)
    return take


def compare(*takes: Take) -> str:
    question = "&".join(f"take={take.pk}" for take in takes)
    return f"{reverse('admin:review_take_compare')}?{question}"


def test_two_takes_stand_side_by_side_among_the_others_of_their_shot(film: Film, as_: Browser) -> None:
    first, second = clip(film), clip(film)
    told = config(as_("coordinator").get(compare(second, first)))
    keys = [item["take"] for item in told["items"]]
    assert keys == [str(film.take.pk), str(first.pk), str(second.pk)]
    assert (told["a"], told["b"], told["mode"]) == (2, 1, "side")
    item = told["items"][1]
    assert (item["first"], item["clip"]["kind"], item["clip"]["frames"]) == (1001, "video", 48)
    assert "/media/" in item["clip"]["url"]


def test_takes_of_two_films_are_not_compared(film: Film, other_film: Film, as_: Browser) -> None:
    answer = as_("root").get(compare(film.take, other_film.take))
    assert answer.status_code == 302
    told = config(as_("coordinator").get(compare(film.take, other_film.take)))
    assert {item["take"] for item in told["items"]} == {str(film.take.pk)}
    for said in ("", "?take=", "?take=x", "?take=0194d3c2-0000-7000-8000-000000000000"):
        assert as_("coordinator").get(reverse("admin:review_take_compare") + said).status_code == 302


def test_in_the_film_a_take_stands_between_its_neighbours(film: Film, as_: Browser) -> None:
    after = ShotFactory.create(sequence=film.shot.sequence, order=film.shot.order + 10)
    mine, theirs = clip(film), clip(film, shot=after)
    answer = as_("artist").get(reverse("admin:review_take_context", args=[mine.pk]))
    told = config(answer)
    assert [item["take"] for item in told["items"]] == [str(mine.pk), str(theirs.pk)]
    assert (told["reel"], told["ways"]["before"]) == (True, "")
    assert str(theirs.pk) in told["ways"]["after"]


def test_whoever_may_not_decide_gets_no_buttons_for_it(film: Film, as_: Browser) -> None:
    for who, able in (("coordinator", True), ("artist", False)):
        answer = as_(who).get(compare(film.take))
        assert ('data-act="approve"' in answer.content.decode()) == able
        assert config(answer)["items"][0]["may"]["review"] == able


def test_many_takes_are_asked_for_again_with_one_reason(film: Film, as_: Browser) -> None:
    browser, takes = as_("coordinator"), [clip(film), clip(film)]
    listed = reverse("admin:review_take_changelist")
    asked = browser.post(
        listed, {"action": "ask_retake", "_selected_action": [str(take.pk) for take in takes]}
    )
    assert "A retake needs a reason" in asked.content.decode()
    told = {"to": "retake", "take": [str(take.pk) for take in takes]}
    browser.post(reverse("admin:review_take_verdict"), told)
    assert not Take.objects.filter(review_state="retake").exists()
    browser.post(reverse("admin:review_take_verdict"), told | {"note": "too dark"})
    assert Take.objects.filter(review_state="retake").count() == 2


def test_ticked_takes_and_shots_become_playlists(film: Film, as_: Browser) -> None:
    browser, take = as_("coordinator"), clip(film)
    answer = browser.post(
        reverse("admin:review_take_changelist"),
        {"action": "make_playlist", "_selected_action": [str(take.pk), str(film.take.pk)]},
    )
    made = Playlist.objects.get()
    assert answer["Location"] == page(made)
    assert made.items.count() == 2
    form = browser.post(
        reverse("admin:productions_shot_changelist"),
        {"action": "playlist_of", "_selected_action": [str(film.shot.pk)]},
    )
    assert film.shot.full_code in form.content.decode()
    told = {"shots": str(film.shot.pk), "name": "Of shots", "stage": "clip", "which": "latest"}
    browser.post(reverse("admin:review_playlist_of_shots"), told)
    second = Playlist.objects.get(name="Of shots")
    assert list(second.items.values_list("take", flat=True)) == [take.pk]


def test_the_buttons_of_a_playlist_do_what_they_say(film: Film, as_: Browser, people: People) -> None:
    browser, user = as_("coordinator"), people["coordinator"]
    playlist = create_playlist(project=film.project, user=user, name="Monday")
    clip(film)

    def press(**told: str) -> str:
        address = reverse("admin:review_playlist_do", args=[playlist.pk])
        return str(browser.post(address, told, follow=True).content.decode())

    press(do="add", shots=film.shot.full_code, stage="clip", which="latest")
    assert playlist.items.count() == 1
    assert "/client/" in press(do="share", label="Hana", days="3", may_comment="1")
    link = playlist.links.get()
    press(do="revoke", link=str(link.pk))
    assert not playlist.links.get().open
    press(do="change", name="Tuesday", row_version="0")
    playlist.refresh_from_db()
    assert playlist.name == "Monday"  # it was changed since: the takes were added
    press(do="change", name="Tuesday", row_version=str(playlist.row_version), for_clients="1")
    playlist.refresh_from_db()
    assert (playlist.name, playlist.for_clients) == ("Tuesday", True)
    press(do="duplicate")
    assert Playlist.objects.filter(name__startswith="Tuesday,").exists()
    assert "choose one of" in press(do="burn")
    browser.post(reverse("admin:review_playlist_dailies"), {"project": film.project.code})
    assert Playlist.objects.filter(kind="dailies").count() == 1


def test_longer_playlists_and_shots_with_more_takes_take_no_more_queries(
    film: Film, as_: Browser, people: People
) -> None:
    browser, user = as_("coordinator"), people["coordinator"]
    playlist = create_playlist(project=film.project, user=user, name="Monday", takes=[clip(film)])

    def queries(address: str) -> int:
        browser.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(address).status_code == 200
        return len(seen)

    addresses = (
        page(playlist),
        compare(film.take),
        reverse("admin:review_take_context", args=[film.take.pk]),
        reverse("admin:review_playlist_changelist"),
        page(film.shot),
    )
    few = [queries(address) for address in addresses]
    for number in range(5):
        take = clip(film)
        add_note(take, user=user, text="x", frame=1002)
        playlist.items.create(take=take, position=100 + number)
        create_playlist(project=film.project, user=user, name="x", takes=[take])
    assert [queries(address) for address in addresses] == few
    assert ReviewNote.objects.count() == 5


def test_a_client_sees_what_was_shared_and_nothing_else(film: Film, as_: Browser, people: People) -> None:
    browser, user = as_("client"), people["coordinator"]
    shown = create_playlist(
        project=film.project, user=user, name="For them", takes=[film.take], for_clients=True
    )
    hidden = create_playlist(project=film.project, user=user, name="Inside", takes=[clip(film)])
    listed = browser.get(reverse("admin:review_playlist_changelist")).content.decode()
    assert "For them" in listed and "Inside" not in listed
    told = config(browser.get(page(shown)))
    assert [item["take"] for item in told["items"]] == [str(film.take.pk)]
    assert told["items"][0]["may"] == {"review": False, "comment": True}
    assert browser.get(page(hidden)).status_code == 302
    assert browser.get(compare(film.take)).status_code == 403


def test_anonymous_people_are_led_to_the_door(film: Film) -> None:
    assert Client().get(compare(film.take)).status_code == 302
