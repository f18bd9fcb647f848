"""A ZIP written from the beginning to the end: nothing is read back, so it goes straight to where it belongs.

Media are packed already: everything is stored as it is. Sums of what goes in, and of the whole, are taken as
it passes. A million entries take no more memory than ten: the table of contents and the sums wait on disk
until they are written behind all the rest.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from operator import attrgetter
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, Final, Self

CHUNK: Final = 1024 * 1024
ZIP64: Final = 1 << 31
IN_MEMORY: Final = 1024 * 1024
_MODE: Final = 0o644 << 16
_OWN: Final = ("CRC", "compress_size", "file_size", "header_offset", "flag_bits", "extract_version")
"""What entries differ in; they all have one time and one mode."""


class _Passing:
    """What ZipFile writes to: a file without a way back, which counts and sums what passes."""

    def __init__(self, target: BinaryIO) -> None:
        self.target: BinaryIO | None = target
        self.sum = hashlib.sha256()
        self.bytes = 0

    def write(self, data: Any) -> int:
        if self.target is None:
            return len(data)  # given up: ZipFile still writes its end when it is forgotten
        self.target.write(data)
        self.sum.update(data)
        self.bytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing: the target's owner does it."""


class _Contents:
    """The entries of a ZIP, where ZipFile keeps a list of them: it appends to it, and reads it once."""

    def __init__(self, new: Callable[[str], zipfile.ZipInfo]) -> None:
        self._new = new
        self._file = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with the packing
        self._count = 0

    def append(self, entry: zipfile.ZipInfo) -> None:
        told = [entry.filename, *attrgetter(*_OWN)(entry)]
        self._file.write(json.dumps(told).encode() + b"\n")
        self._count += 1

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[zipfile.ZipInfo]:
        if self._file.closed:
            return  # given up: ZipFile still asks when it is forgotten
        self._file.seek(0)
        for line in self._file:
            path, *own = json.loads(line)
            entry = self._new(path)
            for name, value in zip(_OWN, own, strict=True):
                setattr(entry, name, value)
            yield entry

    def close(self) -> None:
        self._file.close()


class Packing:
    """A ZIP under way, in a with statement. ``files``: entries written.

    No path may be given twice. ``close`` it, or it is none.
    """

    def __init__(self, target: BinaryIO, *, at: datetime) -> None:
        self._passing = _Passing(target)
        self._zip = zipfile.ZipFile(self._passing, "w", zipfile.ZIP_STORED)  # type: ignore[call-overload]  # writes only
        self._at = at.timetuple()[:6]
        self._contents = _Contents(self._entry)
        self._zip.filelist = self._contents  # as much of a list as ZipFile takes
        self._sums = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed with it

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_told: object) -> None:
        self._passing.target = None
        self._contents.close()
        self._sums.close()

    @property
    def files(self) -> int:
        """Entries written so far."""
        return len(self._contents)

    def add(self, path: str, pieces: Iterable[bytes], *, size: int) -> str:
        """Put a file in, of about this size; return its SHA-256."""
        entry = self._entry(path)
        entry.file_size = size
        digest = hashlib.sha256()
        with self._zip.open(entry, "w", force_zip64=size >= ZIP64) as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
        self._zip.NameToInfo.clear()  # only good for finding a path that is given twice
        found = digest.hexdigest()
        self._sums.write(f"{found}  {path}\n".encode())
        return found

    def add_sums(self, path: str) -> None:
        """Put in the sums of all that is in so far, as sha256sum reads them."""
        size = self._sums.tell()
        self._sums.seek(0)
        self.add(path, iter(lambda: self._sums.read(CHUNK), b""), size=size)

    def _entry(self, path: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(path, date_time=self._at)
        entry.external_attr = _MODE
        return entry

    def close(self) -> tuple[int, str]:
        """Write the table of contents; return size and SHA-256 of the whole."""
        self._zip.close()
        return self._passing.bytes, self._passing.sum.hexdigest()
