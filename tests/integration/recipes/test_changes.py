"""What changed is told with its reason, and rendered again with what is behind it, and nothing before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from apps.accounts.models import User
from apps.common.errors import Conflict, NotAllowed, Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.recipes.models import Recipe, RecipeRun
from apps.recipes.services.choosing import choose
from apps.recipes.services.editing import write_steps
from apps.recipes.services.going_on import go_on_missed
from apps.recipes.services.rerendering import render_changed, render_more
from apps.recipes.services.stopping import cancel_run, cancel_stale, resume_run
from apps.renders.models import Job
from apps.renders.states import JobState
from apps.review.services import review_take
from apps.workflows.services import sync_templates
from tests.factories import MembershipFactory
from tests.integration.recipes.scene import (
    CLIP,
    FINAL,
    KEYFRAME,
    UPSCALE,
    WHOLE,
    approves,
    cell,
    jobs,
    recipe_of,
    rendered,
    renders_all,
    stale,
    stand,
    started,
    take_of,
)
from tests.integration.renders.test_chains import GRAPH, MANIFEST
from workflows.load import template_from

pytestmark = [pytest.mark.django_db, pytest.mark.once]

FRESH: list[list[str]] = [[], [], [], []]
OnCommit = Callable[..., Any]


@pytest.fixture
def commits(django_capture_on_commit_callbacks: OnCommit) -> OnCommit:
    """What waits for the commit is carried out at the end of the block."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def run(film: Project, coordinator: User, shot: Shot, commits: OnCommit) -> RecipeRun:
    """The whole chain, rendered to its end from the first take at each gate."""
    run = started(coordinator, film, [shot])
    for place in (0, 1):
        renders_all(run)
        with commits():
            approves(coordinator, jobs(run, place)[0])
    renders_all(run)
    return run


def recipe_becomes(run: RecipeRun, *steps: Any) -> None:
    write_steps(Recipe.objects.get(pk=run.recipe_id), steps)


def again(run: RecipeRun) -> RecipeRun:
    return RecipeRun.objects.select_related("project", "recipe", "submitted_by").get(pk=run.pk)


def made_for(run: RecipeRun) -> list[int]:
    return [len(jobs(run, place)) for place in range(len(again(run).steps))]


def test_nothing_is_stale_when_nothing_changed(run: RecipeRun, coordinator: User) -> None:
    assert stale(run) == FRESH
    assert render_changed(again(run), user=coordinator) == []
    assert made_for(run) == [2, 1, 1, 1]


def test_another_approved_take_makes_what_follows_stale_and_nothing_else(
    run: RecipeRun, coordinator: User, commits: OnCommit
) -> None:
    with commits():
        approves(coordinator, jobs(run, 0)[1])
    assert stale(run) == [[], ["source"], ["upstream"], ["upstream"]]
    assert made_for(run) == [2, 1, 1, 1], "nothing was rendered or cancelled by itself"
    with commits():
        [batch] = render_changed(again(run), user=coordinator)
    assert [job.kind for job in batch.jobs.all()] == ["clip"]
    assert made_for(run) == [2, 2, 1, 1]
    assert str(take_of(jobs(run, 0)[1]).artifacts.get().pk) in jobs(run, 1)[1].values.values()
    renders_all(run)
    assert stale(run)[:2] == [[], []]
    with commits():
        approves(coordinator, jobs(run, 1)[1])
    renders_all(run)
    assert made_for(run) == [2, 2, 2, 2], "the gate that was rendered anew leads on by itself"
    assert stale(run) == FRESH


def test_going_back_to_the_earlier_take_renders_nothing(
    run: RecipeRun, coordinator: User, commits: OnCommit
) -> None:
    for job in reversed(jobs(run, 0)):
        with commits():
            choose(cell(run, 0), take_of(job), user=coordinator)
    assert stale(run) == FRESH
    assert render_changed(again(run), user=coordinator) == []


def test_a_step_asked_for_otherwise_is_rendered_from_there_on(
    run: RecipeRun, coordinator: User, commits: OnCommit
) -> None:
    recipe_becomes(run, KEYFRAME, CLIP, UPSCALE, replace(FINAL, width=3200))
    assert stale(run) == [[], [], [], ["value width"]]
    with commits():
        [batch] = render_changed(again(run), user=coordinator)
    assert [job.width for job in batch.jobs.all()] == [3200]
    assert stale(run) == FRESH


