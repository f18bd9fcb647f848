"""Steps go out up to a gate, and on from the take that opens it: once, whoever approves, whatever dies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from apps.accounts.models import User
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.recipes.models import RecipeRun
from apps.recipes.services.choosing import choose
from apps.recipes.services.going_on import go_on_missed
from apps.recipes.services.starting import start
from apps.renders.models import Job, RenderBatch
from apps.renders.states import JobState
from apps.review.models import Take
from apps.review.services import review_take
from tests.factories import MembershipFactory, ShotFactory
from tests.integration.recipes.scene import (
    CLIP,
    KEYFRAME,
    UPSCALE,
    WHOLE,
    approves,
    cell,
    jobs,
    recipe_of,
    rendered,
    renders_all,
    stand,
    started,
    take_of,
)

pytestmark = pytest.mark.django_db

OnCommit = Callable[..., Any]


@pytest.fixture
def run(film: Project, coordinator: User, shot: Shot) -> RecipeRun:
    """The whole chain, started on one shot."""
    return started(coordinator, film, [shot])


@pytest.fixture
def commits(django_capture_on_commit_callbacks: OnCommit) -> OnCommit:
    """What waits for the commit is carried out at the end of the block."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_steps_up_to_the_first_gate_are_submitted_at_once(run: RecipeRun) -> None:
    assert [len(jobs(run, place)) for place in range(4)] == [2, 0, 0, 0]
    assert RenderBatch.objects.get().jobs.count() == 2


def test_an_approved_take_lets_the_next_steps_start_from_its_file(
    run: RecipeRun, coordinator: User, commits: OnCommit
) -> None:
    renders_all(run)
    second = jobs(run, 0)[1]
    with commits():
        approves(coordinator, second)
    [clip] = jobs(run, 1)
    assert clip.state == JobState.READY
    assert str(take_of(second).artifacts.get().pk) in clip.values.values()
    assert clip.batch.submitted_by == coordinator


def test_steps_behind_the_last_gate_are_one_batch_of_dependent_jobs(
    run: RecipeRun, coordinator: User, commits: OnCommit
) -> None:
    for place in (0, 1):
        renders_all(run)
        with commits():
            approves(coordinator, jobs(run, place)[0])
    [upscale], [final] = jobs(run, 2), jobs(run, 3)
    assert upscale.batch == final.batch
    assert (upscale.state, final.state) == (JobState.READY, JobState.BLOCKED)
    assert final.dependencies.get().depends_on == upscale
    assert (final.width, final.height) == (3328, 1920)
    renders_all(run)
    assert [one.stand for one in stand(run)] == ["done"] * 4


def test_a_gate_stays_shut_for_a_take_that_is_rejected(
    run: RecipeRun, coordinator: User, commits: OnCommit
) -> None:
    renders_all(run)
    with commits():
        review_take(take_of(jobs(run, 0)[0]), to="rejected", user=coordinator)
    assert go_on_missed() == 0
    assert jobs(run, 1) == []
    assert stand(run)[0].stand == "to_approve"


def test_an_approval_whose_word_was_lost_is_found(run: RecipeRun, coordinator: User) -> None:
    renders_all(run)
    approves(coordinator, jobs(run, 0)[0])  # the process dies before it can tell anybody
    assert jobs(run, 1) == []
    assert go_on_missed() == 1
    assert len(jobs(run, 1)) == 1
    assert go_on_missed() == 0
    assert len(jobs(run, 1)) == 1


def test_a_second_approval_at_a_gate_that_was_passed_submits_nothing(
    run: RecipeRun, coordinator: User, commits: OnCommit
) -> None:
    renders_all(run)
    for job in jobs(run, 0):
        with commits():
            approves(coordinator, job)
    go_on_missed()
    assert len(jobs(run, 1)) == 1


def test_each_shot_passes_its_own_gate(film: Project, coordinator: User, commits: OnCommit) -> None:
    shots = ShotFactory.create_batch(2, sequence=film.sequences.get())
    run = started(coordinator, film, shots)
    renders_all(run)
    with commits():
        approves(coordinator, jobs(run, 0, shots[1])[0])
    assert [len(jobs(run, 1, shot)) for shot in shots] == [0, 1]


