"""A press of Render becomes a batch of jobs: one transaction, idempotent, all or nothing."""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.codes import next_number, next_numbers
from apps.common.errors import Conflict, Problem, Refused
from apps.common.models import StateEvent
from apps.productions.models import Shot
from apps.productions.rendering import shots_are_rendering
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import may, require_shots
from apps.prompts.models import PromptBuild
from apps.renders.models import Job, JobContinuity, JobDependency, RenderBatch
from apps.renders.services import bus
from apps.renders.services.chains import dependencies
from apps.renders.services.continuity import resolve
from apps.renders.services.deadlines import set_start_by
from apps.renders.services.dependents import explain_blocked
from apps.renders.services.envelope import PLAIN, Envelope, Terms, check_priority
from apps.renders.services.hurry import hurry_sources
from apps.renders.services.lanes import assign
from apps.renders.services.material import order_with
from apps.renders.services.planned import Plan, PlannedJob
from apps.renders.services.planning import plan
from apps.renders.services.prompting import Builds, PromptWarnings, prompts_of, warnings_of
from apps.renders.services.steps import Step
from apps.renders.states import JOB, JobState
from apps.renders.warnings import Warned
from apps.review.models import Take
from apps.workflows.stages import stage_of, stages_of

__all__ = ["Envelope", "Step", "Submission", "plan", "submit"]

logger = logging.getLogger(__name__)

FARM_SCOPE = UUID(int=0)
"""Job and batch codes count across the whole farm."""
LONGEST_KEY = 100
IDS_PER_LINE = 100
KEY_FIELD = "Idempotency-Key"
"""What people know the key by: the header it comes in."""


@dataclass(frozen=True)
class Submission:
    """The batch, and whether this call made it (False: the same request had been made before)."""

    batch: RenderBatch
    created: bool


def submit(
    *,
    user: User,
    project: Project,
    shots: Sequence[Shot],
    steps: Sequence[Step],
    idempotency_key: str,
    envelope: Envelope = PLAIN,
) -> Submission:
    """Make the jobs of a request, once. Repeating it with the same key returns the same batch.

    Raises NotAllowed, or Refused with every problem; then nothing was written.
    """
    if not may(user, Act.RENDER, project):
        stages = stages_of(step.template for step in steps)
        require_shots(user, Act.RENDER, project, shots=[shot.pk for shot in shots], stages=stages)
    return submit_for(
        user, project=project, shots=shots, steps=steps, idempotency_key=idempotency_key, envelope=envelope
    )


def submit_for(
    user: User | None,
    *,
    project: Project,
    shots: Sequence[Shot],
    steps: Sequence[Step],
    idempotency_key: str,
    envelope: Envelope = PLAIN,
    actor: str = "",
) -> Submission:
    """Make the jobs of a request that whoever calls has judged: what a recipe goes on with.

    ``user`` is whose request it is; ``actor`` who let it happen, if somebody else. Else as :func:`submit`.
    """
    request_hash = _hash(shots, steps, envelope)
    check_key(idempotency_key)
    check_priority(envelope.priority)
    before = earlier(project, idempotency_key, request_hash)
    if before:
        return before
    planned = plan(project=project, shots=shots, steps=steps, envelope=envelope, user=user)
    if planned.problems:
        raise Refused(*planned.problems)
    builds = prompts_of(planned)  # immutable rows that others may share: made before the lock is taken
    of_prompts = warnings_of(planned, builds)
    actor = actor or (user.get_username() if user else "")
    try:
        with transaction.atomic():
            batch = RenderBatch.objects.create(
                project=project,
                code=f"B{next_number(scope=FARM_SCOPE, kind='batch'):05d}",
                idempotency_key=idempotency_key,
                request_hash=request_hash,
                submitted_by=user,
                note=envelope.note,
                paused=envelope.paused,
                paused_by=actor if envelope.paused else "",
            )
            jobs = _make_jobs(batch, planned, builds, of_prompts, priority=envelope.priority, actor=actor)
            transaction.on_commit(bus.poke)
    except IntegrityError:
        # Somebody pressed twice: the unique key let exactly one batch in, and this is not it.
        twin = earlier(project, idempotency_key, request_hash)
        if twin is None:
            raise
        return twin
    _log(batch, jobs)
    return Submission(batch, created=True)


def _log(batch: RenderBatch, jobs: Sequence[Job]) -> None:
    """Say which jobs came of this request, so that each is found by its id where it began."""
    ids = [str(job.pk) for job in jobs]
    for start in range(0, len(ids), IDS_PER_LINE):
        some = ids[start : start + IDS_PER_LINE]
        logger.info("jobs submitted", extra={"batch": batch.code, "total": len(ids), "jobs": some})


def earlier(project: Project, key: str, request_hash: str) -> Submission | None:
    """Return what this key was used for before. Raises Conflict if that was another request."""
    batch = RenderBatch.objects.filter(project=project, idempotency_key=key).first()
    if batch is None:
        return None
    if batch.request_hash != request_hash:
        raise Conflict(
            Problem(
                KEY_FIELD,
                key,
                _("this key was used for another request (batch %s); send a new key") % batch.code,
                code="idempotency_conflict",
            )
        )
    return Submission(batch, created=False)


def check_key(key: str) -> None:
    """Raise Refused unless this can be kept as a request's own name."""
    if not key or len(key) > LONGEST_KEY:
        raise Refused(Problem(KEY_FIELD, key[:40], _("give 1 to %d characters") % LONGEST_KEY))


def _hash(shots: Sequence[Shot], steps: Sequence[Step], envelope: Envelope) -> str:
    """Tell requests apart. What an older farm did not know counts only where it is given."""
    content: list[Any] = [
        [str(shot.pk) for shot in shots],
        [step.as_json() for step in steps],
        int(envelope.priority),
        envelope.note,
    ]
    if more := envelope.as_json():
        content.append(more)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _make_jobs(
    batch: RenderBatch,
    planned: Plan,
    builds: Builds,
    of_prompts: PromptWarnings,
    *,
    priority: int,
    actor: str,
) -> list[Job]:
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
