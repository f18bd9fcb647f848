"""A demo in a process of its own, as ``make demo`` starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from farm.demo.processes import PRIVATE, ROOT


@dataclass
class Demo:
    """A running demo, and what it has printed."""

    folder: Path
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def summary(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "summary.json").read_text())
        return content

    def read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def finish(self, patience_s: float = 300) -> int:
        return self.process.wait(patience_s)


StartDemo = Callable[..., Demo]


def start_demo(folder: Path, **variables: str) -> Demo:
    outside = {name: value for name, value in os.environ.items() if not name.startswith(PRIVATE)}
    process = subprocess.Popen(
        [sys.executable, "-m", "farm.demo"],
        cwd=ROOT,
        env=outside | {"DEMO_VAR": str(folder)} | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    demo = Demo(folder, process)
    threading.Thread(target=demo.read, daemon=True).start()
    return demo


def processes_of(folder: Path) -> dict[int, str]:
    """Command lines of living processes that know this demo's folder, by process id."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if str(folder).encode() in command + (process / "environ").read_bytes():
                found[int(process.name)] = command.decode(errors="replace").replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has ended, or is nobody of ours
    return found


def wait_until(condition: Callable[[], object], demo: Demo, patience_s: float = 200) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline or demo.process.poll() is not None:
            pytest.fail(f"waited in vain; the demo (status {demo.process.poll()}) said:\n{demo.output}")
        time.sleep(0.2)


def wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 15
    while processes_of(folder):
        assert time.monotonic() < deadline, processes_of(folder)
        time.sleep(0.1)


@pytest.fixture
def demo_in(tmp_path: Path) -> Iterator[StartDemo]:
    started: list[Demo] = []

    def start(folder: Path | None = None, **variables: str) -> Demo:
        started.append(start_demo(folder or tmp_path / "demo", **variables))
        return started[-1]

    yield start
    for demo in started:
        if demo.process.poll() is None:
            demo.process.terminate()
            demo.process.wait(30)
