"""Open what the prototype left: a project folder with data.json, or its SQLite database.

Both give the same documents. What cannot be read at all is refused; what is odd inside is for the mapping.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from apps.common.errors import Problem, Refused

MOST_JSON: Final = 64 * 1024 * 1024
MOST_DATABASE: Final = 2 * 1024**3
MOST_ROWS: Final = 100_000
MOST_CELL: Final = 4 * 1024 * 1024
MOST_SIDECAR: Final = 256 * 1024
_SQLITE: Final = b"SQLite format 3\x00"

Document = Mapping[str, Any]

_JSON_COLUMNS: Final[Mapping[str, Mapping[str, type]]] = {
    "shots": {
        "subjects": list,
        "environment": dict,
        "technical": dict,
        "character_ids": list,
        "reference_images": list,
    },
    "cinematics": {"filters": list, "raw_data": dict},
    "jobs": {"params": dict, "output_files": list},
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


def read_prototype(source: Path, *, name: str = "", files: Path | None = None) -> Prototype:
    """Read a project folder, a folder of such folders, or a database. ``name``: which of several.

    ``files``: the project's folder, for a database. Raises Refused: what is wrong, what would be right.
    """
    if files is not None and not files.is_dir():
        raise _refused(files, "there is no such folder; name the project's folder, or leave out --files")
    if not source.exists():
        raise _refused(source, "there is no such file or folder; name the project's folder or its database")
    if source.is_dir():
        return _from_folder(_one_folder(source, name))
    with _opened(source):
        head = source.open("rb").read(len(_SQLITE))
    if head == _SQLITE:
        return _from_database(source, name, files)
    if source.name == "data.json" or head.lstrip()[:1] == b"{":
        return _from_folder(source.parent, source)
    raise _refused(source, "this is neither a folder, nor data.json, nor an SQLite database")


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
        raise _refused(source, f"there are several projects; choose one by --name: {names}")
    raise _refused(source, "there is no data.json in it; name the folder of one project")


def _from_folder(folder: Path, file: Path | None = None) -> Prototype:
    file = file or folder / "data.json"
    if not file.is_file():
        raise _refused(file, "there is no such file; name the folder of one project")
    data = _json_file(file, MOST_JSON)
    if not isinstance(data, dict):
        raise _refused(file, "it holds no project: it must begin with {")
    shots = _records(file, data, "shots")
    return Prototype(
        name=str(data.get("project_id") or folder.resolve().name),
        folder=folder,
        shots=shots,
        characters=_records(file, data, "characters"),
        cinematics=_records(file, data, "cinematics"),
        jobs=_records(file, data, "jobs"),
        description=str(data.get("description") or ""),
        confirmed=_confirmed(folder, shots),
    )


def _records(file: Path, data: Document, name: str) -> tuple[Document, ...]:
    found = data.get(name)
    if found is None:
        return ()
    if isinstance(found, dict):  # by id, as some hands wrote it
        found = [{"id": key, **value} for key, value in found.items() if isinstance(value, dict)]
    if not isinstance(found, list):
        raise _refused(file, f"“{name}” must be a list")
    if len(found) > MOST_ROWS:
        raise _refused(file, f"“{name}” has {len(found)} entries; at most {MOST_ROWS} are taken at once")
    return tuple(one if isinstance(one, dict) else {"_unreadable": one} for one in found)


def _confirmed(folder: Path, shots: tuple[Document, ...]) -> frozenset[str]:
    """The shots whose sidecar says that they were confirmed; a sidecar that cannot be read says nothing."""
    wanted = {str(shot.get("id")) for shot in shots}
    found: set[str] = set()
    for path in _sidecars(folder):
        try:
            told = _json_file(path, MOST_SIDECAR)
        except Refused:
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


def _from_database(source: Path, name: str, files: Path | None) -> Prototype:
    if source.stat().st_size > MOST_DATABASE:
        raise _refused(source, "it is larger than 2 GB; this is no database of one studio's projects")
    try:
        with closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_CELL)
            return _from_tables(source, connection, name, files)
    except (sqlite3.Error, OverflowError) as exc:
        raise _refused(source, f"the database cannot be read: {exc}") from exc


def _from_tables(source: Path, connection: sqlite3.Connection, name: str, files: Path | None) -> Prototype:
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if "shots" not in tables:
        raise _refused(source, "it has no table “shots”: this is none of the prototype's databases")
    project = _one_project(source, connection, tables, name)
    rows = {
        table: _table(source, connection, table, project) if table in tables else ()
        for table in ("shots", "characters", "cinematics", "jobs")
    }
    described = ""
    if "projects" in tables:
        query = "SELECT * FROM projects WHERE CAST(id AS TEXT) = ?"
        found = connection.execute(query, (project,)).fetchone()
        described = str(dict(found).get("description") or "") if found else ""
    folder = files or _beside(source, project)
    return Prototype(
        name=project,
        folder=folder,
        description=described,
        confirmed=_confirmed(folder, rows["shots"]) if folder else frozenset(),
        **rows,
    )


def _one_project(source: Path, connection: sqlite3.Connection, tables: set[str], name: str) -> str:
    names = {
        str(row[0] or "") for row in connection.execute("SELECT DISTINCT CAST(project_id AS TEXT) FROM shots")
    }
    if "" in names:
        raise _refused(source, "some of its shots have no project_id; write there whose they are")
    if "projects" in tables:
        names |= {str(row[0]) for row in connection.execute("SELECT id FROM projects")}
    listed = ", ".join(sorted(names)[:50])
    if name:
        if name not in names:
            raise Refused(Problem("source", name, f"there is no such project in it; there are: {listed}"))
        return name
    if not names:
        raise _refused(source, "there is no project in it")
    if len(names) > 1:
        raise _refused(source, f"there are several projects; choose one by --name: {listed}")
    return names.pop()


def _table(source: Path, connection: sqlite3.Connection, table: str, project: str) -> tuple[Document, ...]:
    query = (
        f"SELECT * FROM {table} WHERE CAST(project_id AS TEXT) = ? "  # noqa: S608 - our own words
        "ORDER BY rowid LIMIT ?"
    )
    found = connection.execute(query, (project, MOST_ROWS + 1)).fetchall()
    if len(found) > MOST_ROWS:
        raise _refused(source, f"“{table}” has more than {MOST_ROWS} rows; that many are not taken at once")
    return tuple(_row(dict(row), _JSON_COLUMNS.get(table, {})) for row in found)


def _row(row: dict[str, Any], columns: Mapping[str, type]) -> Document:
    """A row as the JSON file would have it: without NULLs, JSON columns read."""
    row.pop("project_id", None)
    for name in columns:
        if isinstance(row.get(name), str):
            try:
                row[name] = json.loads(row[name])
            except (ValueError, RecursionError):
                row["_unreadable_columns"] = [*row.get("_unreadable_columns", []), name]
                row[name] = None
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


def _json_file(file: Path, most: int) -> Any:
    with _opened(file), file.open("rb") as opened:
        size = os.fstat(opened.fileno()).st_size
        if size > most:
            raise _refused(file, f"it has {size} bytes; at most {most} are read")
        content = opened.read(most)
    try:
        return json.loads(content.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError as exc:
        raise _refused(file, f"it is not UTF-8 (byte {exc.start}); save it as UTF-8") from exc
    except json.JSONDecodeError as exc:
        raise _refused(file, f"it is not JSON: line {exc.lineno}, column {exc.colno}: {exc.msg}") from exc
    except (ValueError, RecursionError) as exc:
        raise _refused(file, f"it is not JSON that can be read: {exc}") from exc


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")


class _opened:  # noqa: N801 - a context manager reads as a function
    """Say in words what the file system refuses."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __enter__(self) -> None:
        """Nothing is opened yet."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise _refused(self.file, f"it cannot be read: {error.strerror}") from error


def _refused(path: Path, told: str) -> Refused:
    return Refused(Problem("source", str(path), told, code="unreadable"))
