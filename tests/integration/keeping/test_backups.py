"""The drill: a film with takes is backed up, destroyed and restored, and everything is there again."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.migrations.recorder import MigrationRecorder
from PIL import Image

from apps.accounts.models import User
from apps.folders.models import PathTemplate, Publication
from apps.folders.states import Published
from apps.keeping.backups import copies
from apps.keeping.backups.references import SOURCES
from apps.materials.models import Material
from apps.materials.services.adding import add_material
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.review.models import Take
from tests.factories import ArtifactFactory, MembershipFactory, ShotFactory, TakeFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def film(artifact_root: Path) -> Project:
    """FROST: a shot with two takes, the second published."""
    shot = ShotFactory.create(sequence__project__code="FROST", sequence__code="SQ010", code="SH0010")
    MembershipFactory.create(project=shot.project)
    for number in (1, 2):
        take = TakeFactory.create(shot=shot, number=number)
        content = f"the picture of take {number}".encode()
        key = f"attempts/FROST/{take.attempt_id}/picture.png"
        write(artifact_root / key, content)
        sum_ = hashlib.sha256(content).hexdigest()
        original = ArtifactFactory.create(take=take, key=key, bytes=len(content), sha256=sum_)
    Publication.objects.create(
        project=shot.project, shot=shot, take=take, artifact_id=original.pk, source_key=key,
        template=PathTemplate.objects.get(slug="studio", number=1), stage=take.stage, version=1,
        path="FROST/SH0010_v001.png", path_key="frost/sh0010_v001.png", bytes=len(content), sha256=sum_,
        state=Published.PUBLISHED,
    )  # fmt: skip
    write(artifact_root.parent / "published" / "FROST/SH0010_v001.png", content)
    project: Project = shot.project
    return project


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def everything() -> dict[str, list[str]]:
    """Every row of every table."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = {}
        for table in tables:
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - names of our tables
            found[table] = sorted(map(repr, cursor.fetchall()))
    return found


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(*told: str) -> str:
    out = StringIO()
    call_command(*told, stdout=out)
    return out.getvalue()


def backed_up(folder: Path, *told: str) -> Path:
    """Make a backup; return where it is."""
    run("backup", str(folder), *told)
    return max(path for path in folder.iterdir() if (path / "manifest.json").is_file())


def drop_every_table() -> None:
    if connection.vendor == "sqlite":
        path = Path(connection.settings_dict["NAME"])
        connection.close()
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()
        return
    with connection.cursor() as cursor:
        names = ", ".join(f'"{name}"' for name in connection.introspection.table_names(cursor))
        cursor.execute(f"DROP TABLE {names} CASCADE")


def test_a_film_is_destroyed_and_everything_comes_back(
    film: Project, artifact_root: Path, tmp_path: Path
) -> None:
    published = tmp_path / "published"
    rows, stored, shown = everything(), files_below(artifact_root), files_below(published)
    backup = backed_up(tmp_path / "backups", "--files")

    drop_every_table()
    shutil.rmtree(artifact_root)
    shutil.rmtree(published)
    told = run("restore", str(backup), "--files")

    assert everything() == rows
    assert (files_below(artifact_root), files_below(published)) == (stored, shown)
    assert "3 brought back, 0 there" in told
    assert Take.objects.get(number=2).shot.full_code == "SQ010_SH0010"
    Project.objects.create(code="NEXT", name="rows can be added again")


def test_a_restored_database_forgets_what_came_after_the_backup(film: Project, tmp_path: Path) -> None:
    rows = everything()
    backup = backed_up(tmp_path / "backups")
    Project.objects.filter(pk=film.pk).update(name="changed since")
    Project.objects.create(code="LATER", name="opened since")
    run("restore", str(backup), "--replace")
    assert everything() == rows


def test_a_database_with_people_in_it_is_not_restored_over_without_a_word(
    film: Project, tmp_path: Path
) -> None:
    backup = backed_up(tmp_path / "backups")
    User.objects.create_user("later", password="secret of later")
    rows = everything()
    with pytest.raises(CommandError, match="--replace"):
        run("restore", str(backup))
    assert everything() == rows


