"""A shot that continues another waits for that one's selected clip, and goes on from its last frames."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import av
import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Job, JobContinuity
from apps.renders.services.continuity import make_tail, resolve_missed, selection_changed
from apps.renders.services.control import cancel_jobs
from apps.renders.services.orders import order_for
from apps.renders.services.parents import write_parents
from apps.renders.services.planning import plan
from apps.renders.services.requeueing import requeue
from apps.renders.services.submit import Step, submit
from apps.renders.states import JobState
from apps.renders.waitwords import sentence
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.services.keeping import sha256_of
from apps.review.states import Media
from farm import contracts
from tests.factories import ArtifactFactory, JobFactory, ShotFactory, TakeFactory
from tests.integration.renders.scene import again
from tests.integration.renders.test_chains import attempt_at
from workflows.conforming import Conform, Length

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates", "cutting")]

GREYS = range(0, 160, 10)
"""Sixteen frames, each lighter than the one before."""
I2V, SVI = Step(template="wan22_i2v", frames=17), Step(template="wan_svi")


@pytest.fixture
def cutting(monkeypatch: pytest.MonkeyPatch, artifact_root: Path) -> list[str]:
    """The media worker cuts at once what it is asked for; the list says what that was."""
    asked: list[str] = []

    def send_task(name: str, args: list[Any], **options: Any) -> None:
        assert name == contracts.TAIL
        asked.append(f"{args[1]} {args[2]}")
        make_tail(UUID(args[0]), *args[1:])

    monkeypatch.setattr("apps.renders.services.continuity.app.send_task", send_task)
    return asked


@pytest.fixture
def before(film: Project) -> Shot:
    """SQ010_SH0010, which is continued."""
    shot: Shot = ShotFactory.create(sequence=film.sequences.get(), code="SH0010")
    return shot


@pytest.fixture
def shot(before: Shot) -> Shot:
    """SQ010_SH0020, which continues it."""
    made: Shot = ShotFactory.create(sequence=before.sequence, code="SH0020", continuity_from=before)
    return made


@pytest.fixture
def clip(before: Shot, tmp_path: Path) -> Callable[[], Take]:
    """Make a selected clip of the shot before: 16 frames at 16 fps, a head of two, a tail of four."""

    def make() -> Take:
        Take.objects.filter(shot=before).update(selected=False, selected_at=None)
        length = Conform(Length(10, Fraction(16), 2, 4), len(GREYS), Fraction(16)).as_json()
        take: Take = TakeFactory.create(
            shot=before,
            kind="clip",
            length=length,
            media_state=Media.READY,
            selected=True,
            selected_at=timezone.now(),
        )
        path = tmp_path / "clip.mkv"
        write(path)
        artifact = ArtifactFactory.create(
            take=take,
            key=f"attempts/{take.pk}/clip.mkv",
            kind="video",
            media_type="video/x-matroska",
            bytes=path.stat().st_size,
            sha256=sha256_of(path),
            frames=len(GREYS),
            fps=16.0,
        )
        with path.open("rb") as file:
            default_storage.save(artifact.key, file)
        return take

    return make


def write(path: Path) -> None:
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=16)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "bgr0"
        for grey in GREYS:
            picture = Image.new("RGB", (64, 36), (grey, grey, grey))
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))  # type: ignore[no-untyped-call]
        container.mux(stream.encode(None))


def greys_of(artifact: Artifact) -> list[int]:
    with default_storage.open(artifact.key) as file, av.open(file, "r") as container:
        pictures = [frame.to_image() for frame in container.decode(video=0)]  # type: ignore[no-untyped-call]
        return [picture.getpixel((0, 0))[0] for picture in pictures]


def press(shot: Shot, user: User, step: Step = I2V, key: str = "k", **more: Any) -> Job:
    steps = more.get("steps", [step])
    batch = submit(user=user, project=shot.project, shots=[shot], steps=steps, idempotency_key=key).batch
    return batch.jobs.latest("code")


def says(job: Job) -> str:
    now = again(job)
    return sentence(now.wait_code, now.wait_params)


def test_a_picture_template_begins_at_the_last_frame_the_shot_shows(
    shot: Shot, coordinator: User, clip: Callable[[], Take], cutting: list[str]
) -> None:
    take = clip()
    job = press(shot, coordinator)
    assert job.state == JobState.BLOCKED
    selection_changed(take.shot_id)
    job = again(job)
    assert (job.state, cutting) == (JobState.READY, ["image 1"])
    tail = Artifact.objects.get(pk=job.values["first_frame"])
    assert (tail.take, tail.role) == (take, ArtifactRole.TAIL)
    with default_storage.open(tail.key) as file:
        assert Image.open(file).getpixel((0, 0)) == (110, 110, 110)  # frame 11: two of head, ten of the shot
    [sent] = order_for(attempt_at(job)).inputs
    assert (sent.key, sent.sha256) == (tail.key, tail.sha256)


def test_a_template_that_continues_clips_gets_the_last_frames_and_repeats_them(
    shot: Shot, coordinator: User, clip: Callable[[], Take], cutting: list[str]
) -> None:
    take = clip()
    keyframe = TakeFactory.create(shot=shot, media_state=Media.READY)
    ArtifactFactory.create(take=keyframe)
    job = press(shot, coordinator, SVI)
    selection_changed(take.shot_id)
    job = again(job)
    assert cutting == ["video 5"]
    assert greys_of(Artifact.objects.get(pk=job.values["video"])) == [70, 80, 90, 100, 110]
    assert job.length["skip"] == 5
    assert {one.key for one in order_for(attempt_at(job)).inputs} >= {f"takes/{take.pk}/last-5.mkv"}


def test_a_shot_keeps_as_many_frames_as_it_says(
    shot: Shot, coordinator: User, clip: Callable[[], Take], cutting: list[str]
) -> None:
    Shot.objects.filter(pk=shot.pk).update(continuity_frames=8)
    shot.refresh_from_db()
    ArtifactFactory.create(take=TakeFactory.create(shot=shot, media_state=Media.READY))
    take = clip()
    press(shot, coordinator, SVI)
    selection_changed(take.shot_id)
    assert cutting == ["video 8"]


def test_without_a_selected_take_it_waits_and_says_for_what_and_goes_on_when_there_is_one(
    shot: Shot, before: Shot, coordinator: User, clip: Callable[[], Take]
) -> None:
    job = press(shot, coordinator)
    assert says(job) == "Waits for the selected take of SQ010_SH0010."
    take = clip()
    assert selection_changed(before.pk, "keyframe") == 0
    selection_changed(before.pk)
    assert (again(job).state, says(job)) == (JobState.READY, "")
    assert JobContinuity.objects.get(job=job).take == take


def test_it_stays_waiting_when_the_clip_before_fails_or_is_cancelled_and_says_so(
    shot: Shot, before: Shot, coordinator: User
) -> None:
    source = JobFactory.create(shot=before, kind="clip", stage="clip", state=JobState.READY)
    job = press(shot, coordinator)
    cancel_jobs(Job.objects.filter(pk=source.pk), user=_root())
    assert again(job).state == JobState.BLOCKED
    assert says(job) == "Waits for the selected take of SQ010_SH0010, whose last clip is cancelled."


def test_one_that_was_selected_and_cut_before_starts_at_once(
    shot: Shot, coordinator: User, clip: Callable[[], Take]
) -> None:
    take = clip()
    make_tail(take.pk, "image", 1)
    job = press(shot, coordinator)
    assert job.state == JobState.READY
    assert JobContinuity.objects.get(job=job).take == take


def test_a_selection_that_nobody_heard_of_is_found_by_the_leader(
    shot: Shot, coordinator: User, clip: Callable[[], Take]
) -> None:
    job = press(shot, coordinator)
    clip()
    resolve_missed()
    assert again(job).state == JobState.READY


def test_cancelled_while_it_waits_it_is_left_alone_and_requeued_it_waits_again(
    shot: Shot, before: Shot, coordinator: User, clip: Callable[[], Take]
) -> None:
    job = press(shot, coordinator)
    cancel_jobs(Job.objects.filter(pk=job.pk), user=coordinator)
    take = clip()
    selection_changed(before.pk)
    assert again(job).state == JobState.CANCELLED
    assert requeue(again(job), user=coordinator)
    assert again(job).state == JobState.BLOCKED
    selection_changed(before.pk)
    assert again(job).state == JobState.READY
    assert JobContinuity.objects.get(job=job).take == take


def test_requeued_after_another_take_was_selected_it_goes_on_from_that_one(
    shot: Shot, before: Shot, coordinator: User, clip: Callable[[], Take]
) -> None:
    clip()
    job = press(shot, coordinator)
    selection_changed(before.pk)
    cancel_jobs(Job.objects.filter(pk=job.pk), user=coordinator)
    other = clip()
    requeue(again(job), user=coordinator)
    selection_changed(before.pk)
    assert again(job).state == JobState.READY
    assert JobContinuity.objects.get(job=job).take == other


def test_a_clip_whose_file_is_gone_is_said_to_be_gone(
    shot: Shot, before: Shot, coordinator: User, clip: Callable[[], Take]
) -> None:
    take = clip()
    default_storage.delete(f"attempts/{take.pk}/clip.mkv")
    job = press(shot, coordinator)
    selection_changed(before.pk)
    assert again(job).state == JobState.BLOCKED
    assert "cannot be cut: its file is not in the artifact store" in says(job)


def test_a_take_made_so_has_the_continued_one_as_its_parent(
    shot: Shot, coordinator: User, clip: Callable[[], Take]
) -> None:
    take = clip()
    job = press(shot, coordinator)
    selection_changed(take.shot_id)
    child = TakeFactory.create(shot=shot, kind="clip", job_id=job.pk)
    write_parents([child])
    assert [one.parent for one in child.parents.all()] == [take]


def test_a_file_that_somebody_names_and_a_keyframe_of_the_same_request_go_before(
    shot: Shot, coordinator: User
) -> None:
    named = ArtifactFactory.create(take__shot=shot, take__media_state=Media.READY)
    job = press(shot, coordinator, Step(template="wan22_i2v", frames=17, files={"first_frame": named.pk}))
    assert job.values["first_frame"] == str(named.pk)
    both = press(shot, coordinator, key="both", steps=[Step(template="sd15_t2i"), I2V])
    assert not JobContinuity.objects.exists()
    assert both.dependencies.get().role == "first_frame"


def test_a_keyframe_continues_nothing_and_a_plan_of_many_takes_no_more_queries(
    shot: Shot, before: Shot, coordinator: User, clip: Callable[[], Take], django_assert_max_num_queries: Any
) -> None:
    assert press(shot, coordinator, Step(template="sd15_t2i")).state == JobState.READY
    clip()
    many = [ShotFactory.create(sequence=before.sequence, continuity_from=before) for _ in range(9)]
    rows = Shot.objects.filter(pk__in=[one.pk for one in many])
    shots = list(rows.select_related("project", "sequence", "status", "location"))
    with django_assert_max_num_queries(24):
        planned = plan(project=before.project, shots=shots, steps=[I2V])
    assert len(planned.jobs) == 9


def _root() -> User:
    user: User = User.objects.create_superuser("root", password="open sesame")
    return user
