"""A real S3 server for tests: SeaweedFS from a wheel, with keys, on free ports."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import fsspec
import pytest
import requests
from pytest_django import Settings

from farm.demo.ports import any_free

WEED: Final = Path(sys.executable).with_name("weed")
START_S: Final = 60.0


class S3Server:
    """One server process. It keeps ports, keys and data when it is stopped and started again."""

    def __init__(self, folder: Path, *, data: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._data = data or folder / "data"
        self._data.mkdir(exist_ok=True)
        self._log = folder / "s3.log"
        self._folder = folder
        self._key, self._secret = "farm", secrets.token_hex(16)
        self._identities = folder / "identities.json"
        self._identities.touch(mode=0o600)
        self._identities.write_text(
            json.dumps(
                {
                    "identities": [
                        {
                            "name": "farm",
                            "credentials": [{"accessKey": self._key, "secretKey": self._secret}],
                            "actions": ["Admin", "Read", "Write", "List"],
                        }
                    ]
                }
            )
        )
        for last in (False, False, True):
            self._ports = _free_ports()
            try:
                self.start()
                return
            except RuntimeError:  # somebody else took one of eight ports meanwhile
                if last:
                    raise

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self._ports['s3.port']}"

    @property
    def environment(self) -> dict[str, str]:
        """The usual variables, and none of whoever runs the tests."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self._key,
            "AWS_SECRET_ACCESS_KEY": self._secret,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def start(self) -> None:
        """Start the process and wait until it answers."""
        command = [
            str(WEED),
            "-logtostderr=true",
            "server",
            f"-dir={self._data}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-filer",
            "-s3",
            f"-s3.config={self._identities}",
            "-s3.iam=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-master.telemetry=false",  # tests talk to nobody
            "-master.volumeSizeLimitMB=64",
            "-volume.max=0",
            *(f"-{name}={port}" for name, port in self._ports.items()),
        ]
        home = {"HOME": str(self._folder), "TMPDIR": str(self._folder)}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, env=os.environ | home, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the S3 server did not start:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        """End it as a power cut would; what was stored stays."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        """Tell whether the door stands open, and the master knows the disk behind it."""
        disks = f"http://127.0.0.1:{self._ports['master.port']}/dir/status"
        try:
            door = requests.get(self.url, timeout=2).status_code == HTTPStatus.FORBIDDEN
            return door and bool(requests.get(disks, timeout=2).json()["Topology"].get("DataCenters"))
        except requests.RequestException:
            return False


def _free_ports() -> dict[str, int]:
    taken: set[int] = set()
    roles = ("master", "volume", "filer", "s3")
    return {name: any_free(taken=taken) for role in roles for name in (f"{role}.port", f"{role}.port.grpc")}


class Bucket:
    """A bucket of a test's own. ``url`` for SHOTFARM_ARTIFACTS; needs the server's variables."""

    def __init__(self, server: S3Server) -> None:
        self.server = server
        self.name = f"film-{secrets.token_hex(4)}"
        self.url = f"s3://{self.name}/artifacts"
        self.files: Any = fsspec.filesystem("s3", use_listings_cache=False)
        self.files.mkdir(self.name)

    def keys(self) -> list[str]:
        """Every key in it."""
        return sorted(path.removeprefix(f"{self.name}/artifacts/") for path in self.files.find(self.name))


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One server for all tests of this process."""
    server = S3Server(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


UseServer = Callable[[S3Server], Bucket]


@pytest.fixture
def use_s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[UseServer]:
    """Point this process at a server and make a bucket there: ``use_s3(server)``."""

    def use(server: S3Server) -> Bucket:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        _forget_clients()
        return Bucket(server)

    yield use
    _forget_clients()


@pytest.fixture
def bucket(s3_server: S3Server, use_s3: UseServer) -> Bucket:
    """An empty bucket on the shared server."""
    return use_s3(s3_server)


@pytest.fixture
def s3_storage(bucket: Bucket, settings: Settings) -> Bucket:
    """The bucket is the artifact store, as Django's default storage sees it."""
    default = {"BACKEND": "apps.common.object_storage.ObjectStorage", "OPTIONS": {"url": bucket.url}}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return bucket


def _forget_clients() -> None:
    """The driver keeps clients, with the keys they were made with."""
    fsspec.get_filesystem_class("s3").clear_instance_cache()
