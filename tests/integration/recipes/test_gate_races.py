"""Two at one gate: real threads, real transactions, and proof that they met."""

from __future__ import annotations

import pytest
from django.db import transaction

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.recipes.models import RecipeRun, RunStep
from apps.recipes.services.going_on import go_on, go_on_missed
from apps.recipes.services.rerendering import render_changed
from apps.recipes.services.stopping import cancel_run
from apps.recipes.services.submitting import lock_cells
from apps.renders.models import RenderBatch
from apps.renders.states import JobState
from tests.integration.recipes.scene import approves, cell, jobs, renders_all, started
from tests.integration.renders.elsewhere import Elsewhere

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def gate(film: Project, coordinator: User, shot: Shot) -> RunStep:
    """The first gate of a run, with two takes to approve."""
    run = started(coordinator, film, [shot])
    renders_all(run)
    return cell(run, 0)


def test_two_people_who_approve_two_takes_at_once_submit_one_clip(gate: RunStep, coordinator: User) -> None:
    first, second = jobs(gate.run, 0)
    with transaction.atomic():
        lock_cells(gate.run, [gate.shot_id])  # somebody goes through the gate
        approves(coordinator, first)  # … and is heard when this is committed
        go_on(gate.pk)
        other = Elsewhere(lambda: go_on(gate.pk))
        other.meets_our_lock()
    assert other.answer() is False
    approves(coordinator, second)
    assert len(jobs(gate.run, 1)) == 1


def test_an_approval_and_the_sweep_that_looks_for_it_submit_one_clip(
    gate: RunStep, coordinator: User
) -> None:
    with transaction.atomic():
        lock_cells(gate.run, [gate.shot_id])
        sweep = Elsewhere(lambda: (RunStep.objects.filter(pk=gate.pk).exists(), go_on_missed())[1])
        sweep.goes_as_far_as_it_can()
        approves(coordinator, jobs(gate.run, 0)[0])
    sweep.answer()
    assert len(jobs(gate.run, 1)) == 1
    assert go_on_missed() == 0


def test_two_who_render_what_changed_submit_it_once(gate: RunStep, coordinator: User, shot: Shot) -> None:
    Shot.objects.filter(pk=shot.pk).update(description="A boy skates over the lake")
    run = RecipeRun.objects.select_related("project", "recipe", "submitted_by").get(pk=gate.run_id)
    before = RenderBatch.objects.count()
    with transaction.atomic():
        assert len(render_changed(run, user=coordinator)) == 1
        other = Elsewhere(lambda: render_changed(run, user=coordinator))
        other.meets_our_lock()
    assert other.answer() == []
    assert RenderBatch.objects.count() == before + 1


def test_who_cancels_while_a_gate_opens_cancels_what_it_lets_through(
    gate: RunStep, coordinator: User
) -> None:
    run = RecipeRun.objects.select_related("project", "recipe", "submitted_by").get(pk=gate.run_id)
    with transaction.atomic():
        lock_cells(run, [gate.shot_id])
        approves(coordinator, jobs(run, 0)[0])  # heard when this is committed
        go_on(gate.pk)
        other = Elsewhere(lambda: cancel_run(run, user=coordinator))
        other.meets_our_lock()
    other.answer()
    assert [job.state for job in jobs(run, 1)] == [JobState.CANCELLED]
    assert go_on_missed() == 0
