"""Django's storage over an object store (S3 and what speaks like it), by the same fsspec driver as the nodes.

A file is read in ranges, never whole; it is written at once, so readers see the old object or the new one.
Address and keys come by the usual ``AWS_*`` variables. Whatever the driver raises goes up as OSError.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import fsspec
from botocore.exceptions import BotoCoreError, ClientError
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible

BLOCK: Final = 4 * 1024**2
"""Bytes fetched ahead of a reader."""

PART: Final = 64 * 1024**2
"""Bytes sent at once of what is written piece by piece: S3 takes 10 000 parts, so 640 GB."""

OPTIONS: Final = {
    "use_listings_cache": False,  # nodes write behind our back
    "config_kwargs": {
        "connect_timeout": 5,
        "read_timeout": 30,
        "retries": {"max_attempts": 2, "mode": "standard"},
    },
}


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Let what the driver raises inside go up as OSError, which says what was being done."""
    try:
        yield
    except (BotoCoreError, ClientError) as exc:
        raise OSError(f"the object store failed while {doing}: {exc}") from exc


class ObjectFile(File[bytes]):
    """An open object, read only."""

    def __init__(self, opened: Any, name: str) -> None:
        super().__init__(opened, name)
        self._opened = opened

    def read(self, length: int = -1) -> bytes:
        """Read on. Raises OSError."""
        with translated(f"reading {self.name}"):
            content: bytes = self._opened.read(length)
            return content

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to another place; nothing is fetched yet."""
        place: int = self._opened.seek(offset, whence)
        return place


@deconstructible
class ObjectStorage(Storage):
    """Files under ``url``, such as ``s3://bucket/prefix``."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    @property
    def url_of_root(self) -> str:
        """Where everything lies below."""
        return self._url

    def put(self, source: Path, key: str) -> None:
        """Store a local file under exactly this key, replacing what was there. Raises OSError."""
        with translated(f"writing {key}"):
            self._files.put_file(str(source), self._path(key))

    @contextmanager
    def writing(self, key: str) -> Iterator[Any]:
        """Write an object piece by piece: it is there once all went well, never in part. Raises OSError."""
        with translated(f"writing {key}"):
            opened = self._files.open(self._path(key), "wb", block_size=PART)
            try:
                yield opened
            except BaseException:
                opened.discard()
                opened.closed = True  # closing it would finish the upload
                raise
            opened.close()

    def exists(self, name: str) -> bool:
        """Tell whether there is such an object. Raises OSError."""
        try:
            self.size(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        """Return an object's size in bytes. Raises FileNotFoundError, OSError."""
        with translated(f"looking up {name}"):
            found = self._files.info(self._path(name))
        if found["type"] != "file":
            raise FileNotFoundError(name)
        return int(found["size"])

    def delete(self, name: str) -> None:
        """Remove an object; one that is not there is no error. Raises OSError."""
        with translated(f"removing {name}"):
            self._files.rm_file(self._path(name))

    def _open(self, name: str, mode: str = "rb") -> ObjectFile:
        if mode != "rb":
            raise ValueError(f"mode {mode!r}: objects are opened for reading only; write them by save()")
        with translated(f"opening {name}"):
            opened = self._files.open(self._path(name), "rb", block_size=BLOCK, cache_type="readahead")
        return ObjectFile(opened, name)

    def _save(self, name: str, content: File[Any]) -> str:
        with translated(f"writing {name}"), self._files.open(self._path(name), "wb") as target:
            for chunk in content.chunks():
                target.write(chunk)
        return name

    def _path(self, name: str) -> str:
        parts = name.split("/")
        if not name or any(part in ("", ".", "..") for part in parts):
            raise SuspiciousFileOperation(f"key {name!r} is not a relative path")
        return f"{self._url}/{name}"

    @property
    def _files(self) -> Any:
        """The driver; fsspec keeps one per process, also after a fork."""
        return fsspec.filesystem(self._url.partition("://")[0], **OPTIONS)
