"""The SHA-256 of files of many gigabytes, found once, beside renders that go first."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import sqlite3
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

CHUNK: Final = 4 * 1024**2
BUSY_RATE: Final = 16 * 1024**2
"""Bytes a second beside a render. A node that is never idle learns its hashes all the same: 28 GB in half an
hour."""

SETTLED_S: Final = 10.0
"""A file that was written to within it may be written still."""

_IOPRIO_SET: Final = {"x86_64": 251, "aarch64": 30}
_IOPRIO_IDLE: Final = 3 << 13
_THIS_THREAD: Final = 1
_LOWEST: Final = 19


class ChangingError(Exception):
    """The file is not the same any more as when its reading began."""


class StoppedError(Exception):
    """The worker stops; what was read of this file is read again another time."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What tells a file from another, or from itself as it was: kept, not read, it has the same content."""

    path: str
    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path, found: os.stat_result) -> Identity:
        """Read it off what ``stat`` says."""
        return cls(path=str(path), size=found.st_size, mtime_ns=found.st_mtime_ns, inode=found.st_ino)


class HashBook:
    """What was hashed, kept in a file that all workers of this machine share. Losing it costs only time."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def look(self, file: Identity) -> str:
        """Return a file's hash; "" if nobody has found it."""
        asked = "SELECT sha256 FROM hashes WHERE path = ? AND size = ? AND mtime_ns = ? AND inode = ?"
        try:
            with self._open() as book:
                row = book.execute(asked, (file.path, file.size, file.mtime_ns, file.inode)).fetchone()
        except (sqlite3.Error, OSError) as error:
            self._complain(error)
            return ""
        return str(row[0]) if row else ""

    def write(self, file: Identity, sha256: str) -> None:
        """Note a file's hash, in place of what its path had before."""
        told = "INSERT OR REPLACE INTO hashes (path, size, mtime_ns, inode, sha256) VALUES (?, ?, ?, ?, ?)"
        try:
            with self._open() as book:
                book.execute(told, (file.path, file.size, file.mtime_ns, file.inode, sha256))
                book.commit()
        except (sqlite3.Error, OSError) as error:
            self._complain(error)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=5.0)) as book:
            book.execute(
                "CREATE TABLE IF NOT EXISTS hashes (path TEXT PRIMARY KEY, size INTEGER NOT NULL, "
                "mtime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, sha256 TEXT NOT NULL)"
            )
            yield book

    def _complain(self, error: Exception) -> None:
        logger.warning("book of hashes cannot be used", extra={"path": str(self._path), "error": str(error)})
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError):
            self._path.unlink(missing_ok=True)  # it is no database any more: begin another


def settled(found: os.stat_result, *, now: float) -> bool:
    """Whether nobody has written to a file for a while. One from the future is taken as it is."""
    return not 0 <= now - found.st_mtime < SETTLED_S


def hash_file(
    path: Path, *, busy: Callable[[], bool], stopped: threading.Event, sleep: Callable[[float], object]
) -> tuple[Identity, str]:
    """Read a file to its end; return what was read and its SHA-256.

    While ``busy`` at BUSY_RATE, and again and again asked. Raises OSError, ChangingError, StoppedError.
    """
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(handle, "rb", buffering=0) as file:
        before = os.fstat(file.fileno())
        if not stat.S_ISREG(before.st_mode):
            raise OSError(f"{path} is no plain file")
        digest, came = hashlib.sha256(), 0
        while piece := file.read(CHUNK):
            digest.update(piece)
            _forget(file.fileno(), came, len(piece))
            came += len(piece)
            if came > before.st_size:
                raise ChangingError  # it grows as we read, maybe for ever
            if stopped.is_set():
                raise StoppedError
            if busy():
                sleep(len(piece) / BUSY_RATE)
        after = path.stat()
    identity = Identity.of(path, before)
    if came != before.st_size or Identity.of(path, after) != identity:
        raise ChangingError
    return identity, digest.hexdigest()


@contextmanager
def alone(lock: Path) -> Iterator[bool]:
    """Tell whether no other worker of this machine hashes now; if so, none does while inside."""
    if sys.platform == "win32":
        yield True
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def step_back() -> None:
    """Let everything else on this machine go before the calling thread, at the disk and at the processor."""
    if sys.platform != "linux":
        return
    call = _IOPRIO_SET.get(platform.machine())
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)
        if call is not None:
            ctypes.CDLL(None, use_errno=True).syscall(call, _THIS_THREAD, 0, _IOPRIO_IDLE)
    except OSError as error:
        logger.info("hashing has no lower priority", extra={"error": str(error)})


def _forget(handle: int, begin: int, length: int) -> None:
    """Leave the machine's cache to what ComfyUI loads: what is hashed is read once."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(handle, begin, length, os.POSIX_FADV_DONTNEED)


def now() -> float:
    """Seconds since 1970, as files have them."""
    return time.time()
