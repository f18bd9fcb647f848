"""Where an acceptance farm keeps its rows: SQLite in its own folder, or a PostgreSQL database of its own.

``SHOTFARM_TEST_DB`` chooses (tests/settings.py). Both answer alike: a query has ``%s`` for its values, and
a row comes as SQLite holds it, so that tests compare one kind of value: ids as 32 hex digits, times and
JSON as text (times in UTC), truth as 0 or 1. Write ``NOT holds_slot``, which both understand.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol
from urllib.parse import urlparse
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader

from tests import copying, postgres

SQLITE: Final = "sqlite"

Row = dict[str, Any]


class FarmDatabase(Protocol):
    """A database that is read from outside the farm. ``url``: the farm's DATABASE_URL, "" for SQLite."""

    @property
    def url(self) -> str: ...

    def rows(self, query: str, *values: object) -> list[Row]:
        """Read, outside every transaction of the farm."""

    def content(self) -> bytes:
        """Return all it holds, as it is stored or row by row, to search in."""

    def copied_to(self, folder: Path) -> FarmDatabase:
        """Return a copy of this database, for a farm whose folder is a copy of this one's."""

    def remove(self) -> None:
        """Remove it, whoever is still connected."""


def new_database(folder: Path) -> FarmDatabase:
    """Make a database, of the kind that this run tests, for a farm in this folder.

    It has its tables, and so the farm's ``migrate`` is soon done; on a studio's server it is empty.
    """
    choice = os.environ["SHOTFARM_TEST_DB"]
    if choice == SQLITE:
        copying.copy_sqlite(folder / SqliteFile.NAME)
        return SqliteFile(folder)
    return PostgresDatabase.filled(choice) if postgres.is_private() else PostgresDatabase.created(choice)


def found_database(folder: Path, url: str) -> FarmDatabase:
    """Return the database with this URL ("": SQLite) of a farm in this folder, made by whatever process."""
    if not url:
        return SqliteFile(folder)
    return PostgresDatabase(os.environ["SHOTFARM_TEST_DB"], urlparse(url).path.removeprefix("/"))


class SqliteFile:
    """The file where farm.settings puts it when no DATABASE_URL is given."""

    NAME: ClassVar = "shotfarm.sqlite3"
    url = ""

    def __init__(self, folder: Path) -> None:
        self._path = folder / self.NAME

    def rows(self, query: str, *values: object) -> list[Row]:
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=20)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute(query.replace("%s", "?"), values)]

    def content(self) -> bytes:
        parts = sorted(self._path.parent.glob(f"{self._path.name}*"))
        return b"".join(part.read_bytes() for part in parts)

    def copied_to(self, folder: Path) -> SqliteFile:
        return SqliteFile(folder)

    def remove(self) -> None:
        """The file goes with its folder."""


class PostgresDatabase:
    """A database on the run's private server."""

    def __init__(self, server: str, name: str) -> None:
        self._server, self._name = server, name
        self.url = urlparse(server)._replace(path=f"/{name}").geturl()

    @classmethod
    def created(cls, server: str, *, template: str = "template1") -> PostgresDatabase:
        """Create it on the server whose maintenance database has this URL."""
        made = cls(server, f"farm_{uuid4().hex[:12]}")
        made._maintain("CREATE DATABASE {} TEMPLATE {}", made._name, template)
        return made

    @classmethod
    def filled(cls, server: str) -> PostgresDatabase:
        """Create it with all tables, on this run's server."""
        made = cls(server, f"farm_{uuid4().hex[:12]}")
        copying.copy_postgres(made._name)
        return made

    def rows(self, query: str, *values: object) -> list[Row]:
        with psycopg.connect(self.url, autocommit=True, row_factory=dict_row) as database:
            database.adapters.register_loader("jsonb", TextLoader)
            found = database.execute(query.encode(), values or None).fetchall()
        return [{name: _as_sqlite_holds_it(value) for name, value in row.items()} for row in found]

    def content(self) -> bytes:
        tables = self.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        with psycopg.connect(self.url, autocommit=True) as database:
            queries = [
                sql.SQL("SELECT * FROM {}").format(sql.Identifier(row["table_name"])) for row in tables
            ]
            return "\n".join(str(row) for query in queries for row in database.execute(query)).encode()

    def copied_to(self, folder: Path) -> PostgresDatabase:
        return self.created(self._server, template=self._name)

    def keep_every_commit(self) -> None:
        """Lose nothing that was committed when the server is stopped at once; the tests' server might."""
        self._maintain("ALTER DATABASE {} SET synchronous_commit = on", self._name)

    def remove(self) -> None:
        self._maintain("DROP DATABASE {} WITH (FORCE)", self._name)

    def _maintain(self, command: str, *names: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as server:
            server.execute(sql.SQL(command).format(*map(sql.Identifier, names)))


def _as_sqlite_holds_it(value: object) -> object:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    return int(value) if isinstance(value, bool) else value
