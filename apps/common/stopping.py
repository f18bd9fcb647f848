"""Processes that run until they are asked to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType


def asked_to_stop() -> Callable[[], bool]:
    """Hear SIGTERM and SIGINT from now on; return what tells whether one came. In the main thread only."""
    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return lambda: stopped
