"""The archive of a project: asked for, written whole into the store, fetched, and taken away again."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.models import User
from apps.characters.models import CharacterReference
from apps.common.errors import Conflict, NotAllowed
from apps.common.models import StateEvent
from apps.keeping.filling import Filling
from apps.keeping.models import ProjectArchive, Takes
from apps.keeping.services import aging, asking, making
from apps.keeping.services.asking import ask, discard
from apps.keeping.services.making import write_archive
from apps.keeping.states import ArchiveState
from apps.ledger.models import Activity
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.review.models import Playlist, PlaylistItem, ReviewNote, Take
from tests.factories import ArtifactFactory, CharacterFactory, MembershipFactory, ShotFactory, TakeFactory
from tests.s3_fixture import Bucket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch, artifact_root: Path) -> list[Any]:
    """What is asked of the media worker; nobody listens."""
    asked: list[Any] = []
    monkeypatch.setattr(asking, "request_archive", asked.append)
    monkeypatch.setattr(aging, "request_archive", asked.append)
    return asked


@pytest.fixture
def shot(db: None) -> Shot:
    """FROST's one shot with three clips: selected, approved, and neither."""
    shot = ShotFactory.create(sequence__project__code="FROST", sequence__code="SQ010", code="SH0010")
    stored(TakeFactory.create(shot=shot, number=1, selected=True, selected_at=timezone.now()))
    stored(TakeFactory.create(shot=shot, number=2, review_state="approved"))
    stored(TakeFactory.create(shot=shot, number=3))
    return shot


def stored(take: Take) -> None:
    content = f"the picture of take {take.number}".encode()
    key = f"attempts/FROST/{take.attempt_id}/picture.png"
    default_storage.save(key, ContentFile(content))
    sum_ = hashlib.sha256(content).hexdigest()
    ArtifactFactory.create(take=take, key=key, bytes=len(content), sha256=sum_)


@pytest.fixture
def coordinator(shot: Shot) -> User:
    return MembershipFactory.create(project=shot.project, role=Role.COORDINATOR).user


def written(project: Project, user: User, **told: Any) -> ProjectArchive:
    archive = ask(project, user=user, **told)
    write_archive(archive.pk)
    archive.refresh_from_db()
    return archive


def opened(archive: ProjectArchive) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(default_storage.open(archive.key).read()))


def pictures(archive: ProjectArchive) -> list[str]:
    return [name for name in opened(archive).namelist() if name.endswith(".png")]


FIRST = "FROST/scenes/SQ010/shots/SH0010/keyframe/v001/SH0010_keyframe_v001.png"


def test_an_archive_holds_plan_takes_references_playlists_and_notes(shot: Shot, coordinator: User) -> None:
    take = Take.objects.get(number=1)
    playlist = Playlist.objects.create(project=shot.project, name="for the client")
    PlaylistItem.objects.create(playlist=playlist, take=take, position=0)
    ReviewNote.objects.create(
        project=shot.project, take=take, stage=take.stage, text="더 어둡게", author="kim"
    )
    character = CharacterFactory.create(project=shot.project, code="CH0001")
    default_storage.save("references/a.png", ContentFile(b"a face"))
    CharacterReference.objects.create(
        character=character, title="../../a face?", key="references/a.png", media_type="image/png",
        sha256=hashlib.sha256(b"a face").hexdigest(), bytes=6, width=1, height=1,
    )  # fmt: skip

    archive = written(shot.project, coordinator, takes=Takes.SELECTED)

    assert (archive.state, archive.missing) == (ArchiveState.READY, 0)
    with opened(archive) as file:
        assert file.testzip() is None
        names = set(file.namelist())
        told = {"README.txt", "SHA256SUMS", "playlists.json", "notes.jsonl", "prompts.jsonl", "takes.jsonl"}
        assert told | {"plan/FROST.json", "plan/FROST.xlsx", "plan/FROST_technical.xlsx"} <= names
        assert file.read(FIRST) == b"the picture of take 1"
        assert json.loads(file.read(f"{FIRST}.json"))["review"] == "pending"
        (face,) = [name for name in names if name.startswith("FROST/") and "references/" in name]
        assert (file.read(face), ".." in face.split("/")) == (b"a face", False)
        assert json.loads(file.read("playlists.json"))[0]["takes"] == [str(take)]
        assert json.loads(file.read("notes.jsonl"))["text"] == "더 어둡게"
        takes = [json.loads(line) for line in file.read("takes.jsonl").splitlines()]
        assert [one["files"] for one in takes] == [[FIRST], [], []]
        assert json.loads(file.read("plan/FROST.json"))["shots"][0]["code"] == "SH0010"
        for line in file.read("SHA256SUMS").decode().splitlines():
            sum_, path = line.split("  ", 1)
            assert hashlib.sha256(file.read(path)).hexdigest() == sum_
        assert {entry.compress_type for entry in file.infolist()} == {zipfile.ZIP_STORED}
    whole = default_storage.open(archive.key).read()
    assert (archive.bytes, archive.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())


