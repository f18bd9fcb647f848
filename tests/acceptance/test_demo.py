"""``make demo``: from an empty folder to takes on the screen, and back to nothing."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from farm.demo.processes import PRIVATE, ROOT
from tests.comfysim_fixture import StartSim

# The demo brings its own SQLite.
pytestmark = [pytest.mark.timeout(400), pytest.mark.once]
of_one_run = pytest.mark.xdist_group("rendered")
"""They look at the same demo."""


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


def tickers_of(folder: Path) -> list[int]:
    return [pid for pid, command in processes_of(folder).items() if command.endswith("manage.py ticker ")]


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


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A demo that has rendered everything and left."""
    demo = start_demo(tmp_path_factory.mktemp("rendered") / "demo", DEMO_EXIT="1")
    try:
        demo.finish()
    finally:
        demo.process.terminate()
        demo.process.wait(30)
    return demo


@pytest.mark.long
@of_one_run
def test_the_demo_renders_every_take_of_the_production_and_leaves(rendered: Demo) -> None:
    assert rendered.process.returncode == 0, rendered.output
    summary = rendered.summary
    assert summary["takes"] == summary["jobs"] >= 30
    assert summary["failures"] == []
    assert summary["simulated"] is True
    wait_until_gone(rendered.folder)


@of_one_run
def test_every_file_of_the_summary_is_what_it_says(rendered: Demo) -> None:
    files = rendered.summary["files"]
    primary = [file for file in files if file["role"] == "primary"]
    assert len(primary) == rendered.summary["takes"]
    assert len([file for file in primary if file["kind"] == "video" and file["frames"] > 1]) >= 6
    for file in files:
        assert hashlib.sha256(Path(file["path"]).read_bytes()).hexdigest() == file["sha256"], file["path"]


@of_one_run
def test_the_memory_of_every_process_is_in_the_summary(rendered: Demo) -> None:
    peaks = rendered.summary["peak_rss_mb"]
    assert {"broker", "web", "coordinator", "media", "ticker", "notices", "flower"} < set(peaks)
    assert len(peaks) == 7 + 2 * 2, "two GPU workers, each with its stand-in ComfyUI"
    assert all(peak > 1 for peak in peaks.values())


@of_one_run
def test_both_gpu_workers_rendered_and_the_big_jobs_went_to_the_big_one(rendered: Demo) -> None:
    with sqlite3.connect(rendered.folder / "shotfarm.sqlite3") as database:
        rows = database.execute("SELECT DISTINCT node, kind FROM review_take").fetchall()
    assert {("gpu8-sim", "keyframe"), ("gpu24-sim", "clip")} <= set(rows)
    assert ("gpu8-sim", "clip") not in rows


@of_one_run
def test_a_second_run_shows_the_takes_renders_nothing_and_serves_until_it_is_stopped(
    rendered: Demo, demo_in: StartDemo
) -> None:
    database = rendered.folder / "shotfarm.sqlite3"

    def attempts() -> list[tuple[Any, ...]]:
        with sqlite3.connect(database) as connection:
            return connection.execute("SELECT id FROM renders_attempt ORDER BY id").fetchall()

    before = attempts()
    demo = demo_in(rendered.folder)
    wait_until(lambda: "Ctrl-C stops everything" in demo.output, demo)
    assert attempts() == before
    assert f"{rendered.summary['takes']} takes" in demo.output
    web, flower = (
        next(word for word in line.split() if word.startswith("http://"))
        for line in demo.lines
        if line.startswith(("Shotfarm ", "Flower "))
    )
    with urllib.request.urlopen(web, timeout=20) as page:
        assert b"password" in page.read()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{flower}api/tasks", timeout=20)
    demo.process.send_signal(signal.SIGINT)
    assert demo.finish(30) == 0, demo.output
    wait_until_gone(rendered.folder)


@of_one_run
def test_a_child_that_is_killed_comes_back(rendered: Demo, demo_in: StartDemo) -> None:
    demo = demo_in(rendered.folder)
    wait_until(lambda: "Ctrl-C stops everything" in demo.output, demo)
    (ticker,) = tickers_of(rendered.folder)
    os.kill(ticker, signal.SIGKILL)
    wait_until(lambda: "ticker was killed by SIGKILL; starting it again" in demo.output, demo)
    wait_until(lambda: tickers_of(rendered.folder) not in ([], [ticker]), demo)


def test_neither_killing_it_in_the_middle_nor_stopping_the_next_run_leaves_a_process(
    demo_in: StartDemo,
) -> None:
    demo = demo_in()
    wait_until(lambda: " jobs ·" in demo.output, demo)
    demo.process.kill()
    demo.process.wait(10)
    wait_until_gone(demo.folder)

    demo = demo_in(demo.folder)
    wait_until(lambda: " jobs ·" in demo.output, demo)
    demo.process.terminate()
    assert demo.finish(30) == 130
    wait_until_gone(demo.folder)


def test_an_unreachable_comfyui_is_named_before_anything_starts(demo_in: StartDemo) -> None:
    demo = demo_in(COMFYUI_URL="http://127.0.0.1:1")
    assert demo.finish(60) == 1
    wait_until_gone(demo.folder)
    assert "COMFYUI_URL is 'http://127.0.0.1:1'" in demo.output
    assert not demo.folder.exists()


@pytest.mark.long
def test_a_comfyui_without_a_gpu_renders_a_slate_of_every_shot(
    demo_in: StartDemo, comfysim: StartSim
) -> None:
    server = comfysim(vram=0)
    demo = demo_in(COMFYUI_URL=server.url, DEMO_EXIT="1")
    assert demo.finish() == 0, demo.output
    assert demo.summary["takes"] == 24
    with sqlite3.connect(demo.folder / "shotfarm.sqlite3") as database:
        rows = database.execute("SELECT DISTINCT template, node FROM review_take").fetchall()
        queues = database.execute("SELECT DISTINCT queue FROM renders_attempt").fetchall()
    assert rows == [("plain_slate v1", "gpu1")]
    assert {queue for (queue,) in queues} <= {"vram.0", "vram.0.next"}
