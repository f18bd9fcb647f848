"""New databases with all tables in them, copied from one that was migrated, which takes twenty times as long.

What migrations make is kept in var/tables, under a name that tells all that may have a part in it: every file
of the farm's own packages, and the locks of the others, PostgreSQL among them. Runs side by side make it
once, and so do runs one after another, until one of those files changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import urlparse

import psycopg
from psycopg import sql

from farm.demo.processes import ROOT, plain_environment
from tests import postgres
from tests.made_once import made_once

KEPT: Final = ROOT / "var" / "tables"
LONG_S: Final = 24 * 3600.0
_SOURCES: Final = ("apps", "farm", "workflows")
_LOCKS: Final = ("requirements.txt", "requirements/dev.txt")
_FILE: Final = "shotfarm.sqlite3"
_SCRIPT: Final = "tables.sql"
_MIGRATED: Final = "migrated"


def copy_sqlite(file: Path) -> None:
    """Make this file a database with all tables."""
    shutil.copy(_kept("sqlite") / _FILE, file)


def copy_postgres(name: str) -> None:
    """Make a database of this name, with all tables, on the server of this run (SHOTFARM_TEST_DB).

    ``pg_dump`` and ``psql`` do it: each of pytest-xdist's workers has a server of its own.
    """
    script = _kept("postgres") / _SCRIPT
    _maintain("CREATE DATABASE {}", name)
    arguments = ("--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", str(script))
    postgres.program("psql", *arguments, "--single-transaction", "--dbname", _url(name))


def _kept(kind: str) -> Path:
    KEPT.mkdir(parents=True, exist_ok=True)
    place = KEPT / f"{kind}-{_content()}"
    made_once(place, _with_sqlite if kind == "sqlite" else _with_postgres)
    os.utime(place)  # it is in use: nobody's to remove
    return place


@cache
def _content() -> str:
    """Tell one state of the sources from another: as they were when this process began with them."""
    return _digest()


def _digest() -> str:
    digest = hashlib.sha256(b"".join((ROOT / lock).read_bytes() for lock in _LOCKS))
    for source in _SOURCES:
        for file in sorted((ROOT / source).rglob("*")):
            if file.is_file() and file.parent.name != "__pycache__":
                digest.update(b"\0".join((str(file.relative_to(ROOT)).encode(), file.read_bytes(), b"")))
    return digest.hexdigest()[:16]


def _with_sqlite(place: Path) -> None:
    _migrate(place, url="")
    _forget_old()


def _with_postgres(place: Path) -> None:
    _maintain("DROP DATABASE IF EXISTS {}", _MIGRATED)  # whoever began it has failed
    _maintain("CREATE DATABASE {}", _MIGRATED)
    _migrate(place, url=_url(_MIGRATED))
    said = postgres.program("pg_dump", "--no-owner", "--dbname", _url(_MIGRATED))
    (place / _SCRIPT).write_text(said)
    _maintain("DROP DATABASE {}", _MIGRATED)
    _forget_old()


def _migrate(place: Path, *, url: str) -> None:
    """Migrate as a studio does, in a process of its own: in this one Django may have no database yet."""
    settings = {
        "DJANGO_SETTINGS_MODULE": "farm.settings",
        "DJANGO_SECRET_KEY": "only-to-migrate-" + "x" * 50,
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "SHOTFARM_VAR": str(place),
        "DATABASE_URL": url,
    }
    command = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0", "--no-input"]
    done = subprocess.run(
        command, env=plain_environment() | settings, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"the migrations failed:\n{done.stdout}{done.stderr}")
    if _digest() != _content():
        raise RuntimeError("a source was changed while its tables were made; they are not kept: start again")


def _forget_old() -> None:
    """Remove what was kept of sources that have changed since; another run may be copying the newest."""
    for place in KEPT.iterdir():
        with suppress(FileNotFoundError):  # another run has removed it
            if place.stat().st_mtime < time.time() - LONG_S:
                shutil.rmtree(place) if place.is_dir() else place.unlink()


def _maintain(command: str, name: str) -> None:
    with psycopg.connect(os.environ["SHOTFARM_TEST_DB"], autocommit=True) as server:
        server.execute(sql.SQL(command).format(sql.Identifier(name)))


def _url(name: str) -> str:
    return urlparse(os.environ["SHOTFARM_TEST_DB"])._replace(path=f"/{name}").geturl()
