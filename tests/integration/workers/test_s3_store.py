"""The artifact store on S3, as a node uses it; against a real server."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from farm.contracts import STORE_MARKER
from tests.integration.workers.waiting import until
from tests.s3_fixture import Bucket, S3Server, UseServer
from tests.small_disk_fixture import SmallDisk
from tests.unit.workers.facts import order
from workers.errors import StoreFull, StoreUnavailable
from workers.s3_store import S3Store
from workers.settings import SettingsError
from workers.stores import open_store

MIB = 1024**2


def marked(bucket: Bucket) -> S3Store:
    bucket.files.pipe_file(f"{bucket.name}/artifacts/{STORE_MARKER}", b"this farm's\n")
    store = open_store(bucket.url, min_free=0)
    assert isinstance(store, S3Store)
    return store


def test_files_are_stored_and_read_back(bucket: Bucket, tmp_path: Path) -> None:
    store = marked(bucket)
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(os.urandom(60 * MIB))  # above 50 MiB the driver sends several parts
    store.put(clip, "attempts/FROST/a1/clip.mp4")
    store.write(b"{}", "attempts/FROST/a1/manifest.json")
    assert bucket.keys() == [STORE_MARKER, "attempts/FROST/a1/clip.mp4", "attempts/FROST/a1/manifest.json"]
    with store.of(order()).reading("attempts/FROST/a1/clip.mp4") as file:
        assert file.read() == clip.read_bytes()
    with pytest.raises(FileNotFoundError), store.reading("attempts/FROST/a1/other.mp4"):
        pass


def test_a_bucket_without_the_marker_is_not_the_farms(bucket: Bucket, tmp_path: Path) -> None:
    store = open_store(bucket.url, min_free=0)
    assert "is not the farm's" in store.check()
    with pytest.raises(StoreUnavailable, match="is not the farm's"):
        store.of(order()).write(b"{}", "attempts/FROST/a1/manifest.json")
    assert bucket.keys() == []


def test_wrong_keys_are_said_to_be_wrong(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    store = marked(bucket)
    assert store.check() == ""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    bucket.files.clear_instance_cache()
    assert "cannot be read: Forbidden" in open_store(bucket.url, min_free=0).check()


def test_a_server_that_is_away_is_nobodys_fault_and_comes_back(use_s3: UseServer, tmp_path: Path) -> None:
    server = S3Server(tmp_path / "s3")
    try:
        store = marked(use_s3(server))
        server.stop()
        with pytest.raises(StoreUnavailable, match="cannot be read"):
            store.write(b"{}", "attempts/FROST/a1/manifest.json")
        server.start()
        until(lambda: store.check() == "")
        store.write(b"{}", "attempts/FROST/a1/manifest.json")
    finally:
        server.stop()


def test_a_full_server_is_said_to_fail_and_nothing_is_half_written(
    use_s3: UseServer, small_disk: SmallDisk, tmp_path: Path
) -> None:
    server = S3Server(tmp_path / "s3", data=small_disk(64))
    try:
        bucket = use_s3(server)
        store = marked(bucket)
        clip = tmp_path / "clip.mp4"
        clip.write_bytes(os.urandom(100 * MIB))
        with pytest.raises(
            StoreUnavailable, match=r"failed while writing attempts/a1/clip.mp4.*has it room\?"
        ):
            store.put(clip, "attempts/a1/clip.mp4")
        assert bucket.keys() == [STORE_MARKER]
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("code", "error"), [("XMinioStorageFull", StoreFull), ("InternalError", StoreUnavailable)]
)
def test_servers_that_say_full_are_believed(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, code: str, error: type[StoreUnavailable]
) -> None:
    store = marked(bucket)

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "failed") from ClientError({"Error": {"Code": code}}, "PutObject")

    monkeypatch.setattr(store._files, "pipe_file", fail)
    with pytest.raises(StoreUnavailable) as failure:
        store.write(b"{}", "attempts/a1/manifest.json")
    assert type(failure.value) is error


def test_a_plain_node_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "workers.s3_store", None)
    with pytest.raises(SettingsError, match="requirements-s3"):
        open_store("s3://bucket/prefix", min_free=0)