@pytest.mark.parametrize(
    ("takes", "numbers"),
    [(Takes.NONE, []), (Takes.SELECTED, [1]), (Takes.APPROVED, [1, 2]), (Takes.ALL, [1, 2, 3])],
)
def test_the_takes_that_go_along_are_chosen(
    shot: Shot, coordinator: User, takes: Takes, numbers: list[int]
) -> None:
    archive = written(shot.project, coordinator, takes=takes)
    assert pictures(archive) == [FIRST.replace("v001", f"v{number:03}") for number in numbers]
    size = len(b"the picture of take 1")
    assert archive.total == size * len(numbers)


def test_two_takes_that_would_have_one_path_get_two(shot: Shot, coordinator: User) -> None:
    other = TakeFactory.create(shot=shot, number=1, kind="clip", stage=Take.objects.get(number=1).stage)
    stored(other)
    assert sorted(pictures(written(shot.project, coordinator, takes=Takes.ALL)))[:2] == [
        FIRST.replace(".png", "-2.png"),
        FIRST,
    ]


def test_a_file_that_the_store_lacks_is_told_and_the_rest_is_there(shot: Shot, coordinator: User) -> None:
    gone = Take.objects.get(number=2).artifacts.get()
    default_storage.delete(gone.key)
    archive = written(shot.project, coordinator, takes=Takes.ALL)
    assert (archive.state, archive.missing, len(pictures(archive))) == (ArchiveState.READY, 1, 2)
    assert gone.key in opened(archive).read("MISSING.txt").decode()


def test_who_asked_for_what_is_remembered(shot: Shot, coordinator: User) -> None:
    archive = written(shot.project, coordinator)
    told = Activity.objects.get(kind="archive")
    assert (told.project, told.actor) == (shot.project.pk, coordinator.username)
    moves = StateEvent.objects.filter(machine="archive", subject=archive.pk).order_by("id")
    assert list(moves.values_list("to_state", flat=True)) == ["wanted", "working", "ready"]


def test_a_project_has_one_archive_under_way(shot: Shot, coordinator: User, sent: list[Any]) -> None:
    first = ask(shot.project, user=coordinator)
    with pytest.raises(Conflict, match="being written"):
        ask(shot.project, user=coordinator)
    discard(first, user=coordinator)
    assert ask(shot.project, user=coordinator).state == ArchiveState.WANTED


def test_whoever_plans_only_some_shots_gets_no_archive(shot: Shot) -> None:
    artist = MembershipFactory.create(project=shot.project, role=Role.ARTIST).user
    with pytest.raises(NotAllowed):
        ask(shot.project, user=artist)
    assert not ProjectArchive.objects.exists()


