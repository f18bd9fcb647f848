"""The player asks for a piece of a film that lies on S3, and gets that piece alone."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.http import Http404
from django.test import RequestFactory

from apps.common.object_storage import BLOCK, ObjectStorage
from apps.desk.media import Stored, send
from apps.review.services.keeping import keep
from tests.cutting_proxy import CuttingProxy
from tests.s3_fixture import Bucket, S3Server

pytestmark = pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume asynchronous iterators")


def ask(key: str, content: bytes, asked: str) -> Any:
    stored = Stored(key, "video/mp4", hashlib.sha256(content).hexdigest(), "clip.mp4")
    return send(RequestFactory().get("/", headers={"range": asked}), stored)


def test_a_player_seeks_without_fetching_the_film(
    s3_storage: Bucket, s3_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(6 * BLOCK)
    source = tmp_path / "clip.mp4"
    source.write_bytes(content)
    keep(source, "attempts/FROST/a/clip.mp4")
    between = CuttingProxy(int(s3_server.url.rpartition(":")[2]))
    monkeypatch.setenv("AWS_ENDPOINT_URL", between.url)
    s3_storage.files.clear_instance_cache()
    answer = ask("attempts/FROST/a/clip.mp4", content, f"bytes={5 * BLOCK}-{5 * BLOCK + 99}")
    assert answer.status_code == 206
    assert b"".join(answer) == content[5 * BLOCK : 5 * BLOCK + 100]
    assert 0 < between.answered < 3 * BLOCK
    between.close()


def test_a_file_that_is_gone_is_not_found(s3_storage: Bucket) -> None:
    with pytest.raises(Http404):
        ask("attempts/FROST/a/gone.mp4", b"", "bytes=0-")


def test_an_address_that_leaves_the_bucket_is_refused(s3_storage: Bucket) -> None:
    assert isinstance(default_storage, ObjectStorage)
    for key in ("../other/x", "", "/x", "a//b"):
        with pytest.raises(Exception, match="is not a relative path"):
            default_storage.size(key)
