"""This node's own disks: the scratch disk, where outputs are checked on their way, and the spool's."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from workers.errors import ScratchUnavailable

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
        folder = tempfile.TemporaryDirectory(prefix="shotfarm-", ignore_cleanup_errors=True)
    with folder as path:
        yield Path(path)


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
