"""How a database is dumped at one moment and put back whole: PostgreSQL by its tools, SQLite by itself."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction

from apps.keeping.backups.manifest import BackupError, Manifest
from apps.keeping.backups.references import Rows
from farm.logs import redacted

CHUNK: Final = 1024 * 1024
SQLITE: Final = "sqlite"
LOCK_S: Final = 15
"""How long a restore waits for others to let go of the tables."""

_PARAMETERS: Final = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "service": "PGSERVICE",
    "passfile": "PGPASSFILE",
    "options": "PGOPTIONS",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslcrl": "PGSSLCRL",
    "channel_binding": "PGCHANNELBINDING",
    "gssencmode": "PGGSSENCMODE",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}
"""What libpq is told, by environment variables: arguments would show in the list of processes."""


@dataclass(frozen=True)
class Snapshot:
    """A dump that was written, and the database as it was at that moment, to be asked while this lasts."""

    dump: Path
    rows: Rows
    tables: dict[str, int]
    migrations: list[tuple[str, str]]


@contextmanager
def dumped(folder: Path) -> Iterator[Snapshot]:
    """Dump the database into this folder. Nobody who works on it waits. Raises BackupError."""
    made = _dumped_sqlite(folder) if connection.vendor == SQLITE else _dumped_postgres(folder)
    with made as (dump, rows):
        tables = [str(name) for (name,) in rows(_TABLES[connection.vendor])]
        counts = {name: _only(rows(f'SELECT count(*) FROM "{name}"')) for name in sorted(tables)}  # noqa: S608 - as told by the database
        migrations = [
            (str(a), str(b)) for a, b in rows("SELECT app, name FROM django_migrations ORDER BY id")
        ]
        yield Snapshot(dump, rows, counts, migrations)


_TABLES: Final = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
}


def is_empty() -> bool:
    """Whether nothing would be lost: no tables, or none of them holds a person or a film."""
    with connection.cursor() as cursor:
        there = set(connection.introspection.table_names(cursor))
        for table in {"accounts_user", "projects_project"} & there:
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}")')  # noqa: S608 - one of two
            if cursor.fetchone()[0]:
                return False
    return True


def require_readable(dump: Path) -> None:
    """Raise BackupError unless the dump can be read from the beginning to the end."""
    if connection.vendor == SQLITE:
        try:
            with closing(sqlite3.connect(f"{_reading(dump)}&immutable=1", uri=True)) as copy:
                told = _only(copy.execute("PRAGMA integrity_check"))
        except sqlite3.Error as exc:
            raise BackupError(f"{dump} is no database that can be read: {exc}") from exc
        if told != "ok":
            raise BackupError(f"{dump} is damaged: {told}")
        return
    command = [_tool("pg_restore"), "--file=-", str(dump)]
    done = _run(command)
    _require_done(done.returncode, done.stderr, f"{dump} cannot be read")


def put_back(dump: Path, manifest: Manifest) -> None:
    """Replace all that is in the database by a dump; nothing is changed unless every row is there at the end.

    Raises BackupError.
    """
    connection.close()
    if connection.vendor == SQLITE:
        _put_back_sqlite(dump, manifest)
    else:
        _put_back_postgres(dump, manifest)


@contextmanager
def _dumped_sqlite(folder: Path) -> Iterator[tuple[Path, Rows]]:
    dump = folder / "database.sqlite3"
    source = Path(connection.settings_dict["NAME"])
    with closing(sqlite3.connect(dump)) as copy:
        with closing(sqlite3.connect(_reading(source), uri=True, timeout=20)) as database:
            database.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, also when it is looked at
        yield dump, copy.execute


def _reading(file: Path) -> str:
    """Name a database that is only read: "%", "?" and "#" mean something in such an address."""
    return f"{file.absolute().as_uri()}?mode=ro"


@contextmanager
def _dumped_postgres(folder: Path) -> Iterator[tuple[Path, Rows]]:
    dump = folder / "database.dump"
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            cursor.execute("SELECT pg_export_snapshot()")
            moment = cursor.fetchone()[0]
        command = [_tool("pg_dump"), "--format=custom", "--no-owner", "--no-privileges"]
        command += [f"--snapshot={moment}", f"--file={dump}"]
        done = _run(command)
        _require_done(done.returncode, done.stderr, "the database cannot be dumped")

        def rows(statement: str) -> Iterable[Any]:
            with connection.chunked_cursor() as asking:
                asking.execute(statement)
                yield from asking

        yield dump, rows


def _put_back_sqlite(dump: Path, manifest: Manifest) -> None:
    target = Path(connection.settings_dict["NAME"])
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(f"{_reading(dump)}&immutable=1", uri=True)) as copy:
            for table, count in manifest.tables.items():
                if _only(copy.execute(f'SELECT count(*) FROM "{table}"')) != count:  # noqa: S608 - reads a copy, opened to read
                    raise BackupError(f"the dump does not hold the {count} rows of {table}")
            with closing(sqlite3.connect(target, timeout=LOCK_S)) as database:
                database.execute("PRAGMA journal_mode = WAL")
                copy.backup(database)  # one transaction
                database.execute("PRAGMA journal_mode = WAL")
    except sqlite3.Error as exc:
        told = "the database cannot be written; is everything stopped that uses it?"
        raise BackupError(f"{told} ({exc})") from exc


def _put_back_postgres(dump: Path, manifest: Manifest) -> None:
    """One transaction of psql: what was there goes, the dump comes, rows are counted, and only then COMMIT.

    Whoever dies on the way, psql reads no COMMIT, and the database stays what it was.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        schema = str(cursor.fetchone()[0])
    connection.close()
    psql = [_tool("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    reading = [_tool("pg_restore"), "--no-owner", "--no-privileges", "--no-comments", "--file=-", str(dump)]
    with (
        tempfile.TemporaryFile() as psql_said,
        tempfile.TemporaryFile() as reader_said,
        _begun(psql, stdin=subprocess.PIPE, stderr=psql_said) as writer,
        _begun(reading, stdout=subprocess.PIPE, stderr=reader_said) as reader,
    ):
        assert writer.stdin is not None  # noqa: S101 - pipes, as asked for
        assert reader.stdout is not None  # noqa: S101 - pipes, as asked for
        try:
            writer.stdin.write(f"BEGIN;\nSET LOCAL lock_timeout = '{LOCK_S}s';\n{_DROP_ALL}\n".encode())
            shutil.copyfileobj(reader.stdout, writer.stdin, CHUNK)
            if reader.wait() == 0:
                writer.stdin.write(f"{_counted(schema, manifest.tables)}\nCOMMIT;\n".encode())
            writer.stdin.close()
        except BrokenPipeError:
            reader.kill()  # psql ended: it says why
        writer.wait()
        for said in (psql_said, reader_said):
            said.seek(0)
        _require_done(writer.returncode, psql_said.read(), "the database was not restored, and is as it was")
        _require_done(reader.wait(), reader_said.read(), f"{dump} cannot be read; the database is as it was")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # a dump holds no statistics, and queries are planned by them
    connection.close()


_DROP_ALL: Final = """DO $do$ DECLARE told text; BEGIN
  SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') INTO told
    FROM pg_tables WHERE schemaname = current_schema();
  IF told IS NOT NULL THEN EXECUTE 'DROP TABLE ' || told || ' CASCADE'; END IF;
  FOR told IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
  LOOP EXECUTE 'DROP ROUTINE ' || told || ' CASCADE'; END LOOP;
END $do$;"""
"""What is ours: tables, and the functions of their triggers. Extensions stay; the dump asks for its own."""


def _counted(schema: str, tables: Mapping[str, int]) -> str:
    """Statements that fail unless each table holds so many rows."""
    return "\n".join(
        f'DO $do$ BEGIN IF (SELECT count(*) FROM "{schema}"."{name}") <> {count} THEN '  # noqa: S608 - an identifier and a number
        f"RAISE EXCEPTION 'the dump does not hold the {count} rows of {name}'; END IF; END $do$;"
        for name, count in tables.items()
        if name.isidentifier()
    )


def _run(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.run(command, env=_environment(), stdout=nowhere, stderr=pipe, check=False)  # noqa: S603 - ours


def _begun(command: list[str], **pipes: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=_environment(), **pipes)  # noqa: S603 - our own command line


def _environment() -> dict[str, str]:
    told = connection.get_connection_params()
    named = {_PARAMETERS[name]: str(value) for name, value in told.items() if name in _PARAMETERS and value}
    return {**os.environ, **named}


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is not on PATH; install PostgreSQL's client tools (postgresql-client)")
    return found


def _require_done(code: int, said: bytes, told: str) -> None:
    if code:
        words = redacted(said.decode(errors="replace").strip())[-2000:]
        raise BackupError(f"{told}: {words or f'exit code {code}'}")


def _only(rows: Iterable[Any]) -> Any:
    return next(iter(rows))[0]
