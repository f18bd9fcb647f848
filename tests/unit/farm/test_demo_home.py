"""The demo's folder and its secrets."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from farm.demo.errors import DemoError
from farm.demo.home import Home


def test_secrets_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    Home.open(tmp_path / "demo", fresh=False)
    assert stat.S_IMODE((tmp_path / "demo" / "secrets.json").stat().st_mode) == 0o600


def test_secrets_are_made_once_and_shown_in_no_repr(tmp_path: Path) -> None:
    first = Home.open(tmp_path / "demo", fresh=False)
    first.lock.close()
    second = Home.open(tmp_path / "demo", fresh=False)
    assert first.secrets == second.secrets
    assert first.secrets.admin not in repr(first)
    assert first.secrets.django_key not in repr(first)


def test_a_fresh_run_empties_the_folder_and_makes_new_secrets(tmp_path: Path) -> None:
    first = Home.open(tmp_path / "demo", fresh=False)
    (first.folder / "shotfarm.sqlite3").touch()
    first.lock.close()
    second = Home.open(tmp_path / "demo", fresh=True)
    assert not (second.folder / "shotfarm.sqlite3").exists()
    assert first.secrets.broker != second.secrets.broker


@pytest.mark.parametrize("fresh", [True, False])
def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path, fresh: bool) -> None:
    (tmp_path / "precious.txt").touch()
    with pytest.raises(DemoError, match="was not made by a demo"):
        Home.open(tmp_path, fresh=fresh)
    assert (tmp_path / "precious.txt").exists()


def test_a_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    held = Home.open(tmp_path / "demo", fresh=False)
    with pytest.raises(DemoError, match="Another demo runs"):
        Home.open(tmp_path / "demo", fresh=True)
    assert (held.folder / "secrets.json").exists()
