"""Files out of the artifact store and into it, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from django.core.files.storage import FileSystemStorage, Storage, default_storage

from apps.common.object_storage import ObjectStorage

CHUNK = 1024 * 1024


def fetch(key: str, to: Path, *, storage: Storage = default_storage) -> str:
    """Copy a stored file to a local path; return its SHA-256, of exactly the bytes copied.

    Raises FileNotFoundError if it is not in the store.
    """
    digest = hashlib.sha256()
    with storage.open(key, "rb") as stored, to.open("wb") as copy:
        for chunk in stored.chunks(CHUNK):
            digest.update(chunk)
            copy.write(chunk)
    return digest.hexdigest()


def keep(source: Path, key: str, *, storage: Storage = default_storage) -> None:
    """Put a local file in the store under exactly this key, replacing what was there.

    On a file system readers see the old file or the new one, never a part of it.
    """
    if isinstance(storage, ObjectStorage):
        storage.put(source, key)
        return
    final = Path(storage.path(key))
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f".{final.name}.{uuid4().hex}.part")
    try:
        shutil.copyfile(source, part)
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def writing(key: str) -> Iterator[BinaryIO]:
    """Write a file of the store piece by piece: it has its key once all went well, and before that none."""
    if isinstance(default_storage, ObjectStorage):
        with default_storage.writing(key) as target:
            yield target
        return
    final = Path(default_storage.path(key))
    final.parent.mkdir(parents=True, exist_ok=True)
    part = final.with_name(f".{final.name}.part")
    try:
        with part.open("wb") as target:
            yield target
            target.flush()
            os.fsync(target.fileno())
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)


def forget_parts(folder: str) -> None:
    """Remove what ``writing`` began in this folder of the store and a killed process left behind."""
    if isinstance(default_storage, FileSystemStorage):
        for part in Path(default_storage.path(folder)).glob(".*.part"):
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
