"""Put a backup back: the whole database or nothing of it, then the files that the stores lack."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from apps.keeping.backups import manifest as manifests
from apps.keeping.backups.copies import Findings, bring_back
from apps.keeping.backups.databases import is_empty, put_back, require_readable
from apps.keeping.backups.manifest import BackupError, Manifest

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Restored:
    """``pending``: migrations still to be applied. ``files``: None where none were asked for."""

    manifest: Manifest
    pending: list[str]
    files: Findings | None


def restore(backup: Path, *, replace: bool = False, files: bool = False) -> Restored:
    """Make the database what it was at the backup; ``files``: bring back what the stores lack.

    ``replace``: also where that deletes what is in the database now. Raises BackupError, with nothing
    changed, for a damaged backup, one of another kind of database or of a newer version, a database in use;
    and where a store fails, which comes last, with the database restored, as it then says.
    """
    manifest = manifests.read(backup)
    if manifest.engine != connection.vendor:
        told = f"{backup} is of {manifest.engine}; this farm's database is {connection.vendor}"
        raise BackupError(told)
    unknown = manifests.unknown_migrations(manifest)
    if unknown:
        told = f"{backup} was made by a newer version ({manifest.shotfarm}): nothing here knows {unknown[0]}"
        raise BackupError(f"{told}. Install that version, or a later one.")
    manifests.require_whole(backup, manifest)
    require_readable(backup / manifest.database.name)
    if not replace and not is_empty():
        raise BackupError("there are people or projects in this database; --replace deletes them all")
    put_back(backup / manifest.database.name, manifest)
    logger.warning("database restored", extra={"backup": str(backup), "made_at": manifest.made_at})
    brought = None
    if files:
        try:
            brought = bring_back(backup.parent, manifests.references(backup, manifest))
        except OSError as exc:
            told = f"the database is restored; files could not be brought back, or not all: {exc}"
            raise BackupError(told) from exc
    return Restored(manifest, manifests.pending_migrations(manifest), brought)
