"""Render what changed, and no more: what a step before it made of the same things stays as it is."""

from __future__ import annotations

import hashlib
import logging
from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID, uuid4

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.common.ids import uuid_in
from apps.productions.models import Shot
from apps.projects.roles import Act
from apps.projects.selectors import require_shots
from apps.recipes.expected import expect
from apps.recipes.models import RecipeRun
from apps.recipes.services.checking import require_sound, templates_offered, with_roles
from apps.recipes.services.starting import add_cells, envelope_of
from apps.recipes.services.submitting import lock_cells, submit_segment
from apps.recipes.spec import Outputs, StepSpec, as_json
from apps.recipes.standing import Row, judge, outputs_of, rows_of
from apps.renders.models import RenderBatch
from apps.workflows.stages import stages_of

logger = logging.getLogger(__name__)


def shots_of(run: RecipeRun) -> list[Shot]:
    """The shots of a run in the film's order."""
    rows = Shot.objects.filter(recipe_steps__run=run).distinct()
    return list(
        rows.select_related("project", "sequence", "status", "location").order_by(
            "sequence__order", "order", "code"
        )
    )


def standing_of(run: RecipeRun, shots: Sequence[Shot], specs: Sequence[StepSpec]) -> list[Row]:
    """How these shots stand against these steps: the run's own, or its recipe's as they are now."""
    templates = templates_offered()
    require_sound(specs, templates)
    expected = expect(run.project, shots, with_roles(specs, templates))
    return judge(rows_of(run, shots, specs), expected)


def look_at(run: RecipeRun, shots: Sequence[Shot]) -> tuple[list[Row], list[Problem]]:
    """How these shots stand against the recipe as it is now; where that cannot be rendered, why, and the run
    as it is."""
    try:
        return standing_of(run, shots, run.recipe.specs), []
    except Refused as refused:
        seen = rows_of(run, shots, run.specs)
        return [Row(cells[0].shot, cells, []) for cells in seen.values()], list(refused.problems)


def render_changed(run: RecipeRun, *, user: User, shots: Sequence[Shot] | None = None) -> list[RenderBatch]:
    """Submit for each shot the first step that is not what it would be now, up to the next gate.

    The run takes over its recipe's steps as they are now. Steps before that one are not rendered; what
    renders already goes on. Two at once submit once: the second finds nothing that changed.

    Raises NotAllowed, or Refused for a recipe that cannot be rendered, a cancelled run, or shots that cannot.
    """
    wanted = shots_of(run) if shots is None else list(shots)
    stages = stages_of(spec.template for spec in run.recipe.specs)
    require_shots(user, Act.RENDER, run.project, shots=[shot.pk for shot in wanted], stages=stages)
    with transaction.atomic():
        _adopt(run)
        add_cells(run, wanted)
        cells = lock_cells(run, [shot.pk for shot in wanted])
        rows = standing_of(run, wanted, run.specs)
        if problems := [problem for row in rows for problem in row.problems]:
            raise Refused(*problems)
        groups: dict[int, set[UUID]] = defaultdict(set)
        for row in rows:
            if due := row.due:
                groups[due.position].add(row.shot.pk)
        outputs = outputs_of(row.cells for row in rows)
        made = [
            submit_segment(
                run,
                start=start,
                cells=cells,
                shots=[shot for shot in wanted if shot.pk in due_shots],
                outputs=_only(outputs, due_shots),
                key=f"recipe {run.code} changed {uuid4()}",
                envelope=envelope_of(run),
                actor=user.get_username(),
            )
            for start, due_shots in sorted(groups.items())
        ]
    for batch in made:
        logger.info("recipe rendered again", extra={"run": run.code, "batch": batch.code})
    return made


def render_more(run: RecipeRun, *, user: User, shot: Shot, position: int, key: str) -> RenderBatch:
    """Ask for more takes of one step, made of the same things; what was rendered from others stays.

    Repeating it with the same key changes nothing. Raises NotAllowed; Refused where the step was not rendered
    yet, or would not be the same now.
    """
    specs = run.specs
    stages = stages_of(spec.template for spec in specs[position : position + 1]) if position >= 0 else set()
    require_shots(user, Act.RENDER, run.project, shots=[shot.pk], stages=stages)
    name = f"{shot.full_code} {position + 1}"
    if not 0 <= position < len(specs):
        told = _("this run has the steps 1 to %d") % len(specs)
        raise Refused(Problem("step", str(position + 1), told, code="unknown_step"))
    with transaction.atomic():
        cells = lock_cells(run, [shot.pk])
        _require_going(run)
        press = f"recipe {run.code} more {_digest(key, shot, position)}"
        if before := RenderBatch.objects.filter(project=run.project, idempotency_key=press).first():
            return before
        [row] = standing_of(run, [shot], specs)
        cell = row.cells[position]
        if row.problems:
            raise Refused(*row.problems)
        if not cell.renders:
            raise Conflict(Problem("step", name, _("this step has not been rendered yet"), code="not_yet"))
        if cell.is_stale:
            told = _("this step is not what it would be now; render what changed instead")
            raise Conflict(Problem("step", name, told, code="stale"))
        last = cell.renders[-1]
        outputs: dict[int, dict[UUID, UUID]] = defaultdict(dict)
        for role, number in specs[position].also.items():
            if (job := uuid_in(last.also.get(role, ""))) is not None:
                outputs[number - 1][shot.pk] = job
        if last.source_job and position:
            outputs[position - 1][shot.pk] = last.source_job
        return submit_segment(
            run,
            start=position,
            cells=cells,
            shots=[shot],
            outputs=outputs,
            key=press,
            envelope=envelope_of(run),
            actor=user.get_username(),
            only=True,
            same_round=True,
            seed=None if shot.seed is None else shot.seed + len(cell.newest),  # no noise twice
        )


def _only(outputs: Outputs, shots: Collection[UUID]) -> dict[int, dict[UUID, UUID]]:
    """The same for these shots alone."""
    return {
        place: {shot: job for shot, job in jobs.items() if shot in shots} for place, jobs in outputs.items()
    }


def _digest(key: str, shot: Shot, position: int) -> str:
    """Name one press: the same key for another step is another press."""
    return hashlib.sha256(f"{key} {shot.pk} {position}".encode()).hexdigest()


def _adopt(run: RecipeRun) -> None:
    """Take over the recipe as it is now."""
    locked = RecipeRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    _require_going(locked)
    now = run.recipe.specs
    require_sound(now, templates_offered())
    if now != locked.specs:
        locked.steps = as_json(now)
        locked.row_version += 1
        locked.save(update_fields=["steps", "row_version", "updated_at"])
    run.steps = locked.steps


def _require_going(run: RecipeRun) -> None:
    if run.cancelled_at is not None:
        told = _("this run was cancelled by %s; resume it first") % (run.cancelled_by or "–")
        raise Conflict(Problem("run", run.code, told, code="cancelled"))
