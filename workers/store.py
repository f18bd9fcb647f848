"""The artifact store, seen from a node: a shared folder or any file system that fsspec speaks.

Keys are relative, with ``/``. A key that leaves the store is refused before anything is touched.

The coordinator has put a marker file into the farm's store. Where it is not seen, the share is not mounted
or the address is wrong: then nothing is written, and what is missing is not the order's fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final

import fsspec
import fsspec.implementations.local

from farm.contracts import STORE_MARKER
from workers.errors import OrderUnreadable, StoreUnavailable

_DRIVE: Final = re.compile(r"[A-Za-z]:")


def safe_key(key: str) -> str:
    """Return a relative key as it is. Raises OrderUnreadable for anything that could leave the store."""
    parts = key.split("/")
    if (
        not key
        or "\\" in key
        or "\0" in key
        or _DRIVE.match(key)
        or any(part in ("", ".", "..") for part in parts)
    ):
        raise OrderUnreadable(f"store key {key!r} is not a relative path; expected names joined by /")
    return key


class ArtifactStore:
    """Read inputs and write artifacts at ``url`` (an fsspec URL, or a folder)."""

    def __init__(self, url: str) -> None:
        self._files: Any
        self._files, self._root = fsspec.core.url_to_fs(url)
        self._local = isinstance(self._files, fsspec.implementations.local.LocalFileSystem)

    def check(self) -> str:
        """Say why this is not the farm's artifact store, or "" if its marker can be read."""
        try:
            self._files.cat_file(self._path(STORE_MARKER))
        except FileNotFoundError:
            return (
                f"the artifact store at {self._root} is not the farm's: no {STORE_MARKER} there; "
                "is it mounted, and has a ticker run?"
            )
        except OSError as exc:
            return f"the artifact store at {self._root} cannot be read: {exc}"
        return ""

    def require(self) -> None:
        """Raise StoreUnavailable if this is not the farm's artifact store."""
        if reason := self.check():
            raise StoreUnavailable(reason)

    @contextmanager
    def reading(self, key: str) -> Iterator[BinaryIO]:
        """Open a stored file. Raises FileNotFoundError, StoreUnavailable."""
        with self._translated(f"reading {key}"), self._files.open(self._path(key), "rb") as file:
            yield file

    def size(self, key: str) -> int:
        """Return a stored file's size in bytes. Raises FileNotFoundError, StoreUnavailable."""
        with self._translated(f"looking up {key}"):
            return int(self._files.size(self._path(key)))

    def put(self, source: Path, key: str) -> None:
        """Store a file so that it appears whole or not at all. Raises StoreUnavailable."""
        with self._translated(f"writing {key}"):
            self._into_place(lambda path: self._files.put_file(str(source), path), key)

    def write(self, content: bytes, key: str) -> None:
        """Store bytes so that they appear whole or not at all. Raises StoreUnavailable."""
        with self._translated(f"writing {key}"):
            self._into_place(lambda path: self._files.pipe_file(path, content), key)

    def _into_place(self, write: Any, key: str) -> None:
        path = self._path(key)
        self.require()  # else the folders would be made on this node's own disk, under the mount point
        self._files.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
        if not self._local:
            write(path)  # object stores show an object only once it is complete
            return
        draft = f"{path}.draft"
        write(draft)
        self._files.mv(draft, path)

    def _path(self, key: str) -> str:
        return f"{self._root.rstrip('/')}/{safe_key(key)}"

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as exc:
            if reason := self.check():
                raise StoreUnavailable(f"{reason} (while {doing})") from exc
            raise
        except OSError as exc:
            raise StoreUnavailable(f"the artifact store failed while {doing}: {exc}") from exc
