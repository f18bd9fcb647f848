"""Takes and their files over HTTP."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from knox.models import AuthToken
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.states import Media
from tests.factories import ArtifactFactory, TakeFactory
from tests.integration.api.conftest import only_error, problem_of

TAKES = "/api/v1/takes"
CONTENT = bytes(range(256)) * 8


@pytest.fixture
def artifact(shots: list[Shot], artifact_root: Path) -> Artifact:
    """A stored original of 2048 bytes."""
    made: Artifact = ArtifactFactory.create(
        take=TakeFactory.create(shot=shots[0], media_state=Media.READY),
        key="attempts/FROST/a/clip.mp4",
        kind="video",
        media_type="video/mp4",
        bytes=len(CONTENT),
        sha256=hashlib.sha256(CONTENT).hexdigest(),
    )
    path = artifact_root / made.key
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return made


def sent(response: Any) -> bytes:
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response)


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_a_take_tells_where_its_files_are(coordinator: APIClient, artifact: Artifact) -> None:
    ArtifactFactory.create(take=artifact.take, role=ArtifactRole.THUMBNAIL, key="takes/x/thumb.webp")
    body = coordinator.get(f"{TAKES}/{artifact.take_id}").json()
    files = {file["role"]: file for file in body["files"]}
    assert set(files) == {"primary", "thumbnail"}
    url = files["primary"]["url"]
    assert url.startswith(f"http://testserver/media/{artifact.pk}/?")
    assert sent(APIClient().get(url)) == CONTENT, "without a token, for a while"
    assert APIClient().get(url.partition("?")[0]).status_code == 403
    assert files["primary"]["sha256"] == artifact.sha256


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_a_file_comes_whole_or_in_the_part_asked_for(coordinator: APIClient, artifact: Artifact) -> None:
    address = f"/api/v1/artifacts/{artifact.pk}/file"
    whole = coordinator.get(address)
    assert (whole.status_code, sent(whole), whole["Content-Type"]) == (200, CONTENT, "video/mp4")
    part = coordinator.get(address, HTTP_RANGE="bytes=100-299")
    assert (part.status_code, sent(part)) == (206, CONTENT[100:300])
    assert part["Content-Range"] == f"bytes 100-299/{len(CONTENT)}"
    assert coordinator.get(address, HTTP_RANGE="bytes=9999-").status_code == 416


def test_under_asgi_a_file_is_sent_in_pieces(people: dict[str, User], artifact: Artifact) -> None:
    _, token = AuthToken.objects.create(user=people["viewer"])

    async def fetch() -> list[bytes]:
        address = f"/api/v1/artifacts/{artifact.pk}/file"
        response: Any = await AsyncClient().get(
            address, headers={"Authorization": f"Token {token}", "Range": "bytes=5-"}
        )
        assert response.is_async
        return [piece async for piece in response]

    assert b"".join(async_to_sync(fetch)()) == CONTENT[5:]


def test_what_a_client_accepts_does_not_keep_the_file_from_it(
    coordinator: APIClient, artifact: Artifact
) -> None:
    response = coordinator.get(f"/api/v1/artifacts/{artifact.pk}/file", HTTP_ACCEPT="video/*")
    assert response.status_code == 200


def test_a_file_that_is_gone_from_the_store_is_not_found(
    coordinator: APIClient, artifact: Artifact, artifact_root: Path
) -> None:
    (artifact_root / artifact.key).unlink()
    problem_of(coordinator.get(f"/api/v1/artifacts/{artifact.pk}/file"), 404)


def test_a_verdict_is_given_with_a_note(coordinator: APIClient, artifact: Artifact) -> None:
    address = f"{TAKES}/{artifact.take_id}/review"
    body = coordinator.post(address, {"to": "retake", "note": "no lantern"}).json()
    assert body["review_state"] == "retake"
    assert Shot.objects.get(pk=artifact.take.shot_id).status_id == "ready"


def test_the_same_verdict_twice_is_no_error(coordinator: APIClient, artifact: Artifact) -> None:
    address = f"{TAKES}/{artifact.take_id}/review"
    assert [coordinator.post(address, {"to": "rejected"}).status_code for _ in range(2)] == [200, 200]


def test_an_unknown_verdict_is_refused(coordinator: APIClient, artifact: Artifact) -> None:
    response = coordinator.post(f"{TAKES}/{artifact.take_id}/review", {"to": "lovely"})
    assert only_error(response, 400) == ("to", "lovely", "invalid_choice")


def test_looking_again_puts_the_take_back_to_processing(coordinator: APIClient, artifact: Artifact) -> None:
    Take.objects.filter(pk=artifact.take_id).update(media_state=Media.MISSING, media_error="gone")
    body = coordinator.post(f"{TAKES}/{artifact.take_id}/look-again").json()
    assert (body["media_state"], body["media_error"]) == ("processing", "")


def test_takes_are_found_by_shot_and_states(coordinator: APIClient, shots: list[Shot]) -> None:
    take = TakeFactory.create(shot=shots[0], review_state="approved", media_state="ready")
    TakeFactory.create(shot=shots[1])
    for question in (
        {"shot": str(shots[0].pk)},
        {"review_state": "approved"},
        {"media_state": "ready"},
        {"job_id": str(take.job_id)},
    ):
        found = coordinator.get(TAKES, question).json()["results"]
        assert [row["id"] for row in found] == [str(take.pk)]


def test_a_list_takes_as_many_queries_for_twenty_takes_as_for_two(
    coordinator: APIClient, shots: list[Shot]
) -> None:
    def queries(more: int) -> int:
        for take in TakeFactory.create_batch(more, shot=shots[0]):
            ArtifactFactory.create(take=take)
        with CaptureQueriesContext(connection) as asked:
            assert coordinator.get(TAKES).status_code == 200
        return len(asked)

    assert queries(2) == queries(18) <= 8
