"""Paths to copy: each system's own way of writing them, and mounts that make sense."""

from __future__ import annotations

import pytest

from apps.common.errors import NotAllowed, Refused
from apps.folders.located import Located
from apps.folders.mounts import check_root, path_on
from apps.folders.services.mounts import set_mount
from apps.projects.models import Project
from tests.factories import UserFactory
from tests.integration.folders.conftest import shot_of


@pytest.mark.parametrize(
    ("system", "root", "path"),
    [
        ("linux", "/mnt/farm", "/mnt/farm/FROST/scenes/SQ010"),
        ("linux", "/", "/FROST/scenes/SQ010"),
        ("mac", "/Volumes/farm/", "/Volumes/farm/FROST/scenes/SQ010"),
        ("windows", "P:\\", "P:\\FROST\\scenes\\SQ010"),
        ("windows", "P:", "P:\\FROST\\scenes\\SQ010"),
        ("windows", "\\\\nas\\farm", "\\\\nas\\farm\\FROST\\scenes\\SQ010"),
        ("windows", "P:\\films\\", "P:\\films\\FROST\\scenes\\SQ010"),
    ],
)
def test_paths_are_written_as_each_system_writes_them(system: str, root: str, path: str) -> None:
    check_root(system, root)
    assert path_on(system, root, "FROST/scenes/SQ010") == path


@pytest.mark.parametrize(
    ("system", "root"),
    [
        ("linux", "mnt/farm"),
        ("linux", "P:\\"),
        ("linux", "/mnt/../etc"),
        ("linux", "/mnt/\nfarm"),
        ("mac", ""),
        ("windows", "/mnt/farm"),
        ("windows", "PP:\\"),
        ("windows", 'P:\\a"b'),
        ("windows", "P:\\..\\c"),
        ("amiga", "DH0:"),
    ],
)
def test_a_place_that_is_none_on_this_system_is_refused(system: str, root: str) -> None:
    with pytest.raises(Refused):
        check_root(system, root)


@pytest.mark.django_db
def test_a_system_nobody_told_of_has_no_path_and_whoever_runs_the_farm_tells(film: Project) -> None:
    root = UserFactory.create(is_superuser=True)
    with pytest.raises(NotAllowed, match=r"folders\.change_mount"):
        set_mount("windows", "P:\\", user=UserFactory.create())
    set_mount("windows", " P:\\ ", user=root)
    located = Located()
    assert located.paths(located.folder_of_shot(shot_of(film))) == {
        "linux": None,
        "windows": "P:\\FROST\\scenes\\SQ010\\shots\\SH0010",
        "mac": None,
    }
    assert located.paths(located.folder_of_project(film))["windows"] == "P:\\FROST"
    with pytest.raises(Refused, match="send the row_version you read"):
        set_mount("windows", "Q:\\", user=root)
    set_mount("windows", "", user=root, row_version=0)
    assert Located().paths("FROST") == {"linux": None, "windows": None, "mac": None}
