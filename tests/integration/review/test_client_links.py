"""A client link shows one playlist to somebody without an account, and nothing else, until it ends."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.common.ids import uuid7
from apps.ledger.models import Activity
from apps.projects.roles import Role
from apps.review.links import address_of, file_url
from apps.review.models import ArtifactRole, ClientGuest, ClientLink, Playlist, ReviewNote, Take
from apps.review.services.noting import add_note
from apps.review.services.playlists import create_playlist, remove_takes
from apps.review.services.sharing import create_link, revoke_link
from tests.factories import ArtifactFactory, MembershipFactory, ShotFactory, TakeFactory

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("artifact_root"),
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators"),
]


@dataclass
class Shared:
    """A playlist of one take, shared; a second take of the film is not in it."""

    take: Take
    other: Take
    playlist: Playlist
    link: ClientLink
    user: User

    @property
    def address(self) -> str:
        return address_of(self.link)

    @property
    def notes(self) -> str:
        return f"{self.address}notes/"


@pytest.fixture(autouse=True)
def _nobody_came_before() -> None:
    cache.clear()


@pytest.fixture
def shared() -> Shared:
    shot = ShotFactory.create(status_id="review")
    told: dict[str, Any] = {"shot": shot, "stage": "clip", "kind": "clip", "media_state": "ready"}
    take, other = TakeFactory.create(**told), TakeFactory.create(**told)
    for one in (take, other):
        for role, key in ((ArtifactRole.PRIMARY, "original"), (ArtifactRole.PROXY, "proxy")):
            kept = default_storage.save(f"{one.pk}/{key}.mp4", ContentFile(b"0123456789"))
            ArtifactFactory.create(
                take=one, role=role, key=kept, kind="video", media_type="video/mp4", frames=48, fps=24.0
            )
    user = MembershipFactory.create(project=shot.project, role=Role.COORDINATOR).user
    playlist = create_playlist(project=shot.project, user=user, name="For Hana", takes=[take])
    return Shared(take, other, playlist, create_link(playlist, user=user), user)


def come(shared: Shared, name: str = "Hana", **told: str) -> Client:
    browser = Client()
    answer = browser.post(shared.address, {"name": name, **told})
    assert answer.status_code == 302, answer.content.decode()
    return browser


def page(browser: Client, shared: Shared) -> str:
    answer = browser.get(shared.address)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def files_on(text: str) -> list[str]:
    return sorted(set(re.findall(r"/client/file/[^\"\\ ]+", text)))


def test_a_guest_says_a_name_once_and_sees_the_playlist(shared: Shared) -> None:
    first = Client().get(shared.address)
    assert first.status_code == 200
    assert "Your name" in first.content.decode()
    assert shared.take.shot.full_code not in first.content.decode()
    browser = come(shared)
    for _visit in range(2):
        text = page(browser, shared)
        assert shared.take.shot.full_code in text and "For Hana" in text
    shared.link.refresh_from_db()
    assert shared.link.views == 2
    assert [guest.name for guest in ClientGuest.objects.all()] == ["Hana"]


def test_a_name_has_letters_that_are_seen_and_turns_no_line_around(shared: Shared) -> None:
    come(shared, "\u202eHana\u200b  Kim")
    assert [guest.name for guest in ClientGuest.objects.all()] == ["Hana Kim"]
    assert Client().post(shared.address, {"name": "\u200b\u202e"}).status_code == 400


def test_the_page_leads_nowhere_but_to_itself(shared: Shared) -> None:
    text = page(come(shared), shared)
    assert "/admin/" not in text and "/api/" not in text
    assert str(shared.other.pk) not in text
    assert str(shared.playlist.project_id) not in text
    assert shared.user.username not in text


def test_every_answer_says_it_is_neither_kept_nor_indexed(shared: Shared) -> None:
    browser = come(shared)
    for answer in (
        browser.get(shared.address),
        browser.get(shared.notes, {"take": str(shared.take.pk)}),
        Client().get(shared.address),
    ):
        assert "noindex" in answer["X-Robots-Tag"]
        assert "no-store" in answer["Cache-Control"]
        assert answer["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert browser.get(shared.address)["Referrer-Policy"] == "no-referrer"


def test_the_cookie_is_for_this_link_alone_and_no_script_reads_it(shared: Shared) -> None:
    cookie = come(shared).cookies["shotfarm_guest"]
    assert cookie["path"] == shared.address
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_a_guest_plays_the_proxy_in_parts(shared: Shared) -> None:
    browser = come(shared)
    (url,) = files_on(page(browser, shared))
    answer = Client().get(url, headers={"range": "bytes=0-3"})
    assert (answer.status_code, b"".join(answer)) == (206, b"0123")
    assert "noindex" in answer["X-Robots-Tag"]


def guest_of(shared: Shared) -> ClientGuest:
    come(shared)
    return ClientGuest.objects.select_related("link").latest("created_at")


def test_originals_and_takes_outside_the_playlist_are_not_to_be_had(shared: Shared) -> None:
    guest = guest_of(shared)
    wrong = [
        shared.take.artifacts.get(role=ArtifactRole.PRIMARY).pk,
        *shared.other.artifacts.values_list("pk", flat=True),
        uuid7(),
    ]
    for pk in wrong:
        assert Client().get(file_url(pk, guest)).status_code == 404
    # the member's own address for files knows no guest
    own = shared.take.artifacts.get(role=ArtifactRole.PROXY)
    question = file_url(own.pk, guest).partition("?")[2]
    assert Client().get(f"{reverse('artifact', args=[own.pk])}?{question}").status_code == 403


def test_a_changed_address_of_a_file_is_refused(shared: Shared) -> None:
    own = shared.take.artifacts.get(role=ArtifactRole.PROXY)
    guest = guest_of(shared)
    good = file_url(own.pk, guest)
    assert Client().get(good).status_code == 200
    someone = guest_of(shared)
    for bad in (
        good.partition("?")[0],
        good[:-2],
        good.replace(guest.pk.hex, someone.pk.hex),
        good.replace(guest.pk.hex, "nobody"),
        re.sub(r"until=\d+", "until=99999999999", good),
        re.sub(r"until=\d+", "until=1", good),
        re.sub(r"until=\d+", "until=soon", good),
    ):
        assert Client().get(bad).status_code == 403, bad


def test_files_end_with_their_time_and_never_outlive_the_link(shared: Shared) -> None:
    own = shared.take.artifacts.get(role=ArtifactRole.PROXY)
    guest = guest_of(shared)
    url = file_url(own.pk, guest)
    with time_machine.travel(timezone.now() + timedelta(hours=2), tick=False):
        assert Client().get(url).status_code == 403
        assert Client().get(file_url(own.pk, guest)).status_code == 200
    last = shared.link.expires_at - timedelta(minutes=5)
    with time_machine.travel(last, tick=False):
        until = int(re.search(r"until=(\d+)", file_url(own.pk, guest))[1])  # type: ignore[index]
    assert until <= shared.link.expires_at.timestamp()


def test_revoking_ends_the_page_the_notes_and_the_files_at_once(shared: Shared) -> None:
    browser = come(shared)
    (url,) = files_on(page(browser, shared))
    assert revoke_link(shared.link, user=shared.user)
    assert not revoke_link(shared.link, user=shared.user)
    written = Activity.objects.filter(kind="client_link", verb="revoked").get()
    assert (written.actor, written.changes["revoked_by"]) == (
        shared.user.username,
        ["", shared.user.username],
    )
    assert written.project == shared.link.playlist.project_id
    assert browser.get(shared.address).status_code == 410
    assert browser.post(shared.address, {"name": "Hana"}).status_code == 410
    assert browser.get(shared.notes, {"take": str(shared.take.pk)}).status_code == 410
    told = browser.post(shared.notes, {}, headers={"Accept": "application/json"})
    assert (told.status_code, told.json()["detail"]) == (
        410,
        "This link has ended. Ask whoever sent it for a new one.",
    )
    assert Client().get(url).status_code == 403


def test_revoking_ends_a_film_that_is_being_sent(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    (url,) = files_on(page(come(shared), shared))
    monkeypatch.setattr("apps.common.streaming.CHUNK", 4)
    monkeypatch.setattr("apps.desk.client_media.ASKED_EVERY_S", 0.0)
    assert b"".join(Client().get(url)) == b"0123456789"
    answer = Client().get(url)
    assert revoke_link(shared.link, user=shared.user)
    assert b"".join(answer) == b""


def test_files_of_one_link_are_not_fetched_without_end(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.desk.client_media.FILES", "3/min")
    (url,) = files_on(page(come(shared), shared))
    answers = [Client().get(url) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1]["Retry-After"] == "60"
    assert Client().get(url, REMOTE_ADDR="192.0.2.7").status_code == 200
    other = create_link(shared.playlist, user=shared.user)
    guest = ClientGuest.objects.create(link=other, name="Kay")
    own = shared.take.artifacts.get(role=ArtifactRole.PROXY)
    assert Client().get(file_url(own.pk, guest)).status_code == 200


def test_a_link_ends_by_itself(shared: Shared) -> None:
    browser = come(shared)
    with time_machine.travel(shared.link.expires_at + timedelta(seconds=1), tick=False):
        assert browser.get(shared.address).status_code == 410
        assert "has ended" in browser.get(shared.address).content.decode()


def test_a_take_that_is_taken_out_of_the_playlist_is_gone_for_the_guest(shared: Shared) -> None:
    browser = come(shared)
    (url,) = files_on(page(browser, shared))
    remove_takes(shared.playlist, [shared.take.pk], user=shared.user)
    assert Client().get(url).status_code == 404
    assert shared.take.shot.full_code not in page(browser, shared)
    assert browser.get(shared.notes, {"take": str(shared.take.pk)}).status_code == 400


@pytest.mark.parametrize("change", ["key", "signature", "none", "other"])
def test_a_forged_address_is_no_address(shared: Shared, change: str) -> None:
    token = shared.address.strip("/").rpartition("/")[2]
    key, _dot, signature = token.partition(".")
    forged = {
        "key": f"{uuid7().hex}.{signature}",
        "signature": f"{key}.{signature[:-1]}{'A' if signature[-1] != 'A' else 'B'}",
        "none": key,
        "other": f"{shared.playlist.pk.hex}.{signature}",
    }[change]
    for address in (f"/client/{forged}/", f"/client/{forged}/notes/"):
        assert Client().get(address).status_code == 404


def test_a_password_is_asked_and_tries_are_counted(shared: Shared) -> None:
    shared.link = create_link(shared.playlist, user=shared.user, password="lantern")
    wrong = Client().post(shared.address, {"name": "Hana", "password": "candle"})
    assert (wrong.status_code, "not the password" in wrong.content.decode()) == (400, True)
    assert "shotfarm_guest" not in wrong.cookies
    assert shared.take.shot.full_code in page(come(shared, password="lantern"), shared)
    answers = [
        Client().post(shared.address, {"name": "x", "password": f"guess{n}"}).status_code for n in range(12)
    ]
    assert answers[-1] == 429
    assert ClientGuest.objects.count() == 1


def test_a_cookie_of_another_link_or_a_forged_one_opens_nothing(shared: Shared) -> None:
    mark = come(shared).cookies["shotfarm_guest"].value
    second = create_link(shared.playlist, user=shared.user, password="lantern")
    for forged in (mark, mark[:-1], "nonsense", f"{uuid7().hex}.{mark.partition('.')[2]}", ""):
        browser = Client()
        browser.cookies["shotfarm_guest"] = forged
        answer = browser.get(address_of(second))
        assert "Your name" in answer.content.decode()
        body = {"take": str(shared.take.pk), "text": "x"}
        sent = browser.post(f"{address_of(second)}notes/", body, content_type="application/json")
        assert sent.status_code == 403
    assert not ReviewNote.objects.exists()


def test_a_guest_comments_and_reads_what_clients_may_read(shared: Shared) -> None:
    add_note(shared.take, user=shared.user, text="Between us: too dark")
    add_note(shared.take, user=shared.user, text="Better now?", visibility="client")
    browser = come(shared)
    body = {"take": str(shared.take.pk), "text": "Lovely", "frame": 1010, "visibility": "internal"}
    sent = browser.post(shared.notes, body, content_type="application/json")
    assert sent.status_code == 201
    note = ReviewNote.objects.get(text="Lovely")
    assert (note.author, note.user, note.visibility, note.playlist) == (
        "Hana",
        None,
        "client",
        shared.playlist,
    )
    read = browser.get(shared.notes, {"take": str(shared.take.pk)}).json()["results"]
    assert [one["text"] for one in read] == ["Better now?", "Lovely"]
    assert read[1]["frame"] == 1010


@pytest.mark.parametrize(
    "change",
    [
        {"take": "OTHER"},
        {"take": "x"},
        {"take": None},
        {"frame": "1010"},
        {"frame": True},
        {"frame": 3},
        {"text": ""},
        {"text": 5},
        {"text": "x" * 5000},
        {"drawing": [{"tool": "pen"}], "frame": 1010},
        {"reply_to": "INTERNAL"},
    ],
)
def test_a_guests_bad_note_is_refused_and_nothing_is_written(shared: Shared, change: dict[str, Any]) -> None:
    internal = add_note(shared.take, user=shared.user, text="Between us")
    words = {"OTHER": str(shared.other.pk), "INTERNAL": str(internal.pk)}
    told = {
        name: words.get(value, value) if isinstance(value, str) else value for name, value in change.items()
    }
    body = {"take": str(shared.take.pk), "text": "Lovely"} | told
    answer = come(shared).post(shared.notes, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["message"]
    assert ReviewNote.objects.count() == 1


def test_what_is_no_json_is_refused(shared: Shared) -> None:
    browser = come(shared)
    for body in (b"{", b"[]", b"null", b"\xff"):
        assert browser.post(shared.notes, body, content_type="application/json").status_code == 400


def test_a_link_to_look_takes_no_notes(shared: Shared) -> None:
    shared.link = create_link(shared.playlist, user=shared.user, may_comment=False)
    browser = come(shared)
    assert "data-new-note" not in page(browser, shared)
    body = {"take": str(shared.take.pk), "text": "Lovely"}
    assert browser.post(shared.notes, body, content_type="application/json").status_code == 403


def test_who_writes_without_end_is_stopped(shared: Shared) -> None:
    browser = come(shared)
    body = {"take": str(shared.take.pk), "text": "Lovely"}
    codes = [browser.post(shared.notes, body, content_type="application/json").status_code for _ in range(22)]
    assert (codes[0], codes[-1]) == (201, 429)


def test_a_page_of_another_site_writes_nothing(shared: Shared) -> None:
    browser = come(shared)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies.update(browser.cookies)
    body = {"take": str(shared.take.pk), "text": "Lovely"}
    assert strict.post(shared.notes, body, content_type="application/json").status_code == 403
    assert strict.post(shared.address, {"name": "Hana"}).status_code == 403


def test_a_guest_is_nobody_anywhere_else(shared: Shared) -> None:
    browser = come(shared)
    for address in ("/admin/", "/api/v1/takes", f"/api/v1/playlists/{shared.playlist.pk}", "/api/v1/notes"):
        assert browser.get(address).status_code in (302, 401), address


def test_links_are_made_with_care(shared: Shared) -> None:
    wrongs: tuple[dict[str, Any], ...] = (
        {"days": 0},
        {"days": 181},
        {"password": "abc"},
        {"label": "x" * 121},
    )
    for wrong in wrongs:
        with pytest.raises(Refused):
            create_link(shared.playlist, user=shared.user, **wrong)
    for role in (Role.ARTIST, Role.CLIENT):
        user = MembershipFactory.create(project=shared.playlist.project, role=role).user
        with pytest.raises(NotAllowed):
            create_link(shared.playlist, user=user)
        with pytest.raises(NotAllowed):
            revoke_link(shared.link, user=user)
    assert ClientLink.objects.count() == 1


def test_an_archived_film_is_closed_to_guests(shared: Shared) -> None:
    browser = come(shared)
    (url,) = files_on(page(browser, shared))
    shared.playlist.project.archived = True
    shared.playlist.project.save()
    assert Client().get(url).status_code == 403
    assert browser.get(shared.address).status_code == 410
