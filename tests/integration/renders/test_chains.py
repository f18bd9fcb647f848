"""Keyframe → clip → upscale → upscale: what starts from what, however long the chain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.accounts.models import User
from apps.common.errors import NotAllowed, Refused
from apps.projects.models import Project
from apps.renders.models import Attempt, Job, JobDependency, RenderBatch
from apps.renders.services.control import cancel_jobs
from apps.renders.services.orders import order_for
from apps.renders.services.submit import Step, submit
from apps.renders.states import JobState
from apps.review.models import Take
from apps.workflows.services import sync_templates
from tests.factories import ArtifactFactory, JobFactory, ShotFactory, TakeFactory
from tests.integration.renders.hand import Hand, everything
from tests.integration.renders.scene import again, next_order
from workflows.load import template_from

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "upscaler")]

GRAPH = {
    "1": {"class_type": "LoadVideo", "inputs": {"file": "x.mp4"}},
    "2": {"class_type": "GetVideoComponents", "inputs": {"video": ["1", 0]}},
    "3": {
        "class_type": "ImageScale",
        "inputs": {
            "image": ["2", 0],
            "upscale_method": "lanczos",
            "width": 1664,
            "height": 960,
            "crop": "disabled",
        },
    },
    "4": {"class_type": "CreateVideo", "inputs": {"images": ["3", 0], "fps": ["2", 2]}},
    "5": {
        "class_type": "SaveVideo",
        "inputs": {"video": ["4", 0], "filename_prefix": "x", "format": "mp4", "codec": "h264"},
    },
}
MANIFEST: dict[str, Any] = {
    "manifest": 1,
    "slug": "upscale",
    "version": 1,
    "title": {"en": "Upscale", "ko": "업스케일"},
    "description": {"en": "Twice as large.", "ko": "두 배 크기."},
    "kind": "clip",
    "produces": "video",
    "bindings": {
        "video": {"type": "file", "targets": [{"node": "1", "input": "file"}]},
        "width": {"type": "int", "min": 64, "max": 4096, "targets": [{"node": "3", "input": "width"}]},
        "height": {"type": "int", "min": 64, "max": 4096, "targets": [{"node": "3", "input": "height"}]},
        "filename_prefix": {"type": "text", "targets": [{"node": "5", "input": "filename_prefix"}]},
    },
    "defaults": {"width": 1664, "height": 960},
    "dim_step": 2,
    "outputs": [{"node": "5", "kind": "video", "role": "primary"}],
    "vram": [],
    "models": [],
    "timeouts": {"execution_s": 600, "hang_s": 60},
}

CHAIN = (
    Step(template="sd15_t2i", takes=2),
    Step(template="wan22_i2v", takes=2, frames=17),
    Step(template="upscale", takes=2),
    Step(template="upscale", takes=1),
)


@pytest.fixture
def upscaler(templates: None) -> None:
    """A template that starts from a clip is on offer beside the packaged ones."""
    sync_templates([template_from(GRAPH, MANIFEST)])


def press(user: User, film: Project, *steps: Step, shot: Any = None, key: str = "k") -> RenderBatch:
    shots = [shot or ShotFactory.create(sequence=film.sequences.get())]
    return submit(user=user, project=film, shots=shots, steps=steps, idempotency_key=key).batch


def attempt_at(job: Job) -> Attempt:
    made: Attempt = Attempt.objects.create(
        job=job,
        number=1,
        state="dispatched",
        token="t",
        queue="vram.0",
        tier_gb=0,
        accept_by=job.created_at,
    )
    return made


def chain_of(job: Job) -> list[str]:
    """Template and take of a job and of all it waits for, the last one first."""
    told = [f"{job.template_version.template.slug} {job.take_number}"]
    for row in JobDependency.objects.filter(job=job).select_related("depends_on"):
        told += chain_of(row.depends_on)
    return told


def refused(user: User, film: Project, *steps: Step) -> tuple[str, str, str]:
    with pytest.raises(Refused) as told:
        press(user, film, *steps)
    assert not Job.objects.exists()
    [problem] = told.value.problems
    return problem.field, problem.value, str(problem.message)


def test_an_interpolated_clip_is_as_long_as_its_source_makes_it_and_of_its_size(
    film: Project, coordinator: User
) -> None:
    clip, smooth = Step(template="wan22_i2v", frames=17), Step(template="rife_interpolate")
    batch = press(coordinator, film, Step(template="sd15_t2i"), clip, smooth)
    job = batch.jobs.get(template_version__template__slug="rife_interpolate")
    assert (job.frames, job.width, job.height, job.fps) == (33, 768, 432, 32.0)


def test_a_clip_taken_apart_is_put_together_again_of_all_its_pictures(
    film: Project, coordinator: User, node24: Hand
) -> None:
    shot = ShotFactory.create(sequence=film.sequences.get())
    clip = TakeFactory.create(shot=shot, kind="clip")
    ArtifactFactory.create(take=clip, kind="video", key="clip.mp4", frames=17)
    steps = Step(template="frames_split"), Step(template="frames_join")
    split, join = press(coordinator, film, *steps, shot=shot).jobs.order_by("code")
    assert (split.kind, split.frames, join.kind, join.frames) == ("frames", 17, "clip", 17)

    [promised] = order_for(attempt_at(split)).outputs
    assert (promised.kind, promised.frames, promised.width) == ("frames", 17, 64)

    pictures = TakeFactory.create(shot=shot, kind="frames", job_id=split.pk)
    for number in (3, 1, 2):
        ArtifactFactory.create(take=pictures, kind="image", key=f"a/shot_{number:05}_.png")
    order = order_for(attempt_at(join))
    brought = [(item.node, item.input, item.key, item.number) for item in order.inputs]
    assert brought == [("1", "file", f"a/shot_{number:05}_.png", number) for number in (1, 2, 3)]
    assert order.outputs[0].frames == 3, "what the take really holds"
    assert order.graph["3"]["inputs"]["fps"] == film.fps


def test_every_step_starts_from_the_last_one_that_makes_what_it_takes(
    film: Project, coordinator: User
) -> None:
    jobs = list(press(coordinator, film, *CHAIN).jobs.order_by("code"))
    assert [job.state for job in jobs] == [JobState.READY] * 2 + [JobState.BLOCKED] * 5
    assert chain_of(jobs[-1]) == ["upscale 5", "upscale 3", "wan22_i2v 1", "sd15_t2i 1"]
    assert chain_of(jobs[-2]) == ["upscale 4", "wan22_i2v 2", "sd15_t2i 2"]


def test_a_step_that_chooses_no_length_is_as_long_as_its_source(film: Project, coordinator: User) -> None:
    jobs = press(coordinator, film, *CHAIN).jobs.order_by("code")
    assert [job.frames for job in jobs] == [1, 1, 17, 17, 17, 17, 17]


def test_a_step_may_name_the_step_it_starts_from(film: Project, coordinator: User) -> None:
    steps = (
        Step(template="sd15_t2i"),
        Step(template="flux_t2i"),
        Step(template="wan22_i2v", start_from=0),
    )
    clip = press(coordinator, film, *steps).jobs.get(kind="clip")
    [row] = clip.dependencies.all()
    assert (row.depends_on.template_version.template.slug, row.role) == ("sd15_t2i", "first_frame")


def test_a_step_that_takes_no_file_may_wait_for_another(film: Project, coordinator: User) -> None:
    steps = (Step(template="sd15_t2i"), Step(template="flux_t2i", start_from=0))
    first, second = press(coordinator, film, *steps).jobs.order_by("code")
    [row] = second.dependencies.all()
    assert (row.depends_on, row.role, second.state) == (first, "", JobState.BLOCKED)


def test_a_step_starts_from_no_later_step_and_not_from_itself(film: Project, coordinator: User) -> None:
    for place in (1, 2):
        field, value, message = refused(
            coordinator, film, Step(template="sd15_t2i"), Step(template="wan22_i2v", start_from=place)
        )
        assert (field, value) == ("steps[1].start_from", str(place))
        assert "from 0 to 0" in message
    field, value, message = refused(coordinator, film, Step(template="sd15_t2i", start_from=0))
    assert (field, value) == ("steps[0].start_from", "0")
    assert "leave this out" in message


def test_a_clip_is_not_started_from_by_what_takes_a_picture(film: Project, coordinator: User) -> None:
    steps = (
        Step(template="sd15_t2i"),
        Step(template="wan22_i2v"),
        Step(template="wan22_i2v", start_from=1),
    )
    field, value, message = refused(coordinator, film, *steps)
    assert (field, value) == ("steps[2].start_from", "1")
    assert "“video”" in message
    assert "“image”" in message


def test_without_any_clip_an_upscale_is_refused(film: Project, coordinator: User) -> None:
    with pytest.raises(Refused, match="no clip to start from"):
        press(coordinator, film, Step(template="sd15_t2i"), Step(template="upscale"))


def test_an_upscale_starts_from_the_newest_clip_of_its_shot(film: Project, coordinator: User) -> None:
    shot = ShotFactory.create(sequence=film.sequences.get())
    take = TakeFactory.create(shot=shot, kind="clip", media_state="ready")
    artifact = ArtifactFactory.create(take=take, kind="video", media_type="video/mp4", frames=33)
    job = press(coordinator, film, Step(template="upscale"), shot=shot).jobs.get()
    assert (job.state, job.frames, job.values["video"]) == (JobState.READY, 33, str(artifact.pk))


def test_a_job_is_released_when_its_source_is_done_and_is_given_its_file(
    film: Project, coordinator: User, bus: Any
) -> None:
    able = everything()
    able = replace(able, classes=(*able.classes, "GetVideoComponents", "LoadVideo", "ImageScale"))
    node24 = Hand("gpu24", tier_gb=24, broker=bus, able=able).arrives()
    batch = press(coordinator, film, *CHAIN[:3])
    first = Job.objects.get(batch=batch, kind="keyframe", take_number=1)
    order = next_order(node24)
    node24.finishes(order)
    assert again(first).state == JobState.SUCCEEDED
    clip = batch.jobs.filter(kind="clip", dependencies__depends_on=first).get()
    assert clip.state == JobState.READY
    upscale = batch.jobs.get(dependencies__depends_on=clip)
    assert upscale.state == JobState.BLOCKED
    take = TakeFactory.create(shot=clip.shot, kind="clip", job_id=clip.pk, number=90)
    artifact = ArtifactFactory.create(take=take, kind="video", media_type="video/mp4")
    assert Take.objects.filter(job_id=clip.pk).count() == 1
    attempt = Attempt.objects.create(
        job=upscale,
        number=1,
        state="dispatched",
        token="t",
        queue="vram.0",
        tier_gb=0,
        accept_by=batch.created_at,
    )
    [given] = order_for(attempt).inputs
    assert (given.node, given.input, given.key) == ("1", "file", artifact.key)


def states_of(batch: RenderBatch) -> list[str]:
    return list(batch.jobs.order_by("code").values_list("state", flat=True))


def test_a_cancel_leaves_what_waits_unless_it_is_asked_to_go_down_the_chain(
    film: Project, coordinator: User
) -> None:
    left, gone = press(coordinator, film, *CHAIN), press(coordinator, film, *CHAIN, key="gone")
    for batch, dependents in ((left, False), (gone, True)):
        first = Job.objects.filter(batch=batch, kind="keyframe", take_number=1)
        assert cancel_jobs(first, user=coordinator, dependents=dependents) == (4 if dependents else 1)
    assert states_of(left) == ["cancelled", "ready", *["blocked"] * 5]
    assert [job.code for job in gone.jobs.exclude(state="cancelled").order_by("code")] == [
        job.code for job in gone.jobs.order_by("code") if job.take_number in {2, 4}
    ]


def test_what_waits_for_a_job_that_failed_already_is_cancelled_with_it(
    film: Project, coordinator: User
) -> None:
    batch = press(coordinator, film, Step(template="sd15_t2i"), Step(template="wan22_i2v"))
    keyframes = Job.objects.filter(batch=batch, kind="keyframe")
    keyframes.update(state=JobState.FAILED)
    assert cancel_jobs(keyframes, user=coordinator, dependents=True) == 1
    assert states_of(batch) == ["failed", "cancelled"]


def test_a_chain_into_a_project_one_does_not_render_in_is_not_cut(film: Project, coordinator: User) -> None:
    batch = press(coordinator, film, Step(template="sd15_t2i"))
    other = JobFactory.create(state=JobState.BLOCKED)
    JobDependency.objects.create(job=other, depends_on=batch.jobs.get())
    with pytest.raises(NotAllowed, match=other.project.code):
        cancel_jobs(batch.jobs.all(), user=coordinator, dependents=True)
    assert (states_of(batch), again(other).state) == (["ready"], JobState.BLOCKED)
