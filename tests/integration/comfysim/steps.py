"""Time in the stand-in's nodes: it stands still until a test lets it go on."""

from __future__ import annotations

import threading


class Steps:
    """Takes the place of `time` where nodes sleep: a sleep takes no time, but may have to wait for leave."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held = False
        self._left = 0

    def sleep(self, _seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._held or self._left)
            self._left -= self._held

    def hold(self, *, after: int = 0) -> None:
        """Let `after` sleeps pass from now on and no more."""
        with self._changed:
            self._held, self._left = True, after
            self._changed.notify_all()

    def go(self) -> None:
        with self._changed:
            self._held = False
            self._changed.notify_all()
