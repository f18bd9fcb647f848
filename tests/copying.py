"""The tables of a migrated database, copied from one test process to another: quicker than migrating."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlparse

import psycopg
from psycopg import sql

from tests import postgres


class Tables(Protocol):
    """How one kind of database is copied, by way of a folder."""

    def begin(self, place: Path) -> str:
        """Make an empty database; return its name for Django."""

    def keep(self, place: Path) -> None:
        """Leave what that database holds in the folder."""

    def copy(self, place: Path) -> None:
        """Make this process's database of it."""


@dataclass(frozen=True)
class _Sqlite:
    name: str

    def begin(self, place: Path) -> str:
        return str(place / "migrated.sqlite3")

    def keep(self, place: Path) -> None:
        """It lies there."""

    def copy(self, place: Path) -> None:
        shutil.copy(place / "migrated.sqlite3", self.name)


@dataclass(frozen=True)
class _Postgres:
    """``pg_dump`` and ``psql``: each process has a server of its own (tests/postgres.py says why)."""

    name: str
    server: str

    def begin(self, place: Path) -> str:
        self._create("migrated")
        return "migrated"

    def keep(self, place: Path) -> None:
        said = postgres.program("pg_dump", "--no-owner", "--dbname", self._url("migrated"))
        (place / "tables.sql").write_text(said)

    def copy(self, place: Path) -> None:
        self._create(self.name)
        script = ("--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--file", str(place / "tables.sql"))
        postgres.program("psql", *script, "--single-transaction", "--dbname", self._url(self.name))

    def _create(self, name: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as server:
            server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _url(self, name: str) -> str:
        return urlparse(self.server)._replace(path=f"/{name}").geturl()


def of_sqlite(name: str) -> Tables:
    """Copy to this file."""
    return _Sqlite(name)


def of_postgres(name: str) -> Tables:
    """Copy to the database of this name on this process's own server."""
    return _Postgres(name, os.environ["SHOTFARM_TEST_DB"])
