"""The root of what is published: a folder, or a place in an object store. Nothing here leaves it.

Paths are relative, with /, and were made by a template. A folder on the way that is a link leads elsewhere
and is refused. What stands under a name is never replaced, but for a record of ours.
"""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast
from uuid import uuid4

import fsspec
from django.core.files.storage import FileSystemStorage, default_storage, storages

from apps.common.object_storage import OPTIONS, ObjectStorage, translated
from apps.folders.language.names import fold
from apps.review.services.keeping import fetch
from workflows.wording import Said
from workflows.wording import said as _

ALIAS: Final = "published"
"""Of the storage, in settings.STORAGES."""
CHUNK: Final = 1024 * 1024


class Taken(Exception):
    """Something else stands at this path, or on the way to it. ``told`` says what."""

    def __init__(self, told: Said) -> None:
        super().__init__(told)
        self.told = told


class Root(ABC):
    """Everything below one place. Entries of folders are read once and remembered: make one for each task."""

    makes_folders = True

    def __init__(self) -> None:
        self._entries: dict[str, dict[str, bool]] = {}
        self._folded: dict[str, dict[str, str]] = {}

    @abstractmethod
    def list(self, folder: str) -> dict[str, bool]:
        """Return the names in a folder ("" for the root), and whether each is a folder. Raises OSError."""

    @abstractmethod
    def make(self, folder: str) -> None:
        """Make a folder and those above it. Raises OSError, Taken."""

    @abstractmethod
    def read(self, path: str, most: int) -> bytes:
        """Read a file's first bytes. Raises OSError."""

    @abstractmethod
    def write(self, path: str, content: bytes, *, new: bool) -> None:
        """Write a whole file at once; ``new``: only where nothing stands. Raises OSError, Taken."""

    @abstractmethod
    def land(self, key: str, path: str, *, sha256: str) -> str:
        """Bring a file of the artifact store here; say how. Raises OSError, Taken, ValueError (its sum)."""

    @abstractmethod
    def sum_of(self, path: str) -> str:
        """Return a file's SHA-256. Raises OSError."""

    def stands(self, path: str) -> str:
        """Say what stands at a path: "" for nothing, "folder" or "file". Raises OSError, Taken.

        Taken: a name on the way differs by case or accents alone, or a file stands where a folder should.
        """
        parts = path.split("/")
        for depth, name in enumerate(parts):
            above = "/".join(parts[:depth])
            entries = self._known(above)
            there = self._folded[above].get(fold(name))
            if there is None:
                return ""
            if there != name:
                raise Taken(
                    _("“%(there)s” stands there already, which differs by case or accents alone",
                      there="/".join([*parts[:depth], there]))
                )  # fmt: skip
            if depth < len(parts) - 1 and not entries[name]:
                raise Taken(
                    _("“%(there)s” is a file, or leads elsewhere", there="/".join(parts[: depth + 1]))
                )
        return "folder" if self._known("/".join(parts[:-1]))[parts[-1]] else "file"

    def forget(self) -> None:
        """Look again: somebody else writes here, too."""
        self._entries.clear()
        self._folded.clear()

    def _known(self, folder: str) -> dict[str, bool]:
        if folder not in self._entries:
            self._entries[folder] = self.list(folder)
            self._folded[folder] = {fold(name): name for name in self._entries[folder]}
        return self._entries[folder]

    def _note(self, path: str, *, folder: bool) -> None:
        """Remember what was made just now."""
        parts = path.split("/")
        for depth, name in enumerate(parts):
            above = "/".join(parts[:depth])
            if above in self._entries:
                self._entries[above].setdefault(name, folder or depth < len(parts) - 1)
                self._folded[above].setdefault(fold(name), name)


