"""What the processes of one test run need alike: whoever comes first makes it, the others find it there."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


def folder_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that pytest-xdist's workers share; without it this process's own."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


def made_once(place: Path, make: Callable[[Path], None]) -> Path:
    """Return ``place``, a folder that ``make`` has filled: once, for whoever asks first, and wholly."""
    unfinished = place.with_name(f"{place.name}-unfinished")
    with place.with_name(f"{place.name}-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            shutil.rmtree(unfinished, ignore_errors=True)  # whoever began it has failed
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(place)
    return place
