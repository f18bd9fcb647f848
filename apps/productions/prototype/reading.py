"""Open what the prototype left: a project folder with data.json, or its SQLite database.

Both give the same documents. What cannot be read at all is refused; a part that cannot is left out and told;
what is odd inside is for the mapping.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from apps.common.errors import Problem, Refused
from apps.productions.prototype.decoding import Decoded, decoded, legible, settled
from apps.productions.prototype.opening import opened, read_json, refused
from apps.productions.prototype.report import About, Report

MOST_JSON: Final = 64 * 1024 * 1024
MOST_DATABASE: Final = 2 * 1024**3
MOST_ROWS: Final = 100_000
MOST_CELL: Final = 4 * 1024 * 1024
MOST_SIDECAR: Final = 256 * 1024
_SQLITE: Final = b"SQLite format 3\x00"

Document = Mapping[str, Any]

_ONE: Final = {"shots": "shot", "characters": "character", "cinematics": "cinematic", "jobs": "job"}
"""The tables, and what the report calls a row of each."""
_JSON_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "shots": ("subjects", "environment", "technical", "character_ids", "reference_images"),
    "cinematics": ("filters", "raw_data"),
    "jobs": ("params", "output_files"),
}
"""Columns of the database that hold JSON."""


@dataclass(frozen=True)
class Prototype:
    """A project as it was found. ``folder``: where its files are; ``confirmed``: shots its sidecars lock."""

    name: str
    folder: Path | None
    shots: tuple[Document, ...]
    characters: tuple[Document, ...]
    cinematics: tuple[Document, ...]
    jobs: tuple[Document, ...] = ()
    description: str = ""
    confirmed: frozenset[str] = field(default_factory=frozenset)


def read_prototype(source: Path, report: Report, *, name: str = "", files: Path | None = None) -> Prototype:
    """Read a project folder, a folder of such folders, or a database. ``name``: which of several.

    ``files``: the project's folder, for a database. What had to be left out or mended to read it is noted in
    the report. Raises Refused: what is wrong, what would be right.
    """
    if files is not None and not files.is_dir():
        raise refused(files, "there is no such folder; name the project's folder, or leave out --files")
    if not source.exists():
        raise refused(source, "there is no such file or folder; name the project's folder or its database")
    if source.is_dir():
        return _from_folder(_one_folder(source, name), report)
    with opened(source):
        head = source.open("rb").read(len(_SQLITE))
    if head == _SQLITE:
        return _from_database(source, report, name, files)
    if source.name == "data.json" or head.lstrip()[:1] == b"{":
        return _from_folder(source.parent, report, source)
    raise refused(source, "this is neither a folder, nor data.json, nor an SQLite database")


def _one_folder(source: Path, name: str) -> Path:
    if name:
        if Path(name).name != name or name in {".", ".."}:
            raise Refused(Problem("source", name, "write the name of one of its folders", code="invalid"))
        return source / name
    if (source / "data.json").is_file():
        return source
    inside = sorted(one.parent for one in source.glob("*/data.json"))[:50]
    if len(inside) == 1:
        return inside[0]
    if inside:
        names = ", ".join(one.name for one in inside)
        raise refused(source, f"there are several projects; choose one by --name: {names}")
    raise refused(source, "there is no data.json in it; name the folder of one project")


def _from_folder(folder: Path, report: Report, file: Path | None = None) -> Prototype:
    file = file or folder / "data.json"
    if not file.is_file():
        raise refused(file, "there is no such file; name the folder of one project")
    data, is_text = read_json(file, MOST_JSON, report.about(file.name))
    if not isinstance(data, dict):
        raise refused(file, "it holds no project: it must begin with {")
    rows = {table: _records(file, data, table, report) for table in _ONE}
    odd = [table for table in _ONE if not isinstance(data.get(table), list | dict | None)]
    if odd and not (rows["shots"] or rows["characters"] or rows["cinematics"]):
        raise refused(file, f"“{odd[0]}” must be a list")
    head = {name: data.get(name) for name in ("project_id", "description")}
    if not is_text:
        head = settled(head, "", report.about(file.name))
        rows = {table: tuple(_settled(table, some, report)) for table, some in rows.items()}
    return Prototype(
        name=str(head["project_id"] or folder.resolve().name),
        folder=folder,
        description=str(head["description"] or ""),
        confirmed=_confirmed(folder, rows["shots"], report),
        **rows,
    )


def _records(file: Path, data: Document, table: str, report: Report) -> tuple[Document, ...]:
    found = data.get(table)
    if found is None:
        return ()
    if isinstance(found, dict):  # by id, as some hands wrote it
        found = [{"id": key, **value} if isinstance(value, dict) else value for key, value in found.items()]
    if not isinstance(found, list):
        report.about(file.name).dropped(table, legible(found), "no list; nothing of it was taken")
        return ()
    if len(found) > MOST_ROWS:
        raise refused(file, f"“{table}” has {len(found)} entries; at most {MOST_ROWS} are taken at once")
    return tuple(one if isinstance(one, dict) else {"_unreadable": one} for one in found)


def _settled(table: str, rows: Sequence[Document], report: Report) -> Iterator[Document]:
    for place, row in enumerate(rows):
        about = _about(table, place, row, report)
        yield {
            str(legible(name)): settled(value, name.removeprefix("_unreadable"), about)
            for name, value in row.items()
        }


def _about(table: str, place: int, row: Document, report: Report) -> About:
    """Name a row as the mapping does."""
    return report.about(f"{_ONE[table]} {legible(row.get('id')) or place + 1}")


def _confirmed(folder: Path, shots: tuple[Document, ...], report: Report) -> frozenset[str]:
    """The shots whose sidecar says that they were confirmed; a sidecar that cannot be read locks nothing."""
    wanted = {str(shot.get("id")) for shot in shots}
    found: set[str] = set()
    for path in _sidecars(folder):
        about = report.about(path.relative_to(folder).as_posix())
        try:
            told, _is_text = read_json(path, MOST_SIDECAR, about)
        except Refused as unread:
            about.dropped("", None, f"it locks nothing: {unread.problems[0].message}")
            continue
        if isinstance(told, dict) and (told.get("confirmed") is True or told.get("locked") is True):
            named = str(told.get("shot_id") or path.parent.name)
            if named in wanted:
                found.add(named)
    return frozenset(found)


def _sidecars(folder: Path) -> Iterator[Path]:
    """JSON files beside shots: scenes/SCENE/shots/SHOT/*.json, none of them through a link."""
    top = folder.resolve()
    for path in sorted(folder.glob("scenes/*/shots/*/*.json"))[:MOST_ROWS]:
        if path.is_file() and path.resolve().is_relative_to(top):
            yield path


def _from_database(source: Path, report: Report, name: str, files: Path | None) -> Prototype:
    if source.stat().st_size > MOST_DATABASE:
        raise refused(source, "it is larger than 2 GB; this is no database of one studio's projects")
    try:
        with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.text_factory = decoded
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_CELL)
            return _from_tables(source, connection, report, name, files)
    except (sqlite3.Error, OverflowError, UnicodeError) as exc:
        raise refused(source, f"the database cannot be read: {exc}") from exc


def _from_tables(
    source: Path, connection: sqlite3.Connection, report: Report, name: str, files: Path | None
) -> Prototype:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "shots" not in tables:
        raise refused(source, "it has no table “shots”: this is none of the prototype's databases")
    project = _one_project(source, connection, tables, name)
    rows = {
        table: tuple(_table(source, connection, table, project, report)) if table in tables else ()
        for table in _ONE
    }
    described = None
    if "projects" in tables:
        for row in _rows_of(connection, "projects", "id", project):
            about = report.about(f"project {project}")
            told = {name: settled(value, name, about) for name, value in dict(row).items()}
            described = described or told.get("description")
    folder = files or _beside(source, project)
    return Prototype(
        name=project,
        folder=folder,
        description=str(described or ""),
        confirmed=_confirmed(folder, rows["shots"], report) if folder else frozenset(),
        **rows,
    )


def _one_project(source: Path, connection: sqlite3.Connection, tables: set[str], name: str) -> str:
    names = {
        str(row[0] or "") for row in connection.execute("SELECT DISTINCT CAST(project_id AS TEXT) FROM shots")
    }
    if "" in names:
        raise refused(source, "some of its shots have no project_id; write there whose they are")
    if "projects" in tables:
        names |= {str(row[0]) for row in connection.execute("SELECT CAST(id AS TEXT) FROM projects")}
    listed = ", ".join(sorted(names)[:50])
    if name:
        if name not in names:
            raise Refused(Problem("source", name, f"there is no such project in it; there are: {listed}"))
        return name
    if not names:
        raise refused(source, "there is no project in it")
    if len(names) > 1:
        raise refused(source, f"there are several projects; choose one by --name: {listed}")
    return names.pop()


def _table(
    source: Path, connection: sqlite3.Connection, table: str, project: str, report: Report
) -> Iterator[Document]:
    columns = {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}
    if "project_id" not in columns:
        told = "it has no column “project_id”: nobody can say whose its rows are; nothing of it was taken"
        report.about(f"table {table}").dropped("", None, told)
        return
    found = _rows_of(connection, table, "project_id", project)
    if len(found) > MOST_ROWS:
        raise refused(source, f"“{table}” has more than {MOST_ROWS} rows; that many are not taken at once")
    for place, row in enumerate(found):
        about = _about(table, place, dict(row), report)
        yield _row(dict(row), _JSON_COLUMNS.get(table, ()), about)


def _rows_of(connection: sqlite3.Connection, table: str, column: str, project: str) -> list[sqlite3.Row]:
    """The rows of one project, however its name is written in this table: by the very bytes found there."""
    names = connection.execute(f"SELECT DISTINCT CAST({column} AS TEXT) FROM {table}")  # noqa: S608 - ours
    spelled = [one.raw if isinstance(one, Decoded) else one for (one,) in names if one == project]
    query = (
        f"SELECT * FROM {table} WHERE CAST({column} AS TEXT) IN "  # noqa: S608 - our own words
        f"({', '.join(['CAST(? AS TEXT)'] * len(spelled))}) ORDER BY rowid LIMIT ?"
    )
    return connection.execute(query, (*spelled, MOST_ROWS + 1)).fetchall()


def _row(row: dict[str, Any], columns: Sequence[str], about: About) -> Document:
    """A row as the JSON file would have it: without NULLs, every text legible, JSON columns read."""
    row = {name: settled(value, name, about) for name, value in row.items() if value is not None}
    row.pop("project_id", None)
    for name in columns:
        if isinstance(row.get(name), str):
            try:
                row[name] = json.loads(row[name])
            except (ValueError, RecursionError):
                about.dropped(name, row.pop(name), "the database holds no JSON there")
    if "use_lora" in row:
        row["use_lora"] = bool(row["use_lora"])
    return {name: value for name, value in row.items() if value is not None}


def _beside(source: Path, project: str) -> Path | None:
    """The project's folder where the prototype keeps it, beside its database."""
    if not project or Path(project).name != project or project in {".", ".."}:
        return None
    places = (
        source.parent / project,
        source.parent / "projects" / project,
        source.parent.parent / "projects" / project,
    )
    return next((place for place in places if place.is_dir()), None)
