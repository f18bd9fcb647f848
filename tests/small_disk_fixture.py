"""A real disk that is small, so that it can be really full."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SmallDisk = Callable[[int], Path]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mount disks: ``small_disk(8)`` is an empty one of 8 MiB. Needs root; in CI it must not be missing."""
    mounted: list[Path] = []

    def mount(mebibytes: int) -> Path:
        place = tmp_path / f"disk-{len(mounted)}"
        place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = f"a full disk needs a small one, and tmpfs cannot be mounted here: {done.stderr.strip()}"
            if os.environ.get("CI"):
                pytest.fail(f"{reason}. Run CI as root, or in a container with CAP_SYS_ADMIN.")
            pytest.skip(reason)
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Fill a disk but for ``leave`` bytes; return the file to remove to make room."""
    ballast = disk / "ballast"
    stat = os.statvfs(disk)
    size = max(0, stat.f_bavail * stat.f_frsize - leave)
    with ballast.open("wb") as file:
        while size > 0:
            count = min(size, 1024**2)
            file.write(bytes(count))
            size -= count
    return ballast
