"""``make demo``: from an empty folder to takes on the screen. Its tests share a run (sharing_out.py)."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import sqlite3
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.demo import Demo, processes_of, start_demo, wait_until, wait_until_gone
from tests.acceptance.talking import Talk, made_client

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


def attempts_of(demo: Demo) -> list[tuple[Any, ...]]:
    with sqlite3.connect(demo.folder / "shotfarm.sqlite3") as connection:
        return connection.execute("SELECT id FROM renders_attempt ORDER BY id").fetchall()


@pytest.fixture(scope="module")
def before(rendered: Demo) -> list[tuple[Any, ...]]:
    """Every attempt of the first run."""
    return attempts_of(rendered)


@pytest.fixture(scope="module")
def serving(rendered: Demo, before: list[tuple[Any, ...]]) -> Iterator[Demo]:
    """The same demo, run again: it serves until the last test stops it."""
    demo = start_demo(rendered.folder)
    try:
        wait_until(lambda: "Ctrl-C stops everything" in demo.output, demo)
        yield demo
    finally:
        demo.process.terminate()
        demo.process.wait(30)


def address_of(demo: Demo, name: str) -> str:
    """Where it said that somebody answers."""
    line = next(line for line in demo.lines if line.startswith(f"{name} "))
    return next(word for word in line.split() if word.startswith("http://"))


def test_a_second_run_shows_the_takes_and_renders_nothing(
    rendered: Demo, before: list[tuple[Any, ...]], serving: Demo
) -> None:
    assert attempts_of(serving) == before
    assert f"{rendered.summary['takes']} takes" in serving.output
    with urllib.request.urlopen(address_of(serving, "Shotfarm"), timeout=20) as page:
        assert b"password" in page.read()
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{address_of(serving, 'Flower')}api/tasks", timeout=20)


@pytest.fixture(scope="module")
def talk(serving: Demo) -> Talk:
    """The coordinator's token at it."""
    secrets = json.loads((serving.folder / "secrets.json").read_text())
    return Talk(address_of(serving, "Shotfarm"), "coordinator", secrets["coordinator"])


def test_a_client_made_of_its_document_logs_in_reads_shots_and_is_told_whose_change_it_missed(
    serving: Demo, talk: Talk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = made_client(talk, tmp_path, monkeypatch)
    password = json.loads((serving.folder / "secrets.json").read_text())["coordinator"]
    entry = part("client").Client(talk.web, httpx_args={"auth": ("coordinator", password)})
    token = part("api.auth.auth_login").sync(client=entry)
    farm = part("client").AuthenticatedClient(talk.web, token=token.token, prefix="Token")
    page = part("api.shots.shots_list").sync(client=farm, limit=3)
    assert page.count > len(page.results) == 3
    shot = page.results[0]
    patch, change = part("api.shots.shots_partial_update"), part("models").PatchedShotChangeRequest
    wish = change(description="A sleigh in the snow", row_version=shot.row_version)
    changed = patch.sync(shot.id, client=farm, body=wish)
    assert (changed.description, changed.row_version) == ("A sleigh in the snow", shot.row_version + 1)
    late = change(description="A sledge in the ice", row_version=shot.row_version)
    stale = patch.sync_detailed(shot.id, client=farm, body=late)
    assert isinstance(stale.parsed, part("models").Problem)
    assert (stale.status_code, stale.parsed.row_version) == (409, changed.row_version)
    (missed,) = stale.parsed.changed
    assert (missed.field, missed.now, missed.by) == ("description", "A sleigh in the snow", "coordinator")


def test_the_media_worker_packs_a_film_into_an_archive(serving: Demo, talk: Talk) -> None:
    project = talk.ask("GET", "/api/v1/projects")["results"][0]["code"]
    asked = talk.ask("POST", f"/api/v1/projects/{project}/archives", {"takes": "all"})
    address = f"/api/v1/projects/{project}/archives/{asked['id']}"
    wait_until(lambda: talk.ask("GET", address)["state"] == "ready", serving, patience_s=60)
    archive = talk.ask("GET", address)
    content = talk.read(archive["url"])
    assert hashlib.sha256(content).hexdigest() == archive["sha256"]
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        inside = {hashlib.sha256(packed.read(name)).hexdigest() for name in packed.namelist()}
    files = serving.summary["files"]
    assert {file["sha256"] for file in files if file["role"] == "primary"} <= inside


def test_a_child_that_is_killed_comes_back(serving: Demo) -> None:
    (ticker,) = tickers_of(serving.folder)
    os.kill(ticker, signal.SIGKILL)
    wait_until(lambda: "ticker was killed by SIGKILL; starting it again" in serving.output, serving)
    wait_until(lambda: tickers_of(serving.folder) not in ([], [ticker]), serving)


def test_it_serves_until_it_is_stopped(serving: Demo) -> None:
    serving.process.send_signal(signal.SIGINT)
    assert serving.finish(30) == 0, serving.output
    wait_until_gone(serving.folder)
