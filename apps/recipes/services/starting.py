"""Start a recipe on shots: the steps up to the first gate go out at once, in one batch."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.codes import next_number
from apps.common.errors import Conflict, Problem, Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require_shots
from apps.recipes.models import Recipe, RecipeRun, RunStep
from apps.recipes.services.checking import require_sound, templates_offered, with_roles
from apps.recipes.services.submitting import submit_segment
from apps.recipes.spec import as_json, chain
from apps.renders.services.envelope import PLAIN, Envelope
from apps.renders.services.planned import Plan
from apps.renders.services.planning import plan
from apps.renders.services.submit import KEY_FIELD, LONGEST_KEY
from apps.workflows.stages import stages_of

logger = logging.getLogger(__name__)

FARM_SCOPE = UUID(int=0)
"""Codes of runs count across the whole farm."""


@dataclass(frozen=True)
class Started:
    """The run, and whether this call made it (False: the same request had been made before)."""

    run: RecipeRun
    created: bool


def preview(
    *, user: User, project: Project, shots: Sequence[Shot], recipe: Recipe, envelope: Envelope = PLAIN
) -> Plan:
    """What a recipe would make of these shots if every gate opened, or what is wrong with it."""
    templates, specs = templates_offered(), recipe.specs
    try:
        require_sound(specs, templates)
    except Refused as refused:
        return Plan(problems=list(refused.problems))
    steps = chain(with_roles(specs, templates), 0, len(specs))
    return plan(project=project, shots=shots, steps=steps, envelope=envelope, user=user)


def start(
    *,
    user: User,
    project: Project,
    recipe: Recipe,
    shots: Sequence[Shot],
    idempotency_key: str,
    envelope: Envelope = PLAIN,
) -> Started:
    """Start a run, once. Repeating it with the same key returns the same run.

    The whole chain is checked, though only the steps up to the first gate are submitted. Raises NotAllowed,
    or Refused with every problem; then nothing was written.
    """
    stages = stages_of(spec.template for spec in recipe.specs)
    require_shots(user, Act.RENDER, project, shots=[shot.pk for shot in shots], stages=stages)
    if not idempotency_key or len(idempotency_key) > LONGEST_KEY:
        told = _("give 1 to %d characters") % LONGEST_KEY
        raise Refused(Problem(KEY_FIELD, idempotency_key[:40], told))
    request_hash = _hash(recipe, shots, envelope)
    before = _earlier(project, idempotency_key, request_hash)
    if before:
        return before
    if not recipe.active:
        raise Refused(Problem("recipe", recipe.slug, _("this recipe is not offered"), code="not_offered"))
    planned = preview(user=user, project=project, shots=shots, recipe=recipe, envelope=envelope)
    if planned.problems:
        raise Refused(*planned.problems)
    try:
        with transaction.atomic():
            run = RecipeRun.objects.create(
                project=project,
                recipe=recipe,
                code=f"R{next_number(scope=FARM_SCOPE, kind='recipe_run'):05d}",
                idempotency_key=idempotency_key,
                request_hash=request_hash,
                submitted_by=user,
                note=envelope.note,
                steps=as_json(recipe.specs),
                wishes=_kept(envelope),
            )
            cells = add_cells(run, shots)
            first = replace(envelope, note=_note(run, envelope.note))
            submit_segment(
                run,
                start=0,
                cells=cells,
                shots=shots,
                key=f"recipe {run.code} start",
                envelope=first,
                actor=user.get_username(),
            )
    except IntegrityError:
        twin = _earlier(project, idempotency_key, request_hash)
        if twin is None:
            raise
        return twin
    logger.info("recipe started", extra={"run": run.code, "recipe": recipe.slug, "shots": len(shots)})
    return Started(run, created=True)


def add_cells(run: RecipeRun, shots: Sequence[Shot]) -> list[RunStep]:
    """Make the cells of these shots that are not there yet."""
    there = set(RunStep.objects.filter(run=run, shot__in=shots).values_list("shot_id", "position"))
    return RunStep.objects.bulk_create(
        RunStep(run=run, shot=shot, position=place)
        for shot in shots
        for place in range(len(run.steps))
        if (shot.pk, place) not in there
    )


def envelope_of(run: RecipeRun) -> Envelope:
    """The wishes of a run as its later steps go out with them: what has passed is no wish any more."""
    wishes: dict[str, Any] = dict(run.wishes)
    now = database_now()

    def later(name: str) -> datetime | None:
        at = parse_datetime(wishes.get(name) or "")
        return at if at is not None and at > now else None

    return Envelope(
        priority=wishes.get("priority", PLAIN.priority),
        note=_note(run, run.note),
        start_after=later("start_after"),
        deadline=later("deadline"),
        pool=wishes.get("pool", ""),
        tags=tuple(wishes.get("tags", ())),
        pinned_to=wishes.get("pinned_to", ""),
    )


def _kept(envelope: Envelope) -> dict[str, Any]:
    """What later steps are to keep. What it waits for and whether it is paused concerns the first alone."""
    told = {name: value for name, value in envelope.as_json().items() if name not in ("after", "paused")}
    return {"priority": int(envelope.priority), **told}


def _note(run: RecipeRun, note: str) -> str:
    return f"{run.recipe.slug} {run.code}{f' · {note}' if note else ''}"[:200]


def _hash(recipe: Recipe, shots: Sequence[Shot], envelope: Envelope) -> str:
    content = [str(recipe.pk), [str(shot.pk) for shot in shots], asdict(envelope)]
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def _earlier(project: Project, key: str, request_hash: str) -> Started | None:
    run = RecipeRun.objects.filter(project=project, idempotency_key=key).first()
    if run is None:
        return None
    if run.request_hash != request_hash:
        told = _("this key was used for another request (run %s); send a new key") % run.code
        raise Conflict(Problem(KEY_FIELD, key, told, code="idempotency_conflict"))
    return Started(run, created=False)