def test_a_cancelled_archive_leaves_no_file(
    shot: Shot, coordinator: User, artifact_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = ask(shot.project, user=coordinator, takes=Takes.ALL)
    monkeypatch.setattr(making, "EVERY_S", 0.0)
    real = Filling.fill

    def cancelled_meanwhile(filling: Any) -> None:
        discard(archive, user=coordinator)
        real(filling)

    monkeypatch.setattr(Filling, "fill", cancelled_meanwhile)
    write_archive(archive.pk)
    archive.refresh_from_db()
    assert (archive.state, archive.key) == (ArchiveState.CANCELLED, "")
    assert [path for path in (artifact_root / "archives").rglob("*") if path.is_file()] == []


def test_what_a_dead_worker_had_in_hand_is_written_by_the_next(
    shot: Shot, coordinator: User, artifact_root: Path, monkeypatch: pytest.MonkeyPatch, sent: list[Any]
) -> None:
    archive = ask(shot.project, user=coordinator, takes=Takes.ALL)

    def die(filling: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Filling, "fill", die)
        write_archive(archive.pk)
    archive.refresh_from_db()
    assert (archive.state, archive.downloadable) == (ArchiveState.WORKING, False)

    left = artifact_root / archive.folder / f".{archive.run}.zip.part"  # kill -9 runs no finally
    left.write_bytes(b"half of it")

    long_ago = timezone.now() - 2 * aging.SILENCE
    ProjectArchive.objects.filter(pk=archive.pk).update(beat_at=long_ago)
    aging.look_after_archives()
    assert sent == [archive.pk]
    write_archive(archive.pk)
    archive.refresh_from_db()
    assert (archive.state, len(pictures(archive))) == (ArchiveState.READY, 3)
    assert [path.name for path in left.parent.iterdir()] == [archive.key.rpartition("/")[2]]


def died_over(archive: ProjectArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker wrote the whole file, and was killed before it could say so."""

    def killed(*_told: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(making, "_end", killed)
        write_archive(archive.pk)
    ProjectArchive.objects.filter(pk=archive.pk).update(beat_at=timezone.now() - 2 * aging.SILENCE)
    aging.look_after_archives()
    archive.refresh_from_db()


def test_an_archive_of_which_workers_die_is_given_up_and_leaves_no_file(
    shot: Shot, coordinator: User, artifact_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = ask(shot.project, user=coordinator)
    for tried in range(1, aging.TRIES + 1):
        died_over(archive, monkeypatch)
        assert archive.open == (tried < aging.TRIES)
        assert [path for path in (artifact_root / "archives").rglob("*") if path.is_file()] == []
    assert archive.state == ArchiveState.FAILED
    assert "3 times" in archive.problem
    assert ask(shot.project, user=coordinator).open


def test_an_archive_stays_ready_while_the_store_does_not_delete_its_file(
    shot: Shot, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = written(shot.project, coordinator)

    def away(_name: str) -> None:
        raise OSError("the share is away")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="the share is away"):
        patch.setattr(default_storage, "delete", away)
        discard(archive, user=coordinator)
    archive.refresh_from_db()
    assert archive.downloadable
    discard(archive, user=coordinator)
    assert not default_storage.exists(archive.key)


def test_a_worker_that_was_thought_dead_spoils_nothing(
    shot: Shot, coordinator: User, artifact_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wakes after another one has written the archive: its own file goes."""
    archive = ask(shot.project, user=coordinator)
    real = Filling.fill

    def slept(filling: Any) -> None:
        monkeypatch.setattr(Filling, "fill", real)
        ProjectArchive.objects.filter(pk=archive.pk).update(beat_at=timezone.now() - 2 * aging.SILENCE)
        aging.look_after_archives()
        write_archive(archive.pk)
        real(filling)

    monkeypatch.setattr(Filling, "fill", slept)
    write_archive(archive.pk)
    archive.refresh_from_db()
    assert archive.state == ArchiveState.READY
    files = [path for path in (artifact_root / "archives").rglob("*") if path.is_file()]
    assert files == [artifact_root / archive.key]


def test_an_archive_is_written_once_however_often_it_is_asked_for(shot: Shot, coordinator: User) -> None:
    archive = written(shot.project, coordinator)
    write_archive(archive.pk)
    assert StateEvent.objects.filter(machine="archive", to_state="working").count() == 1


def test_a_full_store_fails_the_archive_with_a_reason(
    shot: Shot, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_told: Any, **_more: Any) -> None:
        raise OSError("no space left on the device")

    monkeypatch.setattr(making, "Packing", full)
    archive = written(shot.project, coordinator)
    assert archive.state == ArchiveState.FAILED
    assert "no space left" in archive.problem
    assert ask(shot.project, user=coordinator).open


def test_after_its_days_the_file_goes_and_the_row_stays(
    shot: Shot, coordinator: User, settings: Settings
) -> None:
    settings.ARCHIVE_DAYS = 3
    archive = written(shot.project, coordinator)
    assert archive.expires_at is not None and archive.finished_at is not None
    assert archive.expires_at - archive.finished_at == timedelta(days=3)
    aging.look_after_archives()
    assert default_storage.exists(archive.key)
    ProjectArchive.objects.filter(pk=archive.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    aging.look_after_archives()
    archive.refresh_from_db()
    assert (archive.state, archive.downloadable) == (ArchiveState.EXPIRED, False)
    assert not default_storage.exists(archive.key)


def test_an_archive_goes_with_its_project(
    shot: Shot, coordinator: User, django_capture_on_commit_callbacks: Any
) -> None:
    archive = written(shot.project, coordinator, takes=Takes.NONE)
    with django_capture_on_commit_callbacks(execute=True):
        archive.delete()
    assert not default_storage.exists(archive.key)


def test_a_lost_message_is_sent_again(shot: Shot, coordinator: User, sent: list[Any]) -> None:
    archive = ask(shot.project, user=coordinator)
    aging.look_after_archives()
    assert sent == []
    ProjectArchive.objects.update(asked_at=timezone.now() - 2 * aging.PATIENCE)
    aging.look_after_archives()
    aging.look_after_archives()
    assert sent == [archive.pk]


def test_an_archive_goes_into_a_bucket_as_well(shot: Shot, coordinator: User, s3_storage: Bucket) -> None:
    for artifact in Take.objects.get(number=1).artifacts.all():
        default_storage.save(artifact.key, ContentFile(b"the picture of take 1"))
    archive = written(shot.project, coordinator, takes=Takes.SELECTED)
    with opened(archive) as file:
        assert file.read(FIRST) == b"the picture of take 1"
    assert archive.bytes == default_storage.size(archive.key)
