"""A ZIP written from the beginning to the end: nothing is read back, so it goes straight to where it belongs.

Media are packed already: everything is stored as it is. Sums of what goes in, and of the whole, are taken as
it passes.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from datetime import datetime
from typing import Any, BinaryIO, Final, Self

CHUNK: Final = 1024 * 1024
ZIP64: Final = 1 << 31
_MODE: Final = 0o644 << 16


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


class Packing:
    """A ZIP under way, in a with statement. ``sums``: path → SHA-256 of what went in.

    ``close`` it, or it is none.
    """

    def __init__(self, target: BinaryIO, *, at: datetime) -> None:
        self._passing = _Passing(target)
        self._zip = zipfile.ZipFile(self._passing, "w", zipfile.ZIP_STORED)  # type: ignore[call-overload]  # writes only
        self._at = at.timetuple()[:6]
        self.sums: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_told: object) -> None:
        self._passing.target = None

    def add(self, path: str, pieces: Iterable[bytes], *, size: int) -> str:
        """Put a file in, of about this size; return its SHA-256."""
        entry = zipfile.ZipInfo(path, date_time=self._at)
        entry.external_attr = _MODE
        entry.file_size = size
        digest = hashlib.sha256()
        with self._zip.open(entry, "w", force_zip64=size >= ZIP64) as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
        self.sums[path] = digest.hexdigest()
        return self.sums[path]

    def close(self) -> tuple[int, str]:
        """Write the table of contents; return size and SHA-256 of the whole."""
        self._zip.close()
        return self._passing.bytes, self._passing.sum.hexdigest()
