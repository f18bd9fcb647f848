"""Scratch folders: gone at the end, and those of a killed worker gone at the next start."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from workers.disks import BORN_S, PREFIX, clear_scratch, scratch

KILLED = """
import os
from workers.disks import scratch
with scratch() as folder:
    (folder / "clip.mp4").write_bytes(bytes(1000))
    print(folder, flush=True)
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def grow_old(folder: Path) -> None:
    then = folder.stat().st_mtime - BORN_S - 1
    os.utime(folder, (then, then))


def killed_while_collecting(disk: Path) -> Path:
    """Leave the folder of a worker that was killed while it checked what it had rendered."""
    ended = subprocess.run(
        [sys.executable, "-c", KILLED],
        env={**os.environ, "TMPDIR": str(disk)},
        stdout=subprocess.PIPE,
        check=False,
        text=True,
    )
    assert ended.returncode == -9
    left = Path(ended.stdout.strip())
    assert (left / "clip.mp4").stat().st_size == 1000
    return left


def test_what_a_killed_worker_left_is_removed_and_what_a_living_one_has_stays(disk: Path) -> None:
    left = killed_while_collecting(disk)
    grow_old(left)
    others = disk / "shotfarm-tests-1"  # ours by its name, and nobody's scratch
    others.mkdir()
    grow_old(others)
    with scratch() as held:
        grow_old(held)

        clear_scratch()

        assert (left.exists(), held.exists(), others.exists()) == (False, True, True)
    assert not held.exists()


def test_a_folder_that_was_just_made_may_be_about_to_be_held(disk: Path) -> None:
    left = killed_while_collecting(disk)

    clear_scratch()

    assert left.exists()


def test_a_link_of_that_name_leads_nowhere(disk: Path) -> None:
    valuable = disk / "valuable"
    valuable.mkdir()
    (valuable / "film.mov").write_text("")
    grow_old(valuable)
    (disk / f"{PREFIX}link").symlink_to(valuable)

    clear_scratch()

    assert (valuable / "film.mov").exists()
