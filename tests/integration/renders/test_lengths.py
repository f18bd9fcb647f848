"""A job knows how long its shot is, and which of the rendered frames cover it; the take keeps that."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Job
from apps.renders.services.planning import plan
from apps.renders.services.shot_values import carried
from apps.renders.services.sources import Looks
from apps.renders.services.steps import Step
from apps.renders.services.submit import submit
from apps.review.conforming import lengths
from apps.review.models import Take
from tests.factories import ArtifactFactory, ShotFactory, TakeFactory
from workflows.load import load
from workflows.manifest import Follows

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("templates")]


@pytest.fixture
def shot(film: Project) -> Shot:
    """Two seconds of NTSC film with handles of eight frames."""
    film.fps = 23.976
    film.save()
    made: Shot = ShotFactory.create(sequence=film.sequences.get(), frames=48, handles=8)
    return made


def render(user: User, shot: Shot, frames: int | None = None) -> Job:
    steps = [Step(template="sd15_t2i"), Step(template="wan22_i2v", frames=frames)]
    batch = submit(user=user, project=shot.project, shots=[shot], steps=steps, idempotency_key="k").batch
    clip: Job = batch.jobs.get(kind="clip")
    assert batch.jobs.get(kind="keyframe").length == {}, "a picture has none"
    return clip


def test_a_job_keeps_what_the_shot_asked_for_and_what_covers_it(shot: Shot, coordinator: User) -> None:
    job = render(coordinator, shot)
    assert (job.frames, job.fps) == (45, 16)
    assert job.length == {
        "wanted": {"frames": 48, "head": 8, "tail": 8, "fps": "24000/1001", "total": 64},
        "rendered": {"frames": 45, "fps": "16"},
        "trim": {"in": 0, "out": 43},
        "speed": "1001/1500",
        "still": False,
        "missing": 0,
    }


def test_frames_chosen_by_hand_that_do_not_cover_the_shot_are_told(shot: Shot, coordinator: User) -> None:
    job = render(coordinator, shot, frames=33)
    assert (job.frames, job.length["missing"]) == (33, 10)


def test_a_shot_too_long_for_one_clip_says_how_to_split_it(shot: Shot) -> None:
    shot.frames = 300
    planned = plan(
        project=shot.project,
        shots=[shot],
        steps=[Step(template="sd15_t2i"), Step(template="wan22_i2v")],
    )
    assert [problem.field for problem in planned.problems] == [f"{shot.full_code}.frames"]
    assert "split the shot into 3 clips of 81 + 81 + 53 frames" in str(planned.problems[0].message)


def test_the_api_tells_lengths_of_jobs_and_takes_and_the_conform(shot: Shot, coordinator: User) -> None:
    job = render(coordinator, shot)
    take: Take = TakeFactory.create(shot=shot, job_id=job.pk, kind="clip", length=job.length)
    ArtifactFactory.create(take=take, kind="video", frames=45, fps=16.0)
    client = APIClient()
    client.force_authenticate(coordinator)
    assert client.get(f"/api/v1/jobs/{job.pk}").json()["length"] == job.length
    told = client.get(f"/api/v1/takes/{take.pk}").json()["length"]
    assert (told["measured"], told["mismatches"]) == ({"frames": 45, "fps": 16.0}, [])
    conform = client.get(f"/api/v1/takes/{take.pk}/conform").json()
    assert len(conform["mapping"]) == conform["wanted"]["total"] == 64
    assert conform["mapping"][-1] < conform["trim"]["out"] == 43


def test_a_picture_is_not_conformed(shot: Shot, coordinator: User) -> None:
    take = ArtifactFactory.create(take=TakeFactory.create(shot=shot)).take
    client = APIClient()
    client.force_authenticate(coordinator)
    answer = client.get(f"/api/v1/takes/{take.pk}/conform")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "no_clip")


def test_a_continuation_is_rendered_longer_by_what_it_repeats_and_so_is_what_is_made_of_it(
    shot: Shot, coordinator: User
) -> None:
    take: Take = TakeFactory.create(shot=shot, kind="clip")
    clip = ArtifactFactory.create(take=take, kind="video", frames=81, fps=16.0)
    steps = [
        Step(template="sd15_t2i"),
        Step(template="wan_svi", files={"video": clip.pk}, start_from=0),
        Step(template="rife_interpolate", start_from=1),
    ]
    planned = plan(project=shot.project, shots=[shot], steps=steps)
    assert planned.problems == []
    _keyframe, svi, smooth = planned.jobs
    assert (svi.frames, svi.length["trim"], svi.length["skip"]) == (53, {"in": 5, "out": 48}, 5)
    assert (smooth.frames, smooth.length["skip"]) == (105, 10)
    told = lengths(svi.length, frames=svi.frames, fps=16.0)
    assert (told.mapping[0], told.conform.missing, told.mismatches) == (5, 0, [])


@pytest.mark.parametrize(
    ("times", "plus", "before", "after"),
    [(2, -1, 0, 1), (2, -1, 1, 3), (3, -2, 0, 2), (2, 0, 0, 0), (2, 0, 1, 2), (1, 0, 1, 1), (1, -1, 0, 0)],
)
def test_the_last_frame_stands_for_what_an_interpolation_leaves_out_and_for_nothing_that_is_lost(
    times: int, plus: int, before: int, after: int
) -> None:
    follows = Follows(role="video", frames_times=times, frames_plus=plus, fps_times=times)
    manifest = replace(load("rife_interpolate").manifest, follows=follows)
    left, skip, _room = carried(manifest, {"video": Looks(64, 64, 21, 16.0, skip=5, held=before)})
    assert (left.frames, left.held, skip) == (21 * times + plus, after, 5 * times)
