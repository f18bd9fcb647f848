"""Files of takes: by signed addresses for members, seekable, never run by a browser."""

from __future__ import annotations

import hashlib
import html
import re
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.models import User
from apps.accounts.signatures import sign
from apps.characters.models import Character, CharacterReference
from apps.characters.services import reference_url
from apps.common.ids import uuid7
from apps.desk.media import range_of
from apps.productions.models import Shot
from apps.projects.models import Membership
from apps.review.gallery import media_url
from apps.review.models import Artifact, Take
from tests.factories import ArtifactFactory
from tests.integration.admin.conftest import Browser, Film
from tests.integration.admin.rows import listing, page

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("artifact_root"),
    # The test client is no ASGI server: it reads the asynchronous stream in one go and says so.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators"),
]

People = dict[str, User]

CONTENT = b"0123456789" * 100


def keep(film: Film, media_type: str = "video/mp4") -> Artifact:
    key = f"attempts/{film.attempt.pk}/{media_type.replace('/', '.')}"
    default_storage.save(key, ContentFile(CONTENT))
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    return ArtifactFactory.create(
        take=film.take, key=key, media_type=media_type, bytes=len(CONTENT), sha256=sha256
    )


def get(reader: User, artifact: Artifact, **headers: str) -> Any:
    """Fetch by the address a page would show this reader: no session, as a player or curl does."""
    return Client().get(media_url(artifact.pk, reader), headers=headers)


def body(answer: Any) -> bytes:
    return b"".join(answer)


def test_a_member_sees_the_file_in_place(film: Film, people: People) -> None:
    answer = get(people["viewer"], keep(film))
    assert body(answer) == CONTENT
    assert answer["Content-Type"] == "video/mp4"
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "private" in answer["Cache-Control"]


def test_a_player_can_seek(film: Film, people: People) -> None:
    answer = get(people["viewer"], keep(film), range="bytes=990-")
    assert answer.status_code == 206
    assert answer["Content-Range"] == "bytes 990-999/1000"
    assert body(answer) == b"0123456789"


def test_a_range_outside_the_file_is_refused(film: Film, people: People) -> None:
    answer = get(people["viewer"], keep(film), range="bytes=1000-")
    assert answer.status_code == 416
    assert answer["Content-Range"] == "bytes */1000"


def test_a_file_that_is_already_there_is_not_sent_again(film: Film, people: People) -> None:
    artifact = keep(film)
    assert get(people["viewer"], artifact, if_none_match=f'"{artifact.sha256}"').status_code == 304


def test_what_a_browser_could_run_is_downloaded(film: Film, people: People) -> None:
    answer = get(people["viewer"], keep(film, "text/html"))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("who", ("nobody", "viewer"))
def test_files_of_other_films_are_not_there(film: Film, other_film: Film, people: People, who: str) -> None:
    assert get(people[who], keep(other_film)).status_code == 404


@pytest.mark.parametrize("who", ("viewer", "root"))
def test_being_signed_in_is_not_enough(film: Film, as_: Browser, who: str) -> None:
    assert as_(who).get(reverse("artifact", args=[keep(film).pk])).status_code == 403


def changed(address: str, **parts: str) -> str:
    path, _, query = address.partition("?")
    return f"{path}?{urlencode(dict(parse_qsl(query)) | parts)}"


def test_an_address_that_was_changed_is_refused(film: Film, people: People) -> None:
    address = media_url(keep(film).pk, people["viewer"])
    assert Client().get(address).status_code == 200
    later = str(int(time.time()) + 90_000)
    for parts in (
        {"until": later},
        {"by": people["root"].pk.hex},
        {"by": "nobody"},
        {"sig": ""},
        {"sig": "x" * 43},
        {"until": ""},
        {"until": "9" * 40},
        {"until": "-1"},
        {"until": "٣"},
    ):
        assert Client().get(changed(address, **parts)).status_code == 403, parts


def test_a_signature_fits_its_file_only(film: Film, people: People) -> None:
    first, second = keep(film), keep(film, "image/png")
    query = media_url(first.pk, people["viewer"]).partition("?")[2]
    assert Client().get(f"{reverse('artifact', args=[second.pk])}?{query}").status_code == 403
    same_id = CharacterReference.objects.create(
        pk=first.pk, character=film.rows["character"], key="k", sha256="", bytes=1, width=1, height=1
    )
    assert Client().get(f"{reverse('reference-picture', args=[same_id.pk])}?{query}").status_code == 403


def test_an_address_ends(film: Film, people: People, settings: Settings) -> None:
    artifact = keep(film)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        address = media_url(artifact.pk, people["viewer"])
        clock.shift(settings.MEDIA_URL_SECONDS - 1)
        answer = Client().get(address)
        assert answer.status_code == 200
        assert 0 < int(answer["Cache-Control"].split("max-age=")[1].split(",")[0]) <= 1801
        clock.shift(1802)
        answer = Client().get(address)
    assert answer.status_code == 403
    assert "Load the page that shows it again" in answer.content.decode()


