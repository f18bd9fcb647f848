"""What a backup says of itself, and whether that is true."""

from __future__ import annotations

import gzip
import hashlib
import json
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from apps.keeping.backups.references import Reference

FORM: Final = 1
MANIFEST: Final = "manifest.json"
FILES: Final = "files.jsonl.gz"
COPIES: Final = "files"


class BackupError(Exception):
    """A backup cannot be made, or is none that can be restored. The message says why, and holds no secret."""


@dataclass(frozen=True)
class Part:
    """A file of the backup itself."""

    name: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Part:
        """Measure a file."""
        with path.open("rb") as file:
            return cls(path.name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """``engine``: Django's name of the database. ``tables``: rows of each. ``migrations``: app and name each.

    ``count`` and ``bytes`` of the files the database speaks of; ``copied``: whether copies lie beside.
    """

    form: int
    shotfarm: str
    made_at: str
    engine: str
    database: Part
    files: Part
    count: int
    bytes: int
    copied: bool
    tables: dict[str, int]
    migrations: list[tuple[str, str]]

    def write(self, folder: Path) -> None:
        """Write it whole, or not at all."""
        part = folder / f".{MANIFEST}.part"
        part.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        part.replace(folder / MANIFEST)


def read(folder: Path) -> Manifest:
    """Read a backup's manifest. Raises BackupError where there is none, or none that this version reads."""
    try:
        told: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError as exc:
        raise BackupError(f"{folder} is no backup: it holds no {MANIFEST}") from exc
    except (OSError, ValueError) as exc:
        raise BackupError(f"{folder / MANIFEST} cannot be read: it is damaged") from exc
    form = told.get("form") if isinstance(told, dict) else None
    if form != FORM:
        raise BackupError(f"{folder / MANIFEST} has form {form!r}; this version of Shotfarm reads {FORM}")
    try:
        told |= {name: Part(**told[name]) for name in ("database", "files")}
        told["migrations"] = [(app, name) for app, name in told["migrations"]]
        return Manifest(**told)
    except (KeyError, TypeError, ValueError) as exc:
        raise BackupError(f"{folder / MANIFEST} is damaged: {exc}") from exc


def require_whole(folder: Path, manifest: Manifest) -> None:
    """Raise BackupError unless the backup's own files are what was written."""
    for part in (manifest.database, manifest.files):
        path = folder / part.name
        if Path(part.name).name != part.name or not path.is_file():
            raise BackupError(f"{path} is missing")
        if Part.of(path) != part:
            raise BackupError(f"{path} is damaged: its size or SHA-256 is not what the manifest says")


def references(folder: Path, manifest: Manifest) -> Iterator[Reference]:
    """Read the list of files, a line at a time."""
    with gzip.open(folder / manifest.files.name, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield Reference(**json.loads(line))


def version() -> str:
    """Return the version of Shotfarm that runs here."""
    told = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    return str(told["project"]["version"])


def unknown_migrations(manifest: Manifest) -> list[str]:
    """Name what the backup's database went through and this version does not know: a newer one made it."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    known = set(loader.disk_migrations)
    for migration in loader.disk_migrations.values():
        known.update(migration.replaces)
    return [f"{app}.{name}" for app, name in manifest.migrations if (app, name) not in known]


def pending_migrations(manifest: Manifest) -> list[str]:
    """Name what this version still has to do to the backup's database, on the road (ADR 65) that it is on."""
    applied = set(manifest.migrations)
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    pending = set(known) - applied
    for key, migration in known.items():
        if migration.replaces:
            pending -= {key} if applied.intersection(migration.replaces) else set(migration.replaces)
    return [f"{app}.{name}" for app, name in sorted(pending)]
