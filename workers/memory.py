"""Guards of main memory: the worker's own, and what is left on ComfyUI's machine.

Above its limit a node takes no more work and says why; what it has in hand goes on. Once it is idle, it helps
itself: the worker ends, for its supervisor to start it anew; ComfyUI is asked to unload everything, and if
that does not help it is restarted, where the studio has said how. Neither happens again and again.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

MIB: Final = 1024 * 1024

LEAST_LIFE_S: Final = 600.0
"""A worker that is too large sooner after its start will not be smaller after the next one."""

FREED_S: Final = 30.0
"""How long ComfyUI may take to unload what it was asked to."""


def own_rss_mib() -> int | None:
    """Return the memory this process holds; None where the system has no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") // MIB


def end_gently() -> None:
    """Stop this worker as SIGTERM does: what is in hand is finished and reported."""
    os.kill(os.getpid(), signal.SIGTERM)


class OwnMemory:
    """The worker's own. ``limit_mib`` 0: no limit."""

    def __init__(
        self,
        limit_mib: int,
        *,
        rss_mib: Callable[[], int | None] = own_rss_mib,
        end: Callable[[], None] = end_gently,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit_mib = limit_mib
        self._rss_mib = rss_mib
        self._end = end
        self._clock = clock
        self._begun = clock()
        self._ended = False

    def check(self, *, idle: bool) -> str:
        """Say by how much the worker is too large, "" if it is not; end it once it is idle."""
        held = self._rss_mib() if self._limit_mib else None
        if held is None or held <= self._limit_mib:
            return ""
        reason = f"this worker holds {held} MiB of memory, above SHOTFARM_MAX_RSS_MB ({self._limit_mib})"
        if self._clock() - self._begun < LEAST_LIFE_S:
            return f"{reason} soon after its start; is the limit too low?"
        if idle and not self._ended:
            self._ended = True
            logger.warning("worker too large, stopping it to be started anew", extra={"rss_mib": held})
            self._end()
        return f"{reason}; it is started anew once it is idle"


class ComfyMemory:
    """What is left on ComfyUI's machine. ``least_mib`` 0: no limit. ``free`` asks ComfyUI to unload.

    ``wants_restart``: it was freed in vain and is idle; said until :meth:`restarted`, once per shortage.
    """

    def __init__(
        self,
        least_mib: int,
        *,
        free: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._least_mib = least_mib
        self._free = free
        self._clock = clock
        self._freed_at: float | None = None
        self._restarted = False
        self.wants_restart = False

    def check(self, left_mib: int | None, *, idle: bool) -> str:
        """Say how little is left, "" if it is enough; free ComfyUI once it is idle. Raises ComfyError."""
        self.wants_restart = False
        if left_mib is None or left_mib >= self._least_mib:
            self._freed_at = None
            self._restarted = False
            return ""
        if idle and self._freed_at is None:
            logger.warning("little memory left, freeing ComfyUI", extra={"left_mib": left_mib})
            self._free()
            self._freed_at = self._clock()
        elif idle and self._freed_at is not None and not self._restarted:
            self.wants_restart = self._clock() - self._freed_at >= FREED_S
        return (
            f"ComfyUI's machine has {left_mib} MiB of memory left, below SHOTFARM_MIN_RAM_MB "
            f"({self._least_mib})"
        )

    def restarted(self) -> None:
        """ComfyUI was restarted for this: not once more before there has been enough."""
        self._restarted = True
        self.wants_restart = False
