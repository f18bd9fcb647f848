"""The artifact store, seen from a node: a shared folder, S3, or the farm's own web side.

Keys are relative, with ``/``. A key that leaves the store is refused before anything is touched.

The coordinator has put a marker file into the farm's store. Where it is not seen, the share is not mounted
or the address is wrong: then nothing is written, and what is missing is not the order's fault.
"""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Final, Protocol

import fsspec
import fsspec.implementations.local

from farm.contracts import STORE_MARKER, RenderOrder
from workers.errors import OrderUnreadable, StoreFull, StoreUnavailable

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
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


class OrderStore(Protocol):
    """What one order does with the artifact store, wherever that is."""

    def require(self) -> None:
        """Raise StoreUnavailable, or StoreFull, if nothing can be stored now."""

    def reading(self, key: str) -> AbstractContextManager[BinaryIO]:
        """Open a stored file. Raises FileNotFoundError, StoreUnavailable."""

    def put(self, source: Path, key: str) -> None:
        """Store a file so that it appears whole or not at all. Raises StoreUnavailable, StoreFull."""

    def write(self, content: bytes, key: str) -> None:
        """Store bytes so that they appear whole or not at all. Raises StoreUnavailable, StoreFull."""


class Store(Protocol):
    """The artifact store as a node without an order sees it."""

    def check(self) -> str:
        """Say why nothing can be stored now, or "" if all is well."""

    def of(self, order: RenderOrder) -> OrderStore:
        """Return the store as this order may use it."""


class ArtifactStore:
    """The store at ``url`` (an fsspec URL, or a folder). A folder's disk counts as full below ``min_free``
    bytes.
    """

    def __init__(self, url: str, *, min_free: int = 0, **options: Any) -> None:
        self._files: Any
        self._files, self._root = fsspec.core.url_to_fs(url, **options)
        self._local = isinstance(self._files, fsspec.implementations.local.LocalFileSystem)
        self._min_free = min_free

    def check(self) -> str:
        """Say why this is not the farm's artifact store, or that it is full; "" if all is well."""
        try:
            self.require()
        except StoreUnavailable as error:
            return str(error)
        return ""

    def require(self) -> None:
        """Raise StoreUnavailable if this is not the farm's artifact store, StoreFull if it has no room."""
        try:
            with self._driven():
                self._files.cat_file(self._path(STORE_MARKER))
            free = shutil.disk_usage(self._root).free if self._local else self._min_free
        except FileNotFoundError as exc:
            raise StoreUnavailable(
                f"the artifact store at {self._root} is not the farm's: no {STORE_MARKER} there; "
                "is it mounted, and has a ticker run?"
            ) from exc
        except OSError as exc:
            raise StoreUnavailable(f"the artifact store at {self._root} cannot be read: {exc}") from exc
        if free < self._min_free:
            raise StoreFull(f"{self._full}: {free // 2**20} MiB are free")

    def of(self, order: RenderOrder) -> OrderStore:
        """Return this store: whoever reaches it may use all of it."""
        return self

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
        """Store a file so that it appears whole or not at all. Raises StoreUnavailable, StoreFull."""
        with self._translated(f"writing {key}"):
            self._into_place(lambda path: self._files.put_file(str(source), path), key)

    def write(self, content: bytes, key: str) -> None:
        """Store bytes so that they appear whole or not at all. Raises StoreUnavailable, StoreFull."""
        with self._translated(f"writing {key}"):
            self._into_place(lambda path: self._files.pipe_file(path, content), key)

    def _into_place(self, write: Any, key: str) -> None:
        path = self._path(key)
        self.require()  # else the folders would be made on this node's own disk, under the mount point
        if not self._local:
            write(path)  # object stores show an object only once it is complete
            return
        self._files.makedirs(str(PurePosixPath(path).parent), exist_ok=True)
        draft = f"{path}.draft"
        try:
            write(draft)
            self._files.mv(draft, path)
        except OSError:
            with suppress(OSError):
                self._files.rm_file(draft)  # half a file must not go on filling a full disk
            raise

    def _path(self, key: str) -> str:
        return f"{self._root.rstrip('/')}/{safe_key(key)}"

    @property
    def _full(self) -> str:
        return f"the artifact store at {self._root} is full; make room there, and work goes on by itself"

    @contextmanager
    def _driven(self) -> Iterator[None]:
        """Translate what a driver raises that is no OSError."""
        yield

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            with self._driven():
                yield
        except FileNotFoundError as exc:
            if reason := self.check():
                raise StoreUnavailable(f"{reason} (while {doing})") from exc
            raise
        except OSError as exc:
            if exc.errno in FULL:
                raise StoreFull(f"{self._full} (while {doing})") from exc
            hint = "" if self._local else "; is it up, and has it room?"
            raise StoreUnavailable(f"the artifact store failed while {doing}: {exc}{hint}") from exc
