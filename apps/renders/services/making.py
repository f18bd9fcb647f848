"""A plan that has no problems becomes jobs: numbered, in their states, with what each waits for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import transaction

from apps.common.clock import database_now
from apps.common.codes import next_number, next_numbers
from apps.common.models import StateEvent
from apps.productions.rendering import shots_are_rendering
from apps.prompts.models import PromptBuild
from apps.renders.models import Job, JobContinuity, JobDependency, RenderBatch
from apps.renders.services.chains import dependencies
from apps.renders.services.continuity import resolve
from apps.renders.services.deadlines import set_start_by
from apps.renders.services.dependents import explain_blocked
from apps.renders.services.envelope import Terms
from apps.renders.services.hurry import hurry_sources
from apps.renders.services.lanes import assign
from apps.renders.services.material import order_with
from apps.renders.services.planned import Plan, PlannedJob
from apps.renders.services.prompting import Builds, PromptWarnings
from apps.renders.states import JOB, JobState
from apps.renders.warnings import Warned
from apps.review.models import Take
from apps.workflows.stages import stage_of

FARM_SCOPE = UUID(int=0)
"""Job and batch codes count across the whole farm."""


def make_jobs(
    batch: RenderBatch,
    planned: Plan,
    builds: Builds,
    of_prompts: PromptWarnings,
    *,
    priority: int,
    actor: str,
) -> list[Job]:
    """Write a batch's jobs with all that they wait for, inside the caller's transaction; see submit."""
    takes = _TakeNumbers(planned)
    first_code = next_number(scope=FARM_SCOPE, kind="job", step=len(planned.jobs)) - len(planned.jobs)
    jobs = [
        _job(
            batch,
            planned.terms,
            item,
            code=f"J{first_code + index + 1:06d}",
            take_number=takes.next(item),
            prompt_build=builds.get((item.step, item.shot.pk)),
            priority=priority,
            warnings=(*item.warnings, *of_prompts.get((item.step, item.shot.pk), ())),
        )
        for index, item in enumerate(planned.jobs)
    ]
    waits = dependencies(planned, jobs)
    _set_states(planned.jobs, jobs, waits, planned.terms.after)
    assign(jobs)
    set_start_by(jobs, [(row.job_id, row.depends_on_id) for row in waits])
    Job.objects.bulk_create(jobs)
    JobDependency.objects.bulk_create(waits)
    continues = _continuities(planned, jobs)
    JobContinuity.objects.bulk_create(continues)
    order_with([(job, item.files) for job, item in zip(jobs, planned.jobs, strict=True)])
    if waits or continues:
        explain_blocked(Job.objects.filter(batch=batch))
    if any(row.take_id is None for row in continues):
        # What they wait for may be there, and only be cut; or have been selected while these were written.
        transaction.on_commit(lambda: resolve(JobContinuity.objects.filter(job__batch=batch)))
    own = {job.pk for job in jobs}
    if any(row.depends_on_id not in own for row in waits):
        # A job of another request may have ended while these were written: then it did not see them.
        transaction.on_commit(lambda: explain_blocked(Job.objects.filter(batch=batch)))
        hurry_sources(own, project_id=batch.project_id)
    StateEvent.objects.bulk_create(
        StateEvent(
            story=job.pk,
            machine=JOB.name,
            subject=job.pk,
            to_state=job.state,
            actor=actor,
            reason="submitted",
            data={"batch": batch.code, **({"warnings": job.warnings} if job.warnings else {})},
        )
        for job in jobs
    )
    shots_are_rendering({item.shot for item in planned.jobs}, actor=actor)
    return jobs


def _job(
    batch: RenderBatch,
    terms: Terms,
    item: PlannedJob,
    *,
    code: str,
    take_number: int,
    prompt_build: PromptBuild | None,
    priority: int,
    warnings: Iterable[Warned],
) -> Job:
    seed = item.seed_as(take_number)
    values = dict(item.values)
    if "seed" in item.manifest.bindings:
        values["seed"] = seed
    for source in (item.source, *item.others):
        if source and source.artifact_id:
            values[source.role] = str(source.artifact_id)
    return Job(
        project=batch.project,
        batch=batch,
        shot=item.shot,
        template_version=item.version,
        prompt_build=prompt_build,
        code=code,
        kind=item.kind,
        stage=stage_of(item.manifest),
        take_number=take_number,
        priority=priority,
        rank=priority,
        held=batch.paused,
        precision=item.precision,
        width=item.width,
        height=item.height,
        frames=item.frames,
        fps=item.fps,
        length=item.length,
        seed=seed,
        values=values,
        loras=item.cast.as_json(),
        lora_files=item.cast.lora_files,
        warnings=[warned.as_json() for warned in warnings],
        need_gb=item.need_gb,
        tier_gb=item.tier_gb,
        pool=terms.pool,
        tags=terms.tags,
        pinned_to=terms.pinned_to,
        start_after=terms.start_after,
        deadline=terms.deadline,
    )


def _continuities(planned: Plan, jobs: Sequence[Job]) -> list[JobContinuity]:
    """Which of these jobs continue another shot, and from which take, where its end is cut already."""
    sources = [one for item in planned.jobs for one in (item.source, *item.others) if one is not None]
    makers = [one.maker for one in sources if one.continues is not None and one.maker is not None]
    takes = {take.job_id: take for take in Take.objects.filter(job_id__in=makers)} if makers else {}
    rows = []
    for item, job in zip(planned.jobs, jobs, strict=True):
        for source in (item.source, *item.others):
            if source is not None and source.continues is not None:
                row = JobContinuity(
                    job=job,
                    shot_id=source.continues,
                    role=source.role,
                    frames=source.frames,
                    fresh=source.fresh,
                )
                if source.artifact_id is not None and source.maker is not None:
                    row.take = takes[source.maker]
                rows.append(row)
    return rows


def _waits_for_a_shot(item: PlannedJob) -> bool:
    return any(
        source is not None and source.continues is not None and source.artifact_id is None
        for source in (item.source, *item.others)
    )


def _set_states(
    items: Sequence[PlannedJob], jobs: Sequence[Job], waits: Sequence[JobDependency], after: Sequence[Job]
) -> None:
    """A job with something unfinished before it is blocked. What cannot be told here, sweep finds out."""
    done = {job.pk for job in after if job.state == JobState.SUCCEEDED}
    blocked = {row.job_id for row in waits if row.depends_on_id not in done}
    blocked |= {job.pk for job, item in zip(jobs, items, strict=True) if _waits_for_a_shot(item)}
    now = database_now()
    for job in jobs:
        job.state = JobState.BLOCKED if job.pk in blocked else JobState.READY
        job.ready_at = None if job.pk in blocked else now


class _TakeNumbers:
    """Take numbers per shot and kind, reserved for all shots at once."""

    def __init__(self, planned: Plan) -> None:
        wanted: dict[str, dict[UUID, int]] = defaultdict(lambda: defaultdict(int))
        for item in planned.jobs:
            wanted[item.kind][item.shot.pk] += 1
        self._next = {
            (shot, kind): last - wanted[kind][shot]
            for kind, counts in sorted(wanted.items())
            for shot, last in next_numbers(f"take:{kind}", counts).items()
        }

    def next(self, item: PlannedJob) -> int:
        self._next[item.shot.pk, item.kind] += 1
        return self._next[item.shot.pk, item.kind]
