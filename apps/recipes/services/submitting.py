"""A stretch of a run's steps becomes a batch of jobs, and the run knows them as its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db.models import Max

from apps.productions.models import Shot
from apps.recipes.models import RecipeRun, RunJob, RunStep
from apps.recipes.services.checking import require_sound, templates_offered, with_roles
from apps.recipes.spec import Gate, Outputs, StepSpec, chain, segment_end
from apps.renders.models import Job, JobDependency, RenderBatch
from apps.renders.services.envelope import Envelope
from apps.renders.services.submit import submit_for
from apps.review.models import Artifact
from apps.workflows.services import template_of


def lock_cells(run: RecipeRun, shots: Sequence[UUID]) -> list[RunStep]:
    """Lock the run and every step of these shots, in one order for everybody; whoever submits holds them.

    Whoever cancels the run waits for it and finds what was submitted; ``run`` says then whether it was.
    """
    run.cancelled_at, run.cancelled_by = (
        RecipeRun.objects.select_for_update(no_key=True)
        .values_list("cancelled_at", "cancelled_by")
        .get(pk=run.pk)
    )
    rows = RunStep.objects.filter(run=run, shot__in=shots).order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))


def submit_segment(
    run: RecipeRun,
    *,
    start: int,
    cells: Sequence[RunStep],
    shots: Sequence[Shot],
    key: str,
    outputs: Outputs | None = None,
    envelope: Envelope,
    actor: str,
    only: bool = False,
    same_round: bool = False,
    seed: int | None = None,
) -> RenderBatch:
    """Submit the steps from ``start`` to the next gate for these shots; their ``cells`` are locked.

    ``outputs``: what the steps before these go on with. ``only``: that step alone.
    ``same_round``: more takes beside those that are there; a person's seeds count from ``seed`` on.

    Raises Refused; then nothing was written.
    """
    templates = templates_offered()
    require_sound(run.specs, templates)
    specs = with_roles(run.specs, templates)
    end = start + 1 if only else segment_end(specs, start)
    submission = submit_for(
        run.submitted_by,
        project=run.project,
        shots=shots,
        steps=[replace(step, seed=seed) for step in chain(specs, start, end, outputs)],
        idempotency_key=key,
        envelope=envelope,
        actor=actor,
    )
    if submission.created:
        places = {(cell.shot_id, cell.position): cell for cell in cells}
        _keep(submission.batch, specs, start, end, places, same_round=same_round)
    return submission.batch


def hear_of_source(*, job: UUID, maker: UUID, role: str, **_: Any) -> None:
    """A job that waited for a take of the shot it continues has it now: that is its source."""
    RunJob.objects.filter(job=job, source_job=None).update(source_job=maker)


def _keep(
    batch: RenderBatch,
    specs: Sequence[StepSpec],
    start: int,
    end: int,
    cells: Mapping[tuple[UUID, int], RunStep],
    *,
    same_round: bool,
) -> None:
    """Write down which job is whose. Jobs of a batch are numbered step by step, in the order of the shots."""
    unread = ("template_version__graph", "template_version__manifest")
    jobs = sorted(
        batch.jobs.select_related("template_version").defer(*unread),
        key=lambda job: (len(job.code), job.code),
    )
    shots = len({job.shot_id for job in jobs})
    places = [place for place in range(start, end) for _each in range(shots * specs[place].takes)]
    rounds = _rounds(cells.values())
    sources = _sources(jobs)
    rows = []
    for job, place in zip(jobs, places, strict=True):
        cell, files = cells[job.shot_id, place], sources.get(job.pk, {})
        also = {role: files.pop(role) for role in specs[place].also if role in files}
        number = rounds.get(cell.pk, 0)
        rows.append(
            RunJob(
                cell=cell,
                job=job,
                round=max(number, 1) if same_round else number + 1,
                source_job=files.get(specs[place].role) or next(iter(files.values()), None),
                also={role: str(source) for role, source in also.items()},
            )
        )
    RunJob.objects.bulk_create(rows)
    _close_and_open(cells, specs, start, end, same_round=same_round)


def _close_and_open(
    cells: Mapping[tuple[UUID, int], RunStep],
    specs: Sequence[StepSpec],
    start: int,
    end: int,
    *,
    same_round: bool,
) -> None:
    """What was just submitted has passed the gate before it, and waits at its own."""
    nothing: dict[str, Any] = {"refused": [], "tried_at": None}
    passed: list[UUID] = []
    fresh: list[UUID] = []
    gates: list[UUID] = []
    for (_shot, place), cell in cells.items():
        if place == start - 1:
            passed.append(cell.pk)
        elif start <= place < end and not same_round:
            opens = specs[place].gate == Gate.APPROVAL and place + 1 < len(specs)
            (gates if opens else fresh).append(cell.pk)
    if not same_round:
        RunStep.objects.filter(pk__in=passed).update(waits=False, **nothing)
    # A choice was made among the takes of before.
    anew = {"chosen": None, "chosen_by": "", "chosen_at": None, **nothing}
    RunStep.objects.filter(pk__in=fresh).update(waits=False, **anew)
    RunStep.objects.filter(pk__in=gates).update(waits=True, **anew)


def _rounds(cells: Iterable[RunStep]) -> dict[UUID, int]:
    rows = RunJob.objects.filter(cell__in=[cell.pk for cell in cells])
    return dict(rows.order_by().values_list("cell_id").annotate(last=Max("round")))


def _sources(jobs: Sequence[Job]) -> dict[UUID, dict[str, UUID]]:
    """The jobs whose takes each is made from, by input: one it waits for, or the maker of a file it names."""
    found: dict[UUID, dict[str, UUID]] = defaultdict(dict)
    waits = JobDependency.objects.filter(job__in=jobs).exclude(role="")
    for key, role, source in waits.values_list("job_id", "role", "depends_on_id"):
        found[key][role] = source
    named: dict[str, list[tuple[UUID, str]]] = defaultdict(list)
    for job in jobs:
        for role, binding in template_of(job.template_version).manifest.bindings.items():
            if binding.type == "file" and role in job.values:
                named[str(job.values[role])].append((job.pk, role))
    for artifact, maker in Artifact.objects.filter(pk__in=named).values_list("pk", "take__job_id"):
        for key, role in named[str(artifact)]:
            found[key][role] = maker
    return found
