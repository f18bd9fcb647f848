"""Which artifact store an address means."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from workers.farm_store import FarmStore
from workers.settings import SettingsError
from workers.store import ArtifactStore
from workers.stores import open_store


def test_a_path_is_a_folder_and_a_web_address_the_farm(tmp_path: Path) -> None:
    assert isinstance(open_store(str(tmp_path), min_free=0), ArtifactStore)
    assert isinstance(open_store("https://farm.studio", min_free=0), FarmStore)


def test_a_password_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="holds a password; leave it out") as refusal:
        open_store("https://node:hunter2@farm.studio", min_free=0)
    assert "hunter2" not in str(refusal.value)


def test_an_address_nobody_speaks_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^SHOTFARM_ARTIFACTS begins with 'nas'"):
        open_store("nas://films/frost", min_free=0)


def test_a_folder_counts_as_full_before_it_is(tmp_path: Path) -> None:
    (tmp_path / ".shotfarm-store").write_text("this farm's\n")
    assert open_store(str(tmp_path), min_free=0).check() == ""
    words = open_store(str(tmp_path), min_free=2**60).check()
    assert words.startswith(f"the artifact store at {tmp_path} is full; make room there")


def test_a_folder_whose_disk_cannot_be_asked_cannot_be_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stale(_: object) -> NoReturn:
        raise OSError(errno.ESTALE, "Stale file handle")

    (tmp_path / ".shotfarm-store").write_text("this farm's\n")
    monkeypatch.setattr(shutil, "disk_usage", stale)
    assert "cannot be read: [Errno 116] Stale file handle" in open_store(str(tmp_path), min_free=0).check()
