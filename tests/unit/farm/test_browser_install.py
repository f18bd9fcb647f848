"""``make browser``: Chromium where it is missing, or a sentence that says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "requirements" / "browser.py"


def run(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT)], env={"PATH": str(path)}, capture_output=True, text=True, check=False
    )


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_browser_that_stands_is_left_alone(tmp_path: Path) -> None:
    program(tmp_path, "chromium", "exit 1")
    program(tmp_path, "apt-get", f"echo called >> {tmp_path}/asked")
    assert run(tmp_path).returncode == 0
    assert not (tmp_path / "asked").exists()


def test_without_a_package_manager_it_says_which_browsers_would_do(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert done.returncode == 1
    assert "Install it so that one of chromium," in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may install packages")
def test_root_installs_chromium_with_a_font_that_has_hangul(tmp_path: Path) -> None:
    program(tmp_path, "apt-get", f'echo "$DEBIAN_FRONTEND $@" >> {tmp_path}/asked')
    (tmp_path / "env").symlink_to(str(shutil.which("env")))
    assert run(tmp_path).returncode == 0
    assert (tmp_path / "asked").read_text().splitlines() == [
        "noninteractive -qq update",
        "noninteractive -qq install -y --no-install-recommends chromium fonts-noto-cjk",
    ]


def test_a_failing_installation_names_the_command_to_run_by_hand(tmp_path: Path) -> None:
    program(tmp_path, "apt-get", "exit 100")
    program(tmp_path, "sudo", "exit 1")
    (tmp_path / "env").symlink_to(str(shutil.which("env")))
    done = run(tmp_path)
    assert done.returncode == 1
    assert "sudo apt-get install -y chromium fonts-noto-cjk" in done.stderr