class FolderRoot(Root):
    """A folder of a file system, such as a share."""

    def __init__(self, top: Path) -> None:
        super().__init__()
        self._top = top

    def list(self, folder: str) -> dict[str, bool]:
        try:
            with os.scandir(self._top / folder) as entries:
                return {one.name: one.is_dir(follow_symlinks=False) for one in entries}
        except FileNotFoundError:
            return {}

    def make(self, folder: str) -> None:
        self._real(folder).mkdir(parents=True, exist_ok=True)
        self._real(folder)
        self._note(folder, folder=True)

    def read(self, path: str, most: int) -> bytes:
        with self._real(path).open("rb") as file:
            return file.read(most)

    def write(self, path: str, content: bytes, *, new: bool) -> None:
        with self._part(path) as (part, final):
            part.write_bytes(content)
            if new:
                _place(part, final)
            else:
                part.replace(final)
        self._note(path, folder=False)

    def land(self, key: str, path: str, *, sha256: str) -> str:
        with self._part(path) as (part, final):
            how = self._bring(key, part, sha256)
            _place(part, final)
        self._note(path, folder=False)
        return how

    def sum_of(self, path: str) -> str:
        with self._real(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _bring(self, key: str, part: Path, sha256: str) -> str:
        if isinstance(default_storage, FileSystemStorage):
            source = Path(default_storage.path(key))
            with source.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            _check_sum(found, sha256)
            try:
                os.link(source, part)
            except OSError as exc:
                if isinstance(exc, FileNotFoundError):
                    raise
            else:
                return "link"
        _check_sum(fetch(key, part), sha256)  # another disk, or one that knows no hard links
        return "copy"

    @contextmanager
    def _part(self, path: str) -> Iterator[tuple[Path, Path]]:
        """A place beside the final one, on the same disk, for a file that is not whole yet."""
        above = path.rpartition("/")[0]
        self.make(above)
        final = self._real(path)
        part = final.with_name(f".{uuid4().hex}.part")
        try:
            yield part, final
        finally:
            part.unlink(missing_ok=True)

    def _real(self, path: str) -> Path:
        """The place on the disk; no folder on the way, and nothing at its end, may lead elsewhere."""
        top = self._top.resolve()
        place = top / path
        if place.resolve() != place:
            raise Taken(_("“%(path)s” leads elsewhere: it is a link, or lies below one", path=path))
        return place


def _place(part: Path, final: Path) -> None:
    """Give a file its name where nothing has it yet."""
    told = _("something stands at “%(name)s” already", name=final.name)
    try:
        os.link(part, final)
    except FileExistsError as exc:
        raise Taken(told) from exc
    except OSError as exc:  # a disk without hard links
        if final.exists():
            raise Taken(told) from exc
        part.rename(final)


class ObjectRoot(Root):
    """A place in an object store. It has no folders: they are there as soon as a file is."""

    makes_folders = False

    def __init__(self, storage: ObjectStorage, url: str) -> None:
        super().__init__()
        self._storage = storage
        self._url = url.rstrip("/")
        self._files: Any = fsspec.filesystem(self._url.partition("://")[0], **OPTIONS)

    def list(self, folder: str) -> dict[str, bool]:
        with translated(f"listing {folder or 'the root'}"):
            try:
                found = self._files.ls(f"{self._url}/{folder}".rstrip("/"), detail=True)
            except FileNotFoundError:
                return {}
        return {one["name"].rstrip("/").rpartition("/")[2]: one["type"] == "directory" for one in found}

    def make(self, folder: str) -> None:
        """Nothing is to be done."""

    def read(self, path: str, most: int) -> bytes:
        with self._storage.open(path, "rb") as file:
            return cast(bytes, file.read(most))

    def write(self, path: str, content: bytes, *, new: bool) -> None:
        if new:
            self._require_free(path)
        with TemporaryDirectory(prefix="shotfarm-record-") as scratch:
            source = Path(scratch) / "record"
            source.write_bytes(content)
            self._storage.put(source, path)
        self._note(path, folder=False)

    def land(self, key: str, path: str, *, sha256: str) -> str:
        self._require_free(path)
        with TemporaryDirectory(prefix="shotfarm-publish-") as scratch:
            copy = Path(scratch) / "file"
            _check_sum(fetch(key, copy), sha256)
            self._storage.put(copy, path)
        self._note(path, folder=False)
        return "upload"

    def sum_of(self, path: str) -> str:
        digest = hashlib.sha256()
        with self._storage.open(path, "rb") as file:
            for chunk in file.chunks(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def _require_free(self, path: str) -> None:
        if self._storage.exists(path):
            raise Taken(_("something stands at “%(name)s” already", name=path.rpartition("/")[2]))


def the_root() -> Root:
    """Return the root of what is published, as the settings say, with nothing remembered."""
    storage = storages[ALIAS]
    if isinstance(storage, ObjectStorage):
        return ObjectRoot(storage, storage.url_of_root)
    return FolderRoot(Path(storage.path("")))


def _check_sum(found: str, wanted: str) -> None:
    if found != wanted:
        raise ValueError(
            _("the file was changed in the artifact store: its SHA-256 is %(found)s", found=found)
        )