@pytest.mark.parametrize("harm", ["cut", "one bit", "list", "manifest", "gone"])
def test_a_damaged_backup_is_refused_and_nothing_is_touched(film: Project, tmp_path: Path, harm: str) -> None:
    backup = backed_up(tmp_path / "backups")
    manifest = json.loads((backup / "manifest.json").read_text())
    dump = backup / manifest["database"]["name"]
    content = bytearray(dump.read_bytes())
    if harm == "cut":
        dump.write_bytes(content[: len(content) // 2])
    elif harm == "one bit":
        content[len(content) // 2] ^= 1
        dump.write_bytes(content)
    elif harm == "list":
        (backup / "files.jsonl.gz").write_bytes(b"")
    elif harm == "manifest":
        (backup / "manifest.json").write_text('{"form": 1, "shotfarm"')
    else:
        dump.unlink()
    rows = everything()
    for command in (("restore", str(backup), "--replace"), ("backup", str(backup), "--check")):
        with pytest.raises(CommandError, match=r"damaged|missing"):
            run(*command)
    assert everything() == rows


def test_a_dump_that_breaks_off_half_way_leaves_the_database_as_it_was(film: Project, tmp_path: Path) -> None:
    """Its sums are right, as if it had been written so: the database itself refuses it."""
    backup = backed_up(tmp_path / "backups")
    manifest = json.loads((backup / "manifest.json").read_text())
    manifest["tables"]["review_take"] += 1
    (backup / "manifest.json").write_text(json.dumps(manifest))
    rows = everything()
    with pytest.raises(CommandError, match="does not hold the 3 rows of review_take"):
        run("restore", str(backup), "--replace")
    assert everything() == rows


def test_a_backup_of_a_newer_version_is_refused(film: Project, tmp_path: Path) -> None:
    later = MigrationRecorder.Migration.objects.create(app="review", name="9999_later")
    try:
        backup = backed_up(tmp_path / "backups")
    finally:
        later.delete()
    rows = everything()
    with pytest.raises(CommandError, match=r"newer version.*review\.9999_later"):
        run("restore", str(backup), "--replace")
    assert everything() == rows


def test_a_check_says_which_files_are_missing(film: Project, artifact_root: Path, tmp_path: Path) -> None:
    backup = backed_up(tmp_path / "backups")
    assert "Files: 3 whole" in run("backup", str(backup), "--check", "--sums")
    lost, harmed = sorted(artifact_root.rglob("*.png"))
    lost.unlink()
    harmed.write_bytes(harmed.read_bytes().upper())
    out = StringIO()
    with pytest.raises(CommandError, match="2 files are not safe"):
        call_command("backup", str(backup), "--check", "--sums", stdout=out)
    for path in (lost, harmed):
        assert f"lost: {path.relative_to(artifact_root)}" in out.getvalue()


def test_what_a_store_lacks_is_told_but_is_safe_where_the_backup_holds_a_copy(
    film: Project, artifact_root: Path, tmp_path: Path
) -> None:
    backup = backed_up(tmp_path / "backups", "--files")
    shutil.rmtree(artifact_root)
    assert "2 missing in the store, held by the backup" in run("backup", str(backup), "--check")


def test_a_second_backup_copies_only_what_is_new_and_old_ones_go(
    film: Project, artifact_root: Path, tmp_path: Path
) -> None:
    backups = tmp_path / "backups"
    first = backed_up(backups, "--files")
    gone = Take.objects.get(number=1)
    gone.delete()
    told = run("backup", str(backups), "--files", "--keep", "1")
    assert "1 old backups and 1 copies deleted" in told
    assert "Files: 2 there" in told
    (kept,) = [path for path in backups.iterdir() if (path / "manifest.json").is_file()]
    assert kept != first
    assert "Files: 2 whole" in run("backup", str(kept), "--check", "--sums")


def test_a_picture_that_shots_are_made_of_has_no_proxy_that_could_be_missing(
    film: Project, tmp_path: Path
) -> None:
    picture = BytesIO()
    Image.new("RGB", (64, 36), "teal").save(picture, "PNG")
    picture.seek(0)
    planner = MembershipFactory.create(project=film, role=Role.COORDINATOR).user
    add_material(film, picture, name="plate", user=planner)
    backup = backed_up(tmp_path / "backups", "--files")
    assert "Files: 5 whole." in run("backup", str(backup), "--check", "--sums")


def test_what_else_lies_in_the_folder_of_backups_stays(film: Project, tmp_path: Path) -> None:
    backups = tmp_path / "100% Film #2"  # an address would read this another way
    mine = backups / "files" / "script.txt", backups / ".mine.part" / "script.txt", backups / ".it.part"
    for path in mine:
        write(path, b"nobody's backup")
    backed_up(backups, "--files")
    run("backup", str(backups), "--files", "--keep", "1")
    assert all(path.is_file() for path in mine)


def test_a_store_that_fails_is_told_with_what_is_whole_all_the_same(
    film: Project, artifact_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_told: Any, **_more: Any) -> None:
        raise OSError("the share is away")

    with monkeypatch.context() as patch, pytest.raises(CommandError, match=r"is made, and whole.* is away"):
        patch.setattr(copies, "fetch", away)
        run("backup", str(tmp_path / "first"), "--files")
    backup = backed_up(tmp_path / "backups", "--files")
    shutil.rmtree(artifact_root)
    monkeypatch.setattr(copies, "keep", away)
    with pytest.raises(CommandError, match=r"the database is restored; .* is away"):
        run("restore", str(backup), "--files", "--replace")


@pytest.mark.parametrize("told", [("--check", "--keep", "1"), ("--check", "--files"), ("--sums",)])
def test_options_that_would_mean_nothing_are_refused(tmp_path: Path, told: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="--check"):
        run("backup", str(tmp_path), *told)


def test_a_backup_is_read_by_its_owner_alone_and_tells_no_secret(
    film: Project, tmp_path: Path, settings: Any
) -> None:
    backup = backed_up(tmp_path / "backups", "--files")
    assert all(path.stat().st_mode & 0o077 == 0 for path in [backup, *backup.rglob("*")])
    listed = (
        gzip.decompress((backup / "files.jsonl.gz").read_bytes()) + (backup / "manifest.json").read_bytes()
    )
    assert settings.SECRET_KEY.encode() not in listed


def test_every_column_that_holds_a_key_of_a_store_is_backed_up() -> None:
    """A new model with files is not forgotten."""
    others = {"path_key", "source_key", "idempotency_key", "token_key"}  # no files, or those of an artifact
    known = {(source.model, source.key) for source in SOURCES}
    from django.apps import apps

    found = {
        (model, field.name)
        for model in apps.get_models()
        if model.__module__.startswith("apps.")
        for field in model._meta.concrete_fields
        if isinstance(field, models.CharField) and field.name.endswith("key") and field.name not in others
    }
    without = {"renders.Lane", "keeping.ProjectArchive"}  # no file of a store; one that can be made anew
    found = {(model, name) for model, name in found if model._meta.label not in without}
    assert found <= known, found - known
    assert (Material, "key") in found
