"""The player asks for a piece of a film that lies on S3, and gets that piece alone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from apps.common.object_storage import BLOCK, ObjectStorage
from apps.review.services.keeping import keep
from tests.cutting_proxy import CuttingProxy
from tests.factories import ArtifactFactory
from tests.integration.admin.conftest import Browser, Film
from tests.s3_fixture import Bucket, S3Server

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators"),
]


def test_a_player_seeks_without_fetching_the_film(
    film: Film,
    as_: Browser,
    s3_storage: Bucket,
    s3_server: S3Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = os.urandom(6 * BLOCK)
    source = tmp_path / "clip.mp4"
    source.write_bytes(content)
    artifact = ArtifactFactory.create(
        take=film.take,
        key="attempts/FROST/a/clip.mp4",
        media_type="video/mp4",
        bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    keep(source, artifact.key)
    between = CuttingProxy(int(s3_server.url.rpartition(":")[2]))
    monkeypatch.setenv("AWS_ENDPOINT_URL", between.url)
    s3_storage.files.clear_instance_cache()
    viewer: Client = as_("viewer")
    answer = viewer.get(
        reverse("artifact", args=[artifact.pk]), headers={"range": f"bytes={5 * BLOCK}-{5 * BLOCK + 99}"}
    )
    assert answer.status_code == 206
    assert b"".join(answer) == content[5 * BLOCK : 5 * BLOCK + 100]
    assert 0 < between.answered < 3 * BLOCK
    between.close()


def test_a_file_that_is_gone_is_not_found(film: Film, as_: Browser, s3_storage: Bucket) -> None:
    artifact = ArtifactFactory.create(take=film.take, key="attempts/FROST/a/gone.png")
    assert as_("viewer").get(reverse("artifact", args=[artifact.pk])).status_code == 404


def test_an_address_that_leaves_the_bucket_is_refused(s3_storage: Bucket) -> None:
    assert isinstance(default_storage, ObjectStorage)
    for key in ("../other/x", "", "/x", "a//b"):
        with pytest.raises(Exception, match="is not a relative path"):
            default_storage.size(key)
