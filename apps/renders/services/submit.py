"""A press of Render becomes a batch of jobs: one transaction, idempotent, all or nothing."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.codes import next_number
from apps.common.errors import Conflict, Problem, Refused
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import may, require_shots
from apps.renders.models import Job, RenderBatch
from apps.renders.services import bus
from apps.renders.services.envelope import PLAIN, Envelope, check_priority
from apps.renders.services.making import FARM_SCOPE, make_jobs
from apps.renders.services.planning import plan
from apps.renders.services.prompting import prompts_of, warnings_of
from apps.renders.services.steps import Step
from apps.workflows.stages import stages_of

__all__ = ["Envelope", "Step", "Submission", "plan", "submit"]

logger = logging.getLogger(__name__)

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
            jobs = make_jobs(batch, planned, builds, of_prompts, priority=envelope.priority, actor=actor)
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
