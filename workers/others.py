"""Somebody else's prompts in this ComfyUI: how long they have been in front, and when that is too long.

A node is a guest: an artist may render in the same ComfyUI. Theirs is waited for and never stopped. But it is
not waited for without end: what lies behind it another node could render meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from threading import Lock
from typing import Final

REMEMBERED: Final = 1000
"""Prompts of this worker, the last ones. ComfyUI holds a few at a time."""


class Others:
    """Who has ComfyUI. ``limit_s``: how long others may, without a prompt of ours between; 0: without end.

    ``ours`` is called by render threads, the rest by the watch.
    """

    def __init__(self, limit_s: float = 0.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._lock = Lock()
        self._ours: dict[str, None] = {}
        self._since: float | None = None

    def ours(self, prompt_id: str) -> None:
        """Note a prompt that this worker is about to queue, or has queued in a former life."""
        with self._lock:
            self._ours[prompt_id] = None
            while len(self._ours) > REMEMBERED:
                del self._ours[next(iter(self._ours))]

    def look(self, running: Iterable[str]) -> None:
        """Note what executes now."""
        with self._lock:
            theirs = [prompt_id for prompt_id in running if prompt_id not in self._ours]
        if not theirs:
            self._since = None
        elif self._since is None:
            self._since = self._clock()

    @property
    def too_long(self) -> bool:
        """Whether nothing more should wait behind them."""
        since = self._since
        return since is not None and 0 < self._limit_s < self._clock() - since

    @property
    def reason(self) -> str:
        """Say that they have it, and what that means here; "" if they have not."""
        if self._since is None:
            return ""
        if self.too_long:
            return (
                f"somebody else's prompts have had ComfyUI for more than {self._limit_s:g} s "
                "(SHOTFARM_OTHERS_SECONDS); work goes on when they are done"
            )
        bound = f"for {self._limit_s:g} s at most" if self._limit_s else "without end"
        return (
            f"somebody else's prompt executes in ComfyUI; orders wait behind it {bound} "
            "(SHOTFARM_OTHERS_SECONDS)"
        )
