"""Files of takes: for members, seekable, never run by a browser."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from apps.desk.media import range_of
from apps.review.models import Artifact
from tests.factories import ArtifactFactory
from tests.integration.admin.conftest import Browser, Film

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("artifact_root"),
    # The test client is no ASGI server: it reads the asynchronous stream in one go and says so.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators"),
]

CONTENT = b"0123456789" * 100


def keep(film: Film, media_type: str = "video/mp4") -> Artifact:
    key = f"attempts/{film.attempt.pk}/{media_type.replace('/', '.')}"
    default_storage.save(key, ContentFile(CONTENT))
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    return ArtifactFactory.create(
        take=film.take, key=key, media_type=media_type, bytes=len(CONTENT), sha256=sha256
    )


def get(browser: Client, artifact: Artifact, **headers: str) -> Any:
    return browser.get(reverse("artifact", args=[artifact.pk]), headers=headers)


def body(answer: Any) -> bytes:
    return b"".join(answer)


def test_a_member_sees_the_file_in_place(film: Film, as_: Browser) -> None:
    answer = get(as_("viewer"), keep(film))
    assert body(answer) == CONTENT
    assert answer["Content-Type"] == "video/mp4"
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "private" in answer["Cache-Control"]


def test_a_player_can_seek(film: Film, as_: Browser) -> None:
    answer = get(as_("viewer"), keep(film), range="bytes=990-")
    assert answer.status_code == 206
    assert answer["Content-Range"] == "bytes 990-999/1000"
    assert body(answer) == b"0123456789"


def test_a_range_outside_the_file_is_refused(film: Film, as_: Browser) -> None:
    answer = get(as_("viewer"), keep(film), range="bytes=1000-")
    assert answer.status_code == 416
    assert answer["Content-Range"] == "bytes */1000"


def test_a_file_that_is_already_there_is_not_sent_again(film: Film, as_: Browser) -> None:
    artifact = keep(film)
    assert get(as_("viewer"), artifact, if_none_match=f'"{artifact.sha256}"').status_code == 304


def test_what_a_browser_could_run_is_downloaded(film: Film, as_: Browser) -> None:
    answer = get(as_("viewer"), keep(film, "text/html"))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("who", ("nobody", "viewer"))
def test_files_of_other_films_are_not_there(film: Film, other_film: Film, as_: Browser, who: str) -> None:
    assert get(as_(who), keep(other_film)).status_code == 404


def test_nobody_sees_a_file_without_signing_in(film: Film) -> None:
    assert get(Client(), keep(film)).status_code == 302


def test_a_file_that_is_gone_is_not_found(film: Film, as_: Browser) -> None:
    artifact = keep(film)
    default_storage.delete(artifact.key)
    assert get(as_("viewer"), artifact).status_code == 404


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
    ],
)
def test_ranges_are_read_as_the_standard_says(header: str | None, part: tuple[int, int] | None) -> None:
    assert range_of(header, 100) == part
