"""Files out of the artifact store and into it, whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from uuid import uuid4

from django.core.files.storage import FileSystemStorage, default_storage

from apps.common.object_storage import ObjectStorage

CHUNK = 1024 * 1024


def fetch(key: str, to: Path) -> str:
    """Copy a stored file to a local path; return its SHA-256, of exactly the bytes copied.

    Raises FileNotFoundError if it is not in the store.
    """
    digest = hashlib.sha256()
    with default_storage.open(key, "rb") as stored, to.open("wb") as copy:
        for chunk in stored.chunks(CHUNK):
            digest.update(chunk)
            copy.write(chunk)
    return digest.hexdigest()


def keep(source: Path, key: str) -> None:
    """Put a local file in the store under exactly this key, replacing what was there.

    On a file system readers see the old file or the new one, never a part of it.
    """
    if isinstance(default_storage, ObjectStorage):
        default_storage.put(source, key)
        return
    final = Path(default_storage.path(key))
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f".{final.name}.{uuid4().hex}.part")
    try:
        shutil.copyfile(source, part)
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)


def adopt(source: Path, key: str) -> None:
    """Move a local file into the store; where that is a folder on the same disk, by renaming alone."""
    if isinstance(default_storage, FileSystemStorage):
        final = Path(default_storage.path(key))
        final.parent.mkdir(parents=True, exist_ok=True)
        source.replace(final)
        return
    keep(source, key)
    source.unlink()


def sha256_of(path: Path) -> str:
    """Hash a local file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
