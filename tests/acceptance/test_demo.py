"""``make demo``: from an empty folder to takes on the screen. Its tests share a run (sharing_out.py)."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.demo import Demo, StartDemo, processes_of, start_demo, wait_until, wait_until_gone

# The demo brings its own SQLite.
pytestmark = [pytest.mark.timeout(400), pytest.mark.once]


def tickers_of(folder: Path) -> list[int]:
    return [pid for pid, command in processes_of(folder).items() if command.endswith("manage.py ticker ")]


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
def test_the_demo_renders_every_take_of_the_production_and_leaves(rendered: Demo) -> None:
    assert rendered.process.returncode == 0, rendered.output
    summary = rendered.summary
    assert summary["takes"] == summary["jobs"] >= 30
    assert summary["failures"] == []
    assert summary["simulated"] is True
    wait_until_gone(rendered.folder)


def test_every_file_of_the_summary_is_what_it_says(rendered: Demo) -> None:
    files = rendered.summary["files"]
    primary = [file for file in files if file["role"] == "primary"]
    assert len(primary) == rendered.summary["takes"]
    assert len([file for file in primary if file["kind"] == "video" and file["frames"] > 1]) >= 6
    for file in files:
        assert hashlib.sha256(Path(file["path"]).read_bytes()).hexdigest() == file["sha256"], file["path"]


def test_the_memory_of_every_process_is_in_the_summary(rendered: Demo) -> None:
    peaks = rendered.summary["peak_rss_mb"]
    assert {"broker", "web", "coordinator", "media", "ticker", "notices", "flower"} < set(peaks)
    assert len(peaks) == 7 + 2 * 2, "two GPU workers, each with its stand-in ComfyUI"
    assert all(peak > 1 for peak in peaks.values())


def test_both_gpu_workers_rendered_and_the_big_jobs_went_to_the_big_one(rendered: Demo) -> None:
    with sqlite3.connect(rendered.folder / "shotfarm.sqlite3") as database:
        rows = database.execute("SELECT DISTINCT node, kind FROM review_take").fetchall()
    assert {("gpu8-sim", "keyframe"), ("gpu24-sim", "clip")} <= set(rows)
    assert ("gpu8-sim", "clip") not in rows


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


def test_a_child_that_is_killed_comes_back(rendered: Demo, demo_in: StartDemo) -> None:
    demo = demo_in(rendered.folder)
    wait_until(lambda: "Ctrl-C stops everything" in demo.output, demo)
    (ticker,) = tickers_of(rendered.folder)
    os.kill(ticker, signal.SIGKILL)
    wait_until(lambda: "ticker was killed by SIGKILL; starting it again" in demo.output, demo)
    wait_until(lambda: tickers_of(rendered.folder) not in ([], [ticker]), demo)
