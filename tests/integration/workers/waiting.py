"""Wait for something to become true; the bound only ends a test that has failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(find: Callable[[], T | None], *, timeout_s: float = 30.0) -> T:
    """Return the first true value of ``find``. Raises TimeoutError if there is none in time."""
    deadline = time.monotonic() + timeout_s
    while True:
        if found := find():
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"nothing found within {timeout_s:g} s")
        time.sleep(0.01)
