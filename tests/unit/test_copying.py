"""tests/copying.py: tables that are kept are those of the sources, and stay while somebody copies them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests import copying


@pytest.fixture(autouse=True)
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of its own, and sources that are quickly read and migrated."""
    monkeypatch.setattr(copying, "KEPT", tmp_path / "tables")
    monkeypatch.setattr(copying, "_content", lambda: "now")
    monkeypatch.setattr(copying, "_digest", lambda: "now")
    monkeypatch.setattr("tests.copying.subprocess.run", _migrated)
    return tmp_path / "tables"


def _migrated(command: list[str], *, env: dict[str, str], **_more: object) -> CompletedProcess[str]:
    (Path(env["SHOTFARM_VAR"]) / "shotfarm.sqlite3").write_text("tables")
    return CompletedProcess(command, 0)


def _long_ago(place: Path) -> None:
    os.utime(place, (1, 1))


def test_tables_in_use_are_not_forgotten_and_old_ones_are(kept: Path, tmp_path: Path) -> None:
    copying.copy_sqlite(tmp_path / "first")
    (kept / "sqlite-before").mkdir()
    (kept / "sqlite-before" / "shotfarm.sqlite3").write_text("old tables")
    for place in kept.iterdir():
        _long_ago(place)
    copying.copy_sqlite(tmp_path / "second")
    copying._forget_old()
    copying.copy_sqlite(tmp_path / "third")
    assert (tmp_path / "third").read_text() == "tables"
    assert not (kept / "sqlite-before").exists()


def test_two_runs_may_forget_at_once(kept: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copying.copy_sqlite(tmp_path / "first")
    (kept / "sqlite-before").mkdir()
    _long_ago(kept / "sqlite-before")
    remove = shutil.rmtree

    def after_another(place: Path) -> None:
        remove(place)
        remove(place)

    monkeypatch.setattr("tests.copying.shutil.rmtree", after_another)
    copying._forget_old()
    assert not (kept / "sqlite-before").exists()


def test_tables_of_sources_that_changed_meanwhile_are_not_kept(
    kept: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(copying, "_digest", lambda: "later")
    with pytest.raises(RuntimeError, match="a source was changed"):
        copying.copy_sqlite(tmp_path / "first")
    assert not (kept / "sqlite-now").exists()