def test_a_page_loaded_again_shows_the_same_address(film: Film, people: People) -> None:
    artifact = keep(film)
    with time_machine.travel(datetime(2026, 3, 1, 12, 0, 1, tzinfo=UTC), tick=False) as clock:
        first = media_url(artifact.pk, people["viewer"])
        clock.shift(1700)
        assert media_url(artifact.pk, people["viewer"]) == first
        clock.shift(200)
        assert media_url(artifact.pk, people["viewer"]) != first


def test_an_address_serves_nobody_who_has_left(film: Film, people: People) -> None:
    viewer = people["viewer"]
    artifact = keep(film)
    address = media_url(artifact.pk, viewer)
    Membership.objects.filter(user=viewer).delete()
    assert Client().get(address).status_code == 404
    User.objects.filter(pk=people["root"].pk).update(is_active=False)
    assert Client().get(media_url(artifact.pk, people["root"])).status_code == 403


def test_a_new_password_ends_every_address(film: Film, people: People) -> None:
    viewer = people["viewer"]
    address = media_url(keep(film).pk, viewer)
    viewer.set_password("open another")
    viewer.save()
    assert Client().get(address).status_code == 403


def test_an_address_for_a_file_of_another_film_shows_nothing(
    film: Film, other_film: Film, people: People
) -> None:
    theirs = keep(other_film)
    absent = uuid7()
    for artifact_id in (theirs.pk, absent):
        signed = sign(people["viewer"], f"artifact {artifact_id}")
        answer = Client().get(f"{reverse('artifact', args=[artifact_id])}?{signed}")
        assert answer.status_code == 404


def test_a_file_runs_nothing_and_tells_nobody_its_address(film: Film, people: People) -> None:
    for answer in (
        get(people["viewer"], keep(film)),
        get(people["viewer"], keep(film, "text/html"), range="bytes=0-3"),
        get(people["viewer"], keep(film, "image/png"), range="bytes=5000-"),
    ):
        assert "sandbox" in answer["Content-Security-Policy"]
        assert "default-src 'none'" in answer["Content-Security-Policy"]
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Referrer-Policy"] == "no-referrer"
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer["Cache-Control"].startswith("private")


def test_a_reference_picture_is_fetched_the_same_way(film: Film, people: People) -> None:
    key = default_storage.save("characters/FROST/face.png", ContentFile(CONTENT))
    reference = CharacterReference.objects.create(
        character=film.rows["character"],
        key=key,
        media_type="image/png",
        sha256=hashlib.sha256(CONTENT).hexdigest(),
        bytes=len(CONTENT),
        width=8,
        height=8,
    )
    address = reference_url(reference.pk, people["viewer"])
    assert body(Client().get(address)) == CONTENT
    assert Client().get(address.partition("?")[0]).status_code == 403
    assert Client().get(reference_url(reference.pk, people["nobody"])).status_code == 404


def test_every_picture_on_a_page_has_an_address_that_works(film: Film, as_: Browser) -> None:
    CharacterReference.objects.create(
        character=film.rows["character"], key="characters/face.png", sha256="", bytes=1, width=8, height=8
    )
    for key in (*film.take.artifacts.values_list("key", flat=True), "characters/face.png"):
        default_storage.save(key, ContentFile(CONTENT))
    seen = 0
    for address in (
        listing(Shot),
        listing(Take),
        listing(Character),
        page(film.take),
        page(film.shot),
        page(film.job),
        page(film.rows["character"]),
        reverse("admin:index"),
    ):
        shown = as_("coordinator").get(address).content.decode()
        links = re.findall(r'(?:src|href|poster)="(/media/[^"]+)"', shown)
        found = {html.unescape(link) for link in links}
        assert found, address
        for source in found:
            assert Client().get(source).status_code == 200, (address, source)
        seen += len(found)
    assert seen >= 8


def test_a_file_that_is_gone_is_not_found(film: Film, people: People) -> None:
    artifact = keep(film)
    default_storage.delete(artifact.key)
    assert get(people["viewer"], artifact).status_code == 404


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (None, (0, 100)),
        ("bytes=0-", (0, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=-0", None),
        ("bytes=100-", None),
        ("bytes=20-10", None),
        ("bytes=0-1,5-6", (0, 100)),
        ("lines=1-2", (0, 100)),
        (f"bytes={'9' * 5000}-", (0, 100)),
        (f"bytes=0-{'9' * 5000}", (0, 100)),
    ],
)
def test_ranges_are_read_as_the_standard_says(header: str | None, part: tuple[int, int] | None) -> None:
    assert range_of(header, 100) == part