def test_a_changed_shot_tells_of_its_prompt_and_seed(run: RecipeRun, shot: Shot) -> None:
    Shot.objects.filter(pk=shot.pk).update(description="A boy skates over the lake", seed=5)
    assert stale(run)[:2] == [["prompt", "seed"], ["prompt", "seed"]]


def test_a_new_version_of_a_template_makes_its_steps_stale(run: RecipeRun, coordinator: User) -> None:
    sync_templates([template_from(GRAPH, MANIFEST | {"version": 2})])
    assert stale(run) == [[], [], ["template"], ["template"]]
    [batch] = render_changed(again(run), user=coordinator)
    assert {str(job.template_version) for job in batch.jobs.all()} == {"upscale v2"}
    assert batch.jobs.count() == 2


def test_a_gate_rendered_anew_keeps_what_follows_until_a_new_take_is_approved(
    run: RecipeRun, shot: Shot, coordinator: User, commits: OnCommit
) -> None:
    Shot.objects.filter(pk=shot.pk).update(description="A boy skates over the lake")
    with commits():
        render_changed(again(run), user=coordinator)
    renders_all(run)
    assert made_for(run) == [4, 1, 1, 1]
    go_on_missed()
    assert render_changed(again(run), user=coordinator) == [], "the take approved before is of another making"
    assert made_for(run) == [4, 1, 1, 1]
    with commits():
        approves(coordinator, jobs(run, 0)[3])
    assert made_for(run) == [4, 2, 1, 1]


def test_what_follows_a_gate_rendered_anew_is_stale_until_a_new_take_is_approved(
    run: RecipeRun, coordinator: User, commits: OnCommit
) -> None:
    recipe_becomes(run, replace(KEYFRAME, width=640, height=384), CLIP, UPSCALE, FINAL)
    with commits():
        render_changed(again(run), user=coordinator)
    renders_all(run)
    assert stale(run) == [[], ["upstream"], ["upstream"], ["upstream"]]


def test_an_approval_taken_back_is_told_and_renders_nothing(run: RecipeRun, coordinator: User) -> None:
    review_take(take_of(jobs(run, 0)[0]), to="rejected", user=coordinator)
    assert stale(run) == [[], ["source"], ["upstream"], ["upstream"]]
    assert render_changed(again(run), user=coordinator) == []


def test_a_step_added_to_the_recipe_is_rendered_where_it_may_begin(run: RecipeRun, coordinator: User) -> None:
    recipe_becomes(run, *WHOLE, replace(FINAL, width=1280, height=720))
    [batch] = render_changed(again(run), user=coordinator)
    assert [job.width for job in batch.jobs.all()] == [1280]
    assert made_for(run) == [2, 1, 1, 1, 1]


def test_a_recipe_that_no_longer_fits_together_is_refused_and_changes_no_run(
    run: RecipeRun, coordinator: User
) -> None:
    recipe_becomes(run, KEYFRAME, UPSCALE)
    with pytest.raises(Refused, match="a video"):
        render_changed(again(run), user=coordinator)
    assert made_for(run) == [2, 1, 1, 1]


def test_more_takes_stand_beside_the_first_ones_once(
    run: RecipeRun, shot: Shot, coordinator: User, commits: OnCommit
) -> None:
    for _twice in range(2):
        render_more(again(run), user=coordinator, shot=shot, position=0, key="more")
    assert made_for(run) == [4, 1, 1, 1]
    renders_all(run)
    assert stale(run) == FRESH
    with commits():
        approves(coordinator, jobs(run, 0)[3])
    assert stale(run)[1] == ["source"]
    assert made_for(run) == [4, 1, 1, 1]


def test_more_takes_of_a_shot_with_a_seed_go_on_counting(
    film: Project, shot: Shot, coordinator: User
) -> None:
    Shot.objects.filter(pk=shot.pk).update(seed=70)
    shot.refresh_from_db()
    run = started(coordinator, film, [shot])
    for _twice in range(2):
        render_more(again(run), user=coordinator, shot=shot, position=0, key="more")
    assert [job.seed for job in jobs(run, 0)] == [70, 71, 72, 73]
    assert stale(run) == FRESH


def test_more_takes_of_a_gate_that_waits_may_open_it(
    film: Project, shot: Shot, coordinator: User, commits: OnCommit
) -> None:
    run = started(coordinator, film, [shot])
    renders_all(run)
    render_more(again(run), user=coordinator, shot=shot, position=0, key="more")
    renders_all(run)
    with commits():
        approves(coordinator, jobs(run, 0)[2])
    assert made_for(run) == [4, 1, 0, 0]


