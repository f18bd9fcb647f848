"""A take rendered again exactly: the same version, values, seed, LoRAs and inputs, whatever is current."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.codes import next_number, next_numbers
from apps.common.errors import Problem, Refused
from apps.common.machines import record_event
from apps.productions.rendering import shots_are_rendering
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.renders.models import Job, Priority, RenderBatch
from apps.renders.services import bus
from apps.renders.services.files import stored_files
from apps.renders.services.lanes import assign
from apps.renders.services.making import FARM_SCOPE
from apps.renders.services.material import order_again
from apps.renders.services.requirements import check_lora_files, check_models
from apps.renders.services.sources import pictures_beside, primary_artifact
from apps.renders.services.submit import Submission, check_key, earlier
from apps.renders.states import JOB, JobState
from apps.review.models import Take
from apps.workflows.services import template_of
from farm.tiers import tier_for_need
from workflows.roles import FORMER_ROLES, PICTURES

logger = logging.getLogger(__name__)


def render_again(take: Take, *, user: User, idempotency_key: str) -> Submission:
    """Make one job that sends what the take's job sent, but for the name of its files; once per key.

    A deprecated or withdrawn version is no hindrance. What a slate is drawn from is the shot as it is now.
    Raises NotAllowed; Refused if the job, its input or a model file is gone; Conflict if the key names
    another request.
    """
    require(user, Act.RENDER, take.project, shot=take.shot_id, stage=take.stage)
    check_key(idempotency_key)
    request_hash = hashlib.sha256(f"again {take.pk}".encode()).hexdigest()
    before = earlier(take.project, idempotency_key, request_hash)
    if before:
        return before
    first = _job_of(take)
    told = {FORMER_ROLES.get(role, role): value for role, value in first.values.items()}
    values = told | _inputs(first)
    _check(first, values)
    actor = user.get_username()
    try:
        with transaction.atomic():
            batch = RenderBatch.objects.create(
                project=first.project,
                code=f"B{next_number(scope=FARM_SCOPE, kind='batch'):05d}",
                idempotency_key=idempotency_key,
                request_hash=request_hash,
                submitted_by=user,
                note=_("%(job)s again") % {"job": first.code},
            )
            job = _copy(first, batch, values)
            assign([job])
            job.save(force_insert=True)
            order_again(first, job)
            record_event(
                JOB,
                job.pk,
                to=job.state,
                actor=actor,
                reason="submitted",
                data={"batch": batch.code, "again": first.code},
            )
            shots_are_rendering({first.shot}, actor=actor)
            transaction.on_commit(bus.poke)
    except IntegrityError:
        # Somebody pressed twice: the unique key let exactly one batch in.
        twin = earlier(take.project, idempotency_key, request_hash)
        if twin is None:
            raise
        return twin
    logger.info("take renders again", extra={"batch": batch.code, "jobs": [str(job.pk)], "again": first.code})
    return Submission(batch, created=True)


def _job_of(take: Take) -> Job:
    rows = Job.objects.select_related("template_version__template", "shot__status", "project", "prompt_build")
    job = rows.filter(pk=take.job_id).first()
    if job is None:
        told = _("the job that made this take is not in the farm's books any more")
        raise Refused(Problem("take", str(take), told, code="job_gone"))
    if not job.shot.status.renderable:
        told = _("shots with this status are not rendered; change it first")
        raise Refused(Problem(f"{job.shot.full_code}.status", job.shot.status.name, told))
    return job


def _inputs(first: Job) -> dict[str, str]:
    """The very files the job started from, also where it had waited for them."""
    found, problems = {}, []
    for dependency in first.dependencies.exclude(role="").select_related("depends_on"):
        artifact = primary_artifact(dependency.depends_on)
        if artifact is None:
            told = _("the take it started from has no file any more")
            problems.append(Problem(dependency.role, dependency.depends_on.code, told, code="input_gone"))
        else:
            found[FORMER_ROLES.get(dependency.role, dependency.role)] = str(artifact.pk)
    if problems:
        raise Refused(*problems)
    return found


def _check(first: Job, values: Mapping[str, Any]) -> None:
    """What is gone is said now, not by a job that waits for ever or fails on its node."""
    template = template_of(first.template_version)
    problems = [
        *_gone(template.manifest.file_roles, values),
        *check_models(template, first.precision),
        *check_lora_files(first.loras),
    ]
    if problems:
        raise Refused(*problems)


def _gone(roles: Iterable[str], values: Mapping[str, Any]) -> Iterator[Problem]:
    """Each file that was deleted from the books, or whose bytes are not in the store any more."""
    named = {role: values[role] for role in roles if role in values}
    there = {str(pk): file for pk, file in stored_files(list(named.values())).items()}
    for role, pk in named.items():
        file = there.get(str(pk))
        if file is None:
            yield Problem(role, str(pk), _("the file it was given was deleted"), code="input_gone")
            continue
        for one in pictures_beside(file.pk) if role == PICTURES else [file]:
            if not default_storage.exists(one.key) or default_storage.size(one.key) != one.bytes:
                told = _("the file %(name)s (SHA-256 %(sha256)s…) is not in the artifact store any more")
                facts = {"name": file.title, "sha256": one.sha256[:12]}
                yield Problem(role, file.title, told % facts, code="input_gone")


def _copy(first: Job, batch: RenderBatch, values: dict[str, object]) -> Job:
    shot = first.shot
    code = next_number(scope=FARM_SCOPE, kind="job")
    number = next_numbers(f"take:{first.kind}", {shot.pk: 1})[shot.pk]
    return Job(
        project=first.project,
        batch=batch,
        shot=shot,
        template_version=first.template_version,
        prompt_build=first.prompt_build,
        code=f"J{code:06d}",
        kind=first.kind,
        stage=first.stage,
        take_number=number,
        state=JobState.READY,
        ready_at=database_now(),
        priority=Priority.NORMAL,
        rank=Priority.NORMAL,
        precision=first.precision,
        width=first.width,
        height=first.height,
        frames=first.frames,
        fps=first.fps,
        length=first.length,
        seed=first.seed,
        values=values,
        loras=first.loras,
        lora_files=first.lora_files,
        need_gb=first.need_gb,
        tier_gb=tier_for_need(first.need_gb),
    )
