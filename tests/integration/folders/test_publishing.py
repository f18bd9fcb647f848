"""Publishing: a take's file gets one path for good, and lands there whole or not at all."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.utils import timezone
from pytest_django import Settings

from apps.common.errors import NotAllowed, Refused
from apps.common.models import StateEvent
from apps.folders.models import ProjectFolders, Publication, PublishWhen
from apps.folders.selectors import layout_version
from apps.folders.services import missing, publishing, wanting
from apps.folders.services.layouts import choose_layout, hold, save_version
from apps.folders.services.making import confirm
from apps.folders.services.missing import want_missed
from apps.folders.services.planning import Fate, plan_sequence
from apps.folders.states import Published
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.review.models import Take
from apps.review.services import review_take
from apps.review.services.selecting import select_take
from apps.review.states import Media, Review
from tests.factories import ArtifactFactory, MembershipFactory
from tests.integration.folders.conftest import sequence_of, shot_of, take_of
from tests.s3_fixture import Bucket

pytestmark = pytest.mark.django_db

FIRST = "FROST/scenes/SQ010/shots/SH0010/render/v001/SH0010_render_v001.mp4"


def published(take: Take) -> Publication:
    """Ask, and let the media worker do it."""
    (wanted,) = wanting.publish_take(take, user=None)
    publishing.publish(wanted.pk)
    wanted.refresh_from_db()
    return wanted


def test_a_takes_file_lands_at_its_path_with_its_version(
    film: Project, root: Path, artifact_root: Path
) -> None:
    take = take_of(shot_of(film), artifact_root)
    row = published(take)
    assert (row.path, row.version, row.state, row.how) == (FIRST, 1, Published.PUBLISHED, "link")
    assert (root / FIRST).read_bytes() == b"a clip"
    assert not list(root.rglob("*.part"))
    told = StateEvent.objects.filter(machine="publication").values_list("to_state", "story")
    assert list(told) == [("wanted", take.job_id), ("published", take.job_id)]


def test_publishing_twice_is_publishing_once(film: Project, root: Path, artifact_root: Path) -> None:
    take = take_of(shot_of(film), artifact_root)
    row = published(take)
    again = published(take)
    assert (again.pk, again.path, again.published_at) == (row.pk, FIRST, row.published_at)
    assert Publication.objects.count() == 1
    assert [path for path in root.rglob("*") if path.is_file()] == [root / FIRST]


def test_where_the_word_was_lost_the_file_that_stands_there_counts(
    film: Project, root: Path, artifact_root: Path
) -> None:
    row = published(take_of(shot_of(film), artifact_root))
    Publication.objects.filter(pk=row.pk).update(state=Published.WANTED)
    publishing.publish(row.pk)
    row.refresh_from_db()
    assert (row.state, row.path) == (Published.PUBLISHED, FIRST)


def test_somebody_elses_file_is_never_overwritten_the_next_version_is_taken(
    film: Project, root: Path, artifact_root: Path
) -> None:
    (root / FIRST).parent.mkdir(parents=True)
    (root / FIRST).write_bytes(b"somebody else's")
    row = published(take_of(shot_of(film), artifact_root))
    assert (row.version, row.path) == (2, FIRST.replace("v001", "v002"))
    assert (root / FIRST).read_bytes() == b"somebody else's"
    assert (root / row.path).read_bytes() == b"a clip"


def test_neither_a_new_layout_nor_a_new_code_moves_what_is_published(
    film: Project, root: Path, artifact_root: Path
) -> None:
    shot = shot_of(film)
    first = published(take_of(shot, artifact_root))
    Shot.objects.filter(pk=shot.pk).update(code="SH0015")
    second = published(take_of(Shot.objects.get(pk=shot.pk), artifact_root, number=2))
    choose_layout(film, layout_version("aipipeline-first"), user=None)
    third = published(take_of(Shot.objects.get(pk=shot.pk), artifact_root, number=3))
    first.refresh_from_db()
    assert [first.path, second.path, third.path] == [
        FIRST,
        "FROST/scenes/SQ010/shots/SH0015/render/v002/SH0015_render_v002.mp4",
        "FROST/shots/SQ010_SH0015/SQ010_SH0015_render_v003.mp4",
    ]
    assert all((root / row.path).is_file() for row in (first, second, third))
    kept = [entry.path for entry in plan_sequence(film, sequence_of(film)).entries if entry.fate is Fate.KEPT]
    assert kept == sorted([first.path, second.path, third.path])


def test_a_code_that_another_shot_had_before_gets_no_path_of_it(
    film: Project, root: Path, artifact_root: Path
) -> None:
    one, other = shot_of(film, "SH0010"), shot_of(film, "SH0020")
    first = published(take_of(one, artifact_root))
    Shot.objects.filter(pk=one.pk).update(code="SH0099")
    Shot.objects.filter(pk=other.pk).update(code="SH0010")
    second = published(take_of(Shot.objects.get(pk=other.pk), artifact_root, content=b"another"))
    assert (first.path, second.path) == (FIRST, FIRST.replace("v001", "v002"))


def test_what_is_published_outlives_its_shot(film: Project, root: Path, artifact_root: Path) -> None:
    shot = shot_of(film)
    row = published(take_of(shot, artifact_root))
    shot.delete()
    row.refresh_from_db()
    assert (row.shot, row.take, row.path) == (None, None, FIRST)
    assert (root / FIRST).is_file()


def test_several_originals_get_a_suffix_each(film: Project, root: Path, artifact_root: Path) -> None:
    take = take_of(shot_of(film), artifact_root, name="a.mp4")
    (artifact_root / "b.mp4").write_bytes(b"")
    ArtifactFactory.create(take=take, key="b.mp4", bytes=0, sha256=hashlib.sha256().hexdigest())
    assert [row.path for row in wanting.publish_take(take, user=None)] == [
        FIRST,
        FIRST.replace(".mp4", "_02.mp4"),
    ]


@pytest.mark.parametrize("what", ["changed", "gone"])
def test_a_file_that_is_not_what_the_node_stored_is_not_published_and_can_be_tried_again(
    film: Project, root: Path, artifact_root: Path, what: str
) -> None:
    take = take_of(shot_of(film), artifact_root)
    original = artifact_root / take.artifacts.get().key
    original.write_bytes(b"another clip") if what == "changed" else original.unlink()
    row = published(take)
    assert row.state == Published.FAILED
    assert ("SHA-256" if what == "changed" else "is not in the artifact store") in row.problem
    assert not [path for path in root.rglob("*") if path.is_file()]
    original.write_bytes(b"a clip")
    again = published(take)
    assert (again.pk, again.state, again.problem) == (row.pk, Published.PUBLISHED, "")


def test_a_store_that_fails_is_no_verdict_and_the_leader_asks_again(
    film: Project, root: Path, artifact_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wanted,) = wanting.publish_take(take_of(shot_of(film), artifact_root), user=None)
    monkeypatch.setattr(publishing, "_land", _failing)
    with pytest.raises(OSError, match="the share is away"):
        publishing.publish(wanted.pk)
    monkeypatch.undo()
    Publication.objects.filter(pk=wanted.pk).update(updated_at="2020-01-01T00:00Z")
    asked: list[object] = []
    monkeypatch.setattr(wanting, "request_publication", asked.append)
    wanting.ask_again()
    wanting.ask_again()
    assert asked == [wanted.pk]


def _failing(*_args: object) -> str:
    raise OSError("the share is away")


def test_a_path_below_a_link_that_leads_elsewhere_is_refused(
    film: Project, root: Path, artifact_root: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "FROST").symlink_to(outside)
    row = published(take_of(shot_of(film), artifact_root))
    assert row.state == Published.FAILED
    assert list(outside.iterdir()) == []


def test_what_cannot_be_published_is_refused_in_words(film: Project, root: Path, artifact_root: Path) -> None:
    take = take_of(shot_of(film), artifact_root)
    Take.objects.filter(pk=take.pk).update(media_state=Media.BROKEN)
    with pytest.raises(Refused, match="there is nothing to publish"):
        wanting.publish_take(Take.objects.get(pk=take.pk), user=None)
    Take.objects.filter(pk=take.pk).update(media_state=Media.READY)
    text = "folder shot {project}/{sequence}/{shot}\n"
    choose_layout(film, save_version(slug="bare", name="Bare", text=text, user=None), user=None)
    with pytest.raises(Refused, match="says nothing about files of this stage; add a line: file clip"):
        wanting.publish_take(Take.objects.get(pk=take.pk), user=None)
    assert not Publication.objects.exists()


def test_whoever_plans_the_project_may_publish(film: Project, root: Path, artifact_root: Path) -> None:
    take = take_of(shot_of(film), artifact_root)
    client = MembershipFactory.create(project=film, role=Role.CLIENT).user
    with pytest.raises(NotAllowed):
        wanting.publish_take(take, user=client)
    planner = MembershipFactory.create(project=film, role=Role.COORDINATOR).user
    (row,) = wanting.publish_take(take, user=planner)
    assert row.asked_by == planner.username


@pytest.mark.parametrize(
    ("confirmed", "when", "goes"),
    [
        (True, PublishWhen.APPROVED, True),
        (True, PublishWhen.SELECTED, False),
        (True, PublishWhen.NEVER, False),
        (False, PublishWhen.APPROVED, False),
    ],
)
def test_an_approved_take_is_published_by_itself_where_the_project_wants_that(
    film: Project, root: Path, artifact_root: Path, confirmed: bool, when: str, goes: bool,
    django_capture_on_commit_callbacks: object,
) -> None:  # fmt: skip
    selected = take_of(shot_of(film), artifact_root, number=9, content=b"selected")
    Take.objects.filter(pk=selected.pk).update(
        selected=True, selected_at="2026-01-01T00:00Z", selected_by="ann"
    )
    take = take_of(shot_of(film), artifact_root)
    choose_layout(film, hold(film).template, user=None, publish=when)
    if confirmed:
        confirm(film, user=None)
    user = MembershipFactory.create(project=film, role=Role.ADMIN).user
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        review_take(take, to=Review.APPROVED, user=user)
    assert Publication.objects.filter(take=take).exists() is goes


def test_a_selected_take_is_published_by_itself(film: Project, root: Path, artifact_root: Path) -> None:
    take = take_of(shot_of(film), artifact_root)
    confirm(film, user=None)
    wanting.hear_selection(Take, shot=take.shot_id, stage=take.stage, take=take.pk, before=None, actor="ann")
    wanting.hear_selection(Take, shot=take.shot_id, stage=take.stage, take=None, before=take.pk, actor="ann")
    assert Publication.objects.get(take=take).asked_by == "ann"


def test_folders_and_files_on_s3(
    film: Project, s3_storage: Bucket, settings: Settings, tmp_path: Path
) -> None:
    url = s3_storage.url.replace("/artifacts", "/published")
    there = {"BACKEND": "apps.common.object_storage.ObjectStorage", "OPTIONS": {"url": url}}
    settings.STORAGES = {**settings.STORAGES, "published": there}
    take = take_of(shot_of(film), tmp_path)
    default_storage.save(take.artifacts.get().key, ContentFile(b"a clip"))
    made = confirm(film, user=None)
    assert made is not None and (made.folders, made.refusals) == (0, 0)
    row = published(take)
    assert (row.path, row.how) == (FIRST, "upload")
    with storages["published"].open(FIRST) as file:
        assert file.read() == b"a clip"
    again = confirm(film, user=None, sequence=sequence_of(film))
    assert again is not None and (again.records, again.updated, again.refusals) == (0, 1, 0)
    other = take_of(shot_of(film), tmp_path, number=2, content=b"two")
    default_storage.save(other.artifacts.get().key, ContentFile(b"two"))
    with storages["published"].open("FROST/config/project.json") as file:
        assert b'"code": "FROST"' in file.read()
    storages["published"].save(FIRST.replace("v001", "v002"), ContentFile(b"somebody else's"))
    assert published(other).version == 3


@pytest.fixture
def wanted(film: Project, root: Path) -> Project:
    """A film that publishes what is selected or approved, for an hour now."""
    confirm(film, user=None)
    ProjectFolders.objects.filter(project=film).update(updated_at=timezone.now() - timedelta(hours=1))
    return film


def died_after_the_commit(take: Take) -> None:
    """What was written stays; nothing after the commit was done, and that is minutes ago."""
    ago = timezone.now() - timedelta(minutes=5)
    StateEvent.objects.filter(story=take.job_id).update(at=ago)
    Take.objects.filter(pk=take.pk, selected=True).update(selected_at=ago)


@pytest.mark.parametrize("verdict", ["approved", "selected"])
def test_a_take_whose_verdict_was_told_to_nobody_is_published_all_the_same(
    wanted: Project, artifact_root: Path, no_broker: list[object], verdict: str
) -> None:
    take = take_of(shot_of(wanted), artifact_root)
    admin = MembershipFactory.create(project=wanted, role=Role.ADMIN).user
    if verdict == "approved":
        review_take(take, to=Review.APPROVED, user=admin)
        Take.objects.filter(pk=take.pk).update(selected=False)
    else:
        select_take(take, user=admin)
    assert want_missed() == 0  # whoever decided may still be about to ask
    died_after_the_commit(take)
    assert (want_missed(), want_missed()) == (1, 0)
    assert Publication.objects.get(take=take).state == Published.WANTED


def test_what_was_decided_before_the_project_published_such_stays_unpublished(
    wanted: Project, artifact_root: Path
) -> None:
    take = take_of(shot_of(wanted), artifact_root)
    admin = MembershipFactory.create(project=wanted, role=Role.ADMIN).user
    review_take(take, to=Review.APPROVED, user=admin)
    died_after_the_commit(take)
    choose_layout(wanted, layout_version("studio"), user=None, publish=PublishWhen.APPROVED)
    assert want_missed() == 0
    assert not Publication.objects.exists()


def test_missed_takes_that_cannot_be_published_keep_no_other_waiting(
    wanted: Project, artifact_root: Path, no_broker: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missing, "AT_ONCE", 1)
    admin = MembershipFactory.create(project=wanted, role=Role.ADMIN).user
    shot = shot_of(wanted)
    for number, name in enumerate(("clip_without_ending", "clip.mp4"), start=1):
        take = take_of(shot, artifact_root, number=number, name=name)
        review_take(take, to=Review.APPROVED, user=admin)
        died_after_the_commit(take)
    want_missed()
    want_missed()
    assert Publication.objects.get().take == take


def test_a_missed_take_that_cannot_be_published_is_not_tried_every_few_seconds(
    wanted: Project, artifact_root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    take = take_of(shot_of(wanted), artifact_root, name="clip_without_ending")
    admin = MembershipFactory.create(project=wanted, role=Role.ADMIN).user
    review_take(take, to=Review.APPROVED, user=admin)
    died_after_the_commit(take)
    assert (want_missed(), want_missed()) == (0, 0)
    assert caplog.text.count("take not published") == 1
