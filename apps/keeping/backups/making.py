"""Make a backup, look whether one is well, and let old ones go."""

from __future__ import annotations

import fcntl
import gzip
import json
import logging
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Final

from django.db import connection

from apps.keeping.backups import manifest as manifests
from apps.keeping.backups.copies import Findings, check_files, copy_files, prune_copies
from apps.keeping.backups.databases import dumped, require_readable
from apps.keeping.backups.manifest import BackupError, Manifest, Part
from apps.keeping.backups.references import Reference, every_reference

logger = logging.getLogger(__name__)

_NAME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{6}Z(-\d+)?")
_PRIVATE: Final = 0o077
"""The database holds hashes of passwords and tokens: nobody else reads its dump."""


def make_backup(folder: Path, *, files: bool) -> tuple[Path, Findings | None]:
    """Write a backup below ``folder``; with ``files`` copy those that the database speaks of, too.

    The dump, its list of files and its counts are of one moment, and nobody waits for them. A backup that
    stands under its name is whole; should copying fail, it still is, and is without copies.
    Raises BackupError, OSError.
    """
    with _alone(folder):
        made = _named(folder)
        part = folder / f".{made.name}.part"
        part.mkdir(mode=0o700)
        try:
            manifest = _write(part)
            require_readable(part / manifest.database.name)
            part.rename(made)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        findings = None
        if files:
            try:
                findings = copy_files(folder, manifests.references(made, manifest))
            except OSError as exc:
                told = f"{made} is made, and whole; not all files could be copied beside it: {exc}"
                raise BackupError(told) from exc
            replace(manifest, copied=True).write(made)
        _sync(folder)
    facts = {"backup": str(made), "files": manifest.count, "rows": sum(manifest.tables.values())}
    logger.info("backup made", extra=facts)
    return made, findings


def check_backup(backup: Path, *, sums: bool = False) -> tuple[Manifest, Findings]:
    """Look whether a backup and every file it speaks of is whole. Raises BackupError if the backup is not.

    ``sums``: read every file, and compare its SHA-256.
    """
    manifest = manifests.read(backup)
    manifests.require_whole(backup, manifest)
    if manifest.engine == connection.vendor:
        require_readable(backup / manifest.database.name)
    wanted = manifests.references(backup, manifest)
    return manifest, check_files(backup.parent, wanted, copied=manifest.copied, sums=sums)


def keep_newest(folder: Path, most: int) -> tuple[list[str], int]:
    """Delete all but the newest ``most`` backups, and copies that none of those wants; return both."""
    with _alone(folder):
        known = backups_in(folder)
        kept, old = known[-most:], known[:-most]
        wanted: list[Iterable[Reference]] = []
        for one in kept:
            manifest = manifests.read(one)
            manifests.require_whole(one, manifest)  # copies are deleted by what it says
            wanted.append(manifests.references(one, manifest))
        for one in old:
            shutil.rmtree(one)
        return [one.name for one in old], prune_copies(folder, chain.from_iterable(wanted))


def backups_in(folder: Path) -> list[Path]:
    """Return the whole backups in a folder, the oldest first."""
    found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    return sorted(path for path in found if (path / manifests.MANIFEST).is_file())


def _write(part: Path) -> Manifest:
    with dumped(part) as snapshot:
        count, size = _list(part / manifests.FILES, every_reference(snapshot.rows))
    manifest = Manifest(
        form=manifests.FORM,
        shotfarm=manifests.version(),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        engine=connection.vendor,
        database=Part.of(snapshot.dump),
        files=Part.of(part / manifests.FILES),
        count=count,
        bytes=size,
        copied=False,
        tables=snapshot.tables,
        migrations=snapshot.migrations,
    )
    manifest.write(part)
    for path in part.iterdir():
        _sync(path)
    return manifest


def _list(to: Path, wanted: Iterable[Reference]) -> tuple[int, int]:
    count = size = 0
    with gzip.open(to, "wt", encoding="utf-8") as lines:
        for one in wanted:
            lines.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")
            count += 1
            size += one.bytes or 0
    return count, size


def _named(folder: Path) -> Path:
    stem = datetime.now(UTC).strftime("%Y-%m-%dT%H%M%SZ")
    names = chain([stem], (f"{stem}-{number}" for number in range(2, 100)))
    return next(folder / name for name in names if not (folder / name).exists())


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time works on a folder of backups. Raises BackupError if somebody does."""
    before = os.umask(_PRIVATE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise BackupError(f"another backup is at work in {folder}") from exc
            for left in folder.glob(".*.part"):  # of one that was killed
                if _NAME.fullmatch(left.name[1 : -len(".part")]):
                    shutil.rmtree(left)
            yield
    finally:
        os.umask(before)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
