"""The web side with its store on S3, against a real server: the road of a take, from slate to preview."""

from __future__ import annotations

import hashlib
import json

import pytest
from django.conf import settings
from django.core.files.storage import default_storage

from apps.accounts.models import User
from apps.projects.models import Project
from apps.renders.models import Job
from apps.renders.services import sweep
from apps.renders.services.dispatch import dispatch
from apps.renders.services.record import Recorded
from apps.renders.states import JobState
from apps.review.models import ArtifactRole, Take
from apps.review.services import process_media
from apps.review.services.store_marker import ensure_store_marker
from apps.review.services.takes import folder_of
from apps.review.states import Media
from farm.contracts import MANIFEST_NAME, STORE_MARKER
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, attempt_of, dispatched, node_falls_silent, press
from tests.integration.renders.test_farm_store import put
from tests.s3_fixture import Bucket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates", "s3_storage")]


def test_the_marker_is_written_once(s3_storage: Bucket) -> None:
    ensure_store_marker()
    before = s3_storage.files.cat_file(f"{s3_storage.url}/{STORE_MARKER}")
    ensure_store_marker()
    assert s3_storage.files.cat_file(f"{s3_storage.url}/{STORE_MARKER}") == before


def test_a_rendered_picture_becomes_a_take_with_its_previews(
    node24: Hand, job: Job, s3_storage: Bucket
) -> None:
    dispatch()
    assert node24.finishes(node24.claimed()) is Recorded.DONE
    take = Take.objects.get()
    process_media(take.pk)
    take.refresh_from_db()
    assert take.media_state == Media.READY, take.media_error
    for artifact in take.artifacts.all():
        with default_storage.open(artifact.key) as stored:
            assert hashlib.sha256(stored.read()).hexdigest() == artifact.sha256
    assert {a.role for a in take.artifacts.all()} >= {ArtifactRole.PRIMARY, ArtifactRole.THUMBNAIL}
    assert set(s3_storage.keys()) == {a.key for a in take.artifacts.all()}


def test_media_work_done_twice_replaces_its_files(node24: Hand, job: Job) -> None:
    dispatch()
    node24.finishes(node24.claimed())
    take = Take.objects.get()
    for _ in range(2):
        Take.objects.update(media_state=Media.PROCESSING)
        process_media(take.pk)
        take.refresh_from_db()
        assert take.media_state == Media.READY, take.media_error


def test_success_without_its_file_is_no_take(node24: Hand, job: Job) -> None:
    dispatch()
    order = node24.claimed()
    assert node24.finishes(order, node24.success(order, store=False)) is Recorded.UNSTORED


def test_a_lost_report_is_found_in_the_manifest(node24: Hand, job: Job) -> None:
    dispatch()
    order = node24.claimed()
    node24.writes_manifest(order)
    node_falls_silent()
    assert sweep.sweep() == 1
    assert again(job).state == JobState.SUCCEEDED


def test_a_slate_is_drawn_into_the_store_once(
    node24: Hand, film: Project, coordinator: User, s3_storage: Bucket
) -> None:
    for take in (1, 2):
        press(film, coordinator, "plain_slate", key=f"slate {take}")
    (slate,) = dispatched(node24).inputs
    stored = s3_storage.files.cat_file(f"{s3_storage.url}/{slate.key}")
    assert hashlib.sha256(stored).hexdigest() == slate.sha256


def test_a_node_uploads_through_the_farm_into_the_bucket(node24: Hand, job: Job, s3_storage: Bucket) -> None:
    ensure_store_marker()
    dispatch()
    attempt = attempt_of(node24.claimed())
    put(attempt, MANIFEST_NAME, json.dumps({"version": 1}).encode())
    key = f"{folder_of('FROST', attempt.pk)}/{MANIFEST_NAME}"
    assert s3_storage.keys() == [STORE_MARKER, key]
    assert not list((settings.VAR / "uploads").rglob("*.part"))
    assert list((settings.VAR / "uploads").rglob("ledger.json"))
