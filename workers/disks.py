"""This node's own disks: the scratch disk, where outputs are checked on their way, and the spool's."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from workers.errors import ScratchUnavailable

if sys.platform != "win32":
    import fcntl

logger = logging.getLogger(__name__)

PREFIX: Final = "shotfarm-scratch-"
"""Of scratch folders and nothing else: what is found under such a name and held by nobody is removed."""

BORN_S: Final = 60.0
"""A folder so young may be one that is about to be held."""

SPOOL_BYTES: Final = 4 * 1024**2
"""Room for some hundred reports. A spool is small, so its disk may be fuller than the scratch disk."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class Disks:
    """Both disks; the scratch disk is that of ``TMPDIR``, and full below ``min_free`` bytes."""

    def __init__(self, *, spool: Path, min_free: int) -> None:
        self._spool = spool
        self._min_free = min_free

    def check(self) -> str:
        """Say which disk is full, and what to do; "" if none is."""
        scratch = Path(tempfile.gettempdir())
        for disk, purpose, least in (
            (scratch, "scratch", self._min_free),
            (self._spool, "spool", min(SPOOL_BYTES, self._min_free)),
        ):
            try:
                free = shutil.disk_usage(disk).free
            except OSError as exc:
                return f"this node's {purpose} disk at {disk} cannot be used: {exc}"
            if free < least:
                return (
                    f"this node's {purpose} disk at {disk} is full ({free // 2**20} MiB free, "
                    f"{max(1, least // 2**20)} needed); make room there, and work goes on by itself"
                )
        return ""


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder for files on their way, removed at the end. Raises ScratchUnavailable."""
    with on_scratch():
        folder = tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    with folder as path, _held(Path(path)):
        yield Path(path)


def clear_scratch() -> None:
    """Remove the scratch folders of workers that were killed: a clip in each fills a disk in time.

    One that a living worker holds is left alone, whosever it is.
    """
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            young = time.time() - folder.stat().st_mtime < BORN_S
        except OSError:
            continue  # its worker has removed it meanwhile
        if young or not folder.is_dir():
            continue
        with _held(folder) as ours:
            if ours:
                logger.warning("scratch folder of a killed worker removed", extra={"folder": str(folder)})
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[bool]:
    """Hold a folder as long as inside, or this process lives; False where somebody else does.

    Where the system locks no folders nobody can be told to be dead: False as well.
    """
    if sys.platform == "win32":
        yield False
        return
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        yield False
        return
    try:
        yield _locked(handle)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


@contextmanager
def writing(path: Path) -> Iterator[Callable[[bytes], None]]:
    """Give a function that writes on to a scratch file; its own errors are ScratchUnavailable."""
    with on_scratch():
        file = path.open("wb")

    def write(piece: bytes) -> None:
        with on_scratch():
            file.write(piece)

    try:
        yield write
    finally:
        with on_scratch():
            file.close()


@contextmanager
def on_scratch() -> Iterator[None]:
    """Say of a failing write inside whose disk it was. Raises ScratchUnavailable."""
    try:
        yield
    except OSError as exc:
        place = f"this node's scratch disk at {tempfile.gettempdir()}"
        if exc.errno in _FULL:
            raise ScratchUnavailable(
                f"{place} is full; make room there, or set TMPDIR to a larger disk"
            ) from exc
        raise ScratchUnavailable(f"{place} failed: {exc}") from exc