def test_a_step_without_a_gate_goes_on_with_the_take_it_makes(
    film: Project, coordinator: User, shot: Shot
) -> None:
    from dataclasses import replace

    steps = (replace(KEYFRAME, takes=1, gate="none"), replace(CLIP, gate="none"), UPSCALE)
    run = started(coordinator, film, [shot], recipe_of(*steps))
    assert [job.state for place in range(3) for job in jobs(run, place)] == ["ready", "blocked", "blocked"]
    renders_all(run)
    assert [one.stand for one in stand(run)] == ["done"] * 3


def test_the_same_request_starts_one_run(film: Project, coordinator: User, shot: Shot) -> None:
    recipe = recipe_of(*WHOLE)
    asked: dict[str, Any] = {"user": coordinator, "project": film, "recipe": recipe, "shots": [shot]}
    first, second = start(**asked, idempotency_key="k"), start(**asked, idempotency_key="k")
    assert (first.created, second.created) == (True, False)
    assert first.run == second.run
    assert Job.objects.count() == 2
    with pytest.raises(Conflict):
        start(**asked | {"shots": ShotFactory.create_batch(1, sequence=shot.sequence)}, idempotency_key="k")


def test_what_keeps_the_next_steps_back_is_written_down_and_tried_again(
    run: RecipeRun, coordinator: User, shot: Shot, commits: OnCommit
) -> None:
    renders_all(run)
    Shot.objects.filter(pk=shot.pk).update(status="on_hold")
    with commits():
        approves(coordinator, jobs(run, 0)[0])
    gate = cell(run, 0)
    assert jobs(run, 1) == []
    assert [problem["field"] for problem in gate.refused] == [f"{shot.full_code}.status"]
    Shot.objects.filter(pk=shot.pk).update(status="ready")
    assert go_on_missed() == 0, "not again at once"
    type(gate).objects.update(tried_at=None)
    assert go_on_missed() == 1
    assert cell(run, 0).refused == []


def test_a_take_made_elsewhere_may_open_the_gate(
    run: RecipeRun, coordinator: User, shot: Shot, film: Project, commits: OnCommit
) -> None:
    from apps.renders.services.submit import Step, submit

    batch = submit(
        user=coordinator, project=film, shots=[shot], steps=[Step(template="flux_t2i")], idempotency_key="x"
    ).batch
    take = rendered(batch.jobs.get())
    with commits():
        choose(cell(run, 0), take, user=coordinator)
    assert Take.objects.get(pk=take.pk).review_state == "approved"
    [clip] = jobs(run, 1)
    assert str(take.artifacts.get().pk) in clip.values.values()


def test_a_take_of_another_shot_or_medium_is_refused_at_a_gate(
    run: RecipeRun, coordinator: User, film: Project
) -> None:
    other = started(
        coordinator, film, [ShotFactory.create(sequence=film.sequences.get())], run.recipe, key="other"
    )
    renders_all(other)
    with pytest.raises(Refused, match="another shot"):
        choose(cell(run, 0), take_of(jobs(other, 0)[0]), user=coordinator)
    renders_all(run)
    job = jobs(run, 0)[0]
    clip = rendered(Job(pk=other.pk, shot=job.shot, kind="clip", take_number=9, frames=81))
    with pytest.raises(Refused, match="video"):
        choose(cell(run, 0), clip, user=coordinator)


def test_viewers_start_nothing_and_artists_open_no_gate(run: RecipeRun, film: Project, shot: Shot) -> None:
    viewer, artist = (
        MembershipFactory.create(project=film, role=role).user for role in (Role.CLIENT, Role.ARTIST)
    )
    with pytest.raises(NotAllowed):
        started(viewer, film, [shot], run.recipe, key="viewer")
    renders_all(run)
    with pytest.raises(NotAllowed):
        choose(cell(run, 0), take_of(jobs(run, 0)[0]), user=artist)
    assert jobs(run, 1) == []
