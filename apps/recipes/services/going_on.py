"""A gate opens: a take is approved, and the steps up to the next gate are submitted from it, exactly once.

The verdict is heard after its commit; what was missed (the process died between) the leader finds.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from apps.common.clock import database_now
from apps.common.collisions import again_after_collision
from apps.common.errors import Refused
from apps.common.problems import as_json
from apps.productions.models import Shot
from apps.recipes.models import RecipeRun, RunJob, RunStep
from apps.recipes.services.starting import envelope_of
from apps.recipes.services.submitting import lock_cells, submit_segment
from apps.recipes.spec import Gate, Outputs, StepSpec, segment_end
from apps.recipes.standing import Cell, outputs_of, rows_of
from apps.review.models import Take
from apps.review.states import Review

logger = logging.getLogger(__name__)

AT_ONCE: Final = 20
"""Gates looked at in one turn of the leader: each that opens is a press of Render."""
PATIENCE: Final = timedelta(minutes=1)
"""What could not be submitted is tried again after it."""


def hear_verdict(*, take: UUID, verdict: str, actor: str, **_: Any) -> None:
    """Go on from a take that was just approved."""
    if verdict != Review.APPROVED:
        return
    job = Take.objects.filter(pk=take).values_list("job_id", flat=True).first()
    waiting = RunStep.objects.filter(waits=True).filter(Q(renders__job=job) | Q(chosen=take)).distinct()
    for cell in waiting:
        go_on(cell.pk, actor=actor)


def go_on_missed() -> int:
    """Look for gates that are open and were not gone through; return how many were now."""
    due = database_now() - PATIENCE
    approved = Take.objects.filter(review_state=Review.APPROVED)
    newer = RunJob.objects.filter(cell=OuterRef("cell"), round__gt=OuterRef("round"))
    opened = RunJob.objects.filter(
        Exists(approved.filter(job_id=OuterRef("job_id"))), ~Exists(newer), cell=OuterRef("pk")
    )
    cells = RunStep.objects.filter(waits=True, run__cancelled_at=None).filter(
        Q(tried_at=None) | Q(tried_at__lt=due)
    )
    missed = cells.filter(Exists(opened) | Q(chosen__review_state=Review.APPROVED))
    keys = missed.order_by(F("tried_at").asc(nulls_first=True), "pk").values_list("pk", flat=True)
    return sum(go_on(key) for key in list(keys[:AT_ONCE]))


def go_on(cell_id: UUID, *, actor: str = "") -> bool:
    """Submit what follows a gate that is open; False if it is not, or others have, or it is refused.

    Why it is refused stands on the gate then. ``actor``: who opened it.
    """
    return again_after_collision(_go_on)(cell_id, actor)


def _go_on(cell_id: UUID, actor: str) -> bool:
    cell = RunStep.objects.select_related("run__project", "run__recipe", "run__submitted_by").get(pk=cell_id)
    run = cell.run
    with transaction.atomic():
        cells = lock_cells(run, [cell.shot_id])
        gate = next(one for one in cells if one.pk == cell.pk)
        if not gate.waits or run.cancelled_at is not None:
            return False
        seen = rows_of(run, [_shot_of(gate)], run.specs)[gate.shot_id]
        source = _opened_by(run.specs, gate, seen[gate.position])
        if source is None:
            return False
        outputs = outputs_of([seen])
        try:
            with transaction.atomic():
                batch = submit_segment(
                    run,
                    start=gate.position + 1,
                    cells=cells,
                    shots=[_shot_of(gate)],
                    outputs=outputs,
                    key=_key(run, gate, source, outputs),
                    envelope=envelope_of(run),
                    actor=actor,
                )
        except Refused as refused:
            _refuse(gate, refused)
            return False
    logger.info("recipe goes on", extra={"run": run.code, "batch": batch.code, "step": gate.position + 1})
    return True


def _key(run: RecipeRun, gate: RunStep, source: UUID, outputs: Outputs) -> str:
    """Name the press: the same takes go through the same gate once."""
    specs, start = run.specs, gate.position + 1
    besides = sorted(
        {
            str(outputs.get(number - 1, {}).get(gate.shot_id))
            for spec in specs[start : segment_end(specs, start)]
            for number in spec.also.values()
            if number <= gate.position
        }
    )
    digest = hashlib.sha256(" ".join(besides).encode()).hexdigest()[:12] if besides else ""
    return f"recipe {run.code} {gate.position} {source} {digest}".strip()


def _opened_by(specs: Sequence[StepSpec], gate: RunStep, seen: Cell) -> UUID | None:
    """The job whose take opens the gate: approved, and of the newest round, or picked by a person."""
    if gate.position + 1 >= len(specs) or specs[gate.position].gate != Gate.APPROVAL:
        return None
    if seen.output is None:
        return None
    picked = gate.chosen is not None and gate.chosen.job_id == seen.output
    return seen.output if picked or seen.output in {job.pk for job in seen.newest} else None


def _shot_of(gate: RunStep) -> Shot:
    return Shot.objects.select_related("project", "sequence", "status", "location").get(pk=gate.shot_id)


def _refuse(gate: RunStep, refused: Refused) -> None:
    told = [as_json(problem) for problem in refused.problems]
    RunStep.objects.filter(pk=gate.pk).update(refused=told, tried_at=database_now())
    logger.warning("recipe cannot go on", extra={"run": str(gate.run_id), "why": str(refused)})