def test_more_takes_of_what_changed_or_was_never_rendered_are_refused(
    run: RecipeRun, shot: Shot, coordinator: User
) -> None:
    Shot.objects.filter(pk=shot.pk).update(description="A boy skates over the lake")
    with pytest.raises(Conflict, match="render what changed"):
        render_more(again(run), user=coordinator, shot=shot, position=0, key="more")
    with pytest.raises(Refused, match="1 to 4"):
        render_more(again(run), user=coordinator, shot=shot, position=4, key="more")


def test_a_cancelled_run_stops_and_goes_on_when_it_is_resumed(
    film: Project, shot: Shot, coordinator: User, commits: OnCommit
) -> None:
    run = started(coordinator, film, [shot])
    rendered(jobs(run, 0)[0])
    assert cancel_run(run, user=coordinator) == 1
    with commits():
        approves(coordinator, jobs(run, 0)[0])
    assert go_on_missed() == 0
    with pytest.raises(Conflict, match="resume it first"):
        render_changed(again(run), user=coordinator)
    assert made_for(run) == [2, 0, 0, 0]
    assert resume_run(again(run), user=coordinator) == 1
    assert jobs(run, 0)[1].state == JobState.READY
    assert go_on_missed() == 1


def test_a_failed_step_keeps_what_follows_and_goes_on_when_it_is_requeued(
    film: Project, shot: Shot, coordinator: User
) -> None:
    steps = (replace(KEYFRAME, takes=1, gate="none"), CLIP)
    run = started(coordinator, film, [shot], recipe_of(*steps))
    Job.objects.filter(pk=jobs(run, 0)[0].pk).update(state=JobState.FAILED)
    assert [one.stand for one in stand(run)] == ["failed", "renders"]
    assert resume_run(again(run), user=coordinator) == 1
    renders_all(run)
    assert [one.stand for one in stand(run)] == ["done", "to_approve"]


def test_what_a_later_round_has_taken_the_place_of_is_not_requeued(
    film: Project, shot: Shot, coordinator: User, commits: OnCommit
) -> None:
    run = started(coordinator, film, [shot])
    renders_all(run)
    for job in jobs(run, 0):
        with commits():
            approves(coordinator, job)
    cancel_stale(again(run), user=coordinator)
    with commits():
        render_changed(again(run), user=coordinator)
    assert [job.state for job in jobs(run, 1)] == [JobState.CANCELLED, JobState.READY]
    cancel_run(run, user=coordinator)
    assert resume_run(again(run), user=coordinator) == 1
    assert [job.state for job in jobs(run, 1)] == [JobState.CANCELLED, JobState.READY]


def test_what_renders_from_an_earlier_choice_goes_on_unless_somebody_calls_it_off(
    film: Project, shot: Shot, coordinator: User, commits: OnCommit
) -> None:
    run = started(coordinator, film, [shot])
    renders_all(run)
    for job in jobs(run, 0):
        with commits():
            approves(coordinator, job)
    assert jobs(run, 1)[0].state == JobState.READY
    assert cancel_stale(again(run), user=coordinator) == 1
    assert jobs(run, 1)[0].state == JobState.CANCELLED
    assert [job.state for job in jobs(run, 0)] == [JobState.SUCCEEDED] * 2


def test_viewers_render_and_cancel_nothing(run: RecipeRun, film: Project, shot: Shot) -> None:
    viewer = MembershipFactory.create(project=film, role=Role.CLIENT).user
    for deed in (render_changed, cancel_run, resume_run, cancel_stale):
        with pytest.raises(NotAllowed):
            deed(again(run), user=viewer)
    with pytest.raises(NotAllowed):
        render_more(again(run), user=viewer, shot=shot, position=0, key="more")


def test_going_back_to_a_take_whose_clip_was_called_off_renders_it_anew(
    film: Project, shot: Shot, coordinator: User, commits: OnCommit
) -> None:
    run = started(coordinator, film, [shot])
    renders_all(run)
    first, second = jobs(run, 0)
    for job in (first, second):
        with commits():
            approves(coordinator, job)
    cancel_stale(again(run), user=coordinator)
    render_changed(again(run), user=coordinator)
    renders_all(run)
    choose(cell(run, 0), take_of(first), user=coordinator)
    assert stale(run)[1] == ["source"]
    render_changed(again(run), user=coordinator)
    assert [job.state for job in jobs(run, 1)] == ["cancelled", "succeeded", "ready"]
