"""Jobs of shots that continue another: they wait for that one's selected clip, and go on from its end.

A selection is heard after its commit; what was missed (a process died between) the leader finds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override
from kombu.exceptions import OperationalError

from apps.projects.stages import Stage
from apps.renders.models import Job, JobContinuity
from apps.renders.services.continuing import selected_clips
from apps.renders.services.dependents import explain_blocked, release_jobs
from apps.renders.services.latents import Kept, kept_by, leave_out, takers, why_none, wrong_size
from apps.renders.services.sources import VIDEO
from apps.renders.signals import job_continues
from apps.renders.states import JobState
from apps.review.decoding import Undecodable
from apps.review.models import Artifact, Take
from apps.review.services.latents import Uncuttable
from apps.review.services.tails import CLIP, LATENTS, PICTURE, cut_tail, find_tail
from apps.workflows.services import template_of
from farm import contracts
from farm.celery import app
from farm.tiers import QUEUE_MEDIA
from workflows.roles import LATENT

logger = logging.getLogger(__name__)

ACTOR: Final = "continuity"
AT_ONCE: Final = 200
"""Jobs looked at in one turn of the leader."""
_READ_ONCE: Final = ("job__template_version__graph", "job__template_version__manifest")
"""What a process has parsed already."""


def selection_changed(shot: UUID, stage: str = Stage.CLIP) -> int:
    """Another take of a shot is selected: what waited for it goes on; return how many jobs do at once.

    Where its end has to be cut first, the media worker is asked, and lets them go on.
    """
    if stage != Stage.CLIP:
        return 0
    return resolve(JobContinuity.objects.filter(shot=shot))


def hear_selection(*, shot: UUID, stage: str, **_more: Any) -> None:
    """The signal's ear, see :func:`selection_changed`."""
    selection_changed(shot, stage)


def resolve(rows: QuerySet[JobContinuity]) -> int:
    """Let those of these go on for whose shot a clip is selected whose end is cut; ask for other cuts."""
    rows = rows.filter(take=None, job__state=JobState.BLOCKED).order_by("job")
    waiting = list(rows.select_related("job__template_version").defer(*_READ_ONCE))
    clips = {
        fresh: selected_clips({row.shot_id for row in waiting if row.fresh is fresh}, fresh=fresh)
        for fresh in (False, True)
    }
    kept = kept_by(
        {take for row in waiting if row.role == LATENT and (take := clips[row.fresh].get(row.shot_id))}
    )
    released, wanted, hopeful, named = 0, set(), [], cache(takers)
    for row in waiting:
        take = clips[row.fresh].get(row.shot_id)
        if take is not None and row.role == LATENT and _refused(row, kept.get(take.pk), named):
            continue
        tail = find_tail(take, kind_of(row), row.frames) if take is not None else None
        if take is None or tail is None:
            hopeful.append(row.pk)
        elif _go_on(row, take, tail):
            released += 1
        if take is not None and tail is None:
            wanted.add((take.pk, kind_of(row), row.frames))
    _forget_problems(hopeful)
    explain_blocked(Job.objects.filter(pk__in=[row.job_id for row in waiting]))
    for one in sorted(wanted, key=str):
        request_tail(*one)
    return released


def kind_of(row: JobContinuity) -> str:
    """What a template takes of the clip it goes on from: its last frames or latents, or one picture."""
    return {VIDEO: CLIP, LATENT: LATENTS}.get(row.role, PICTURE)


def _forget_problems(jobs: Iterable[UUID]) -> None:
    """What was wrong was another take's: the leader is to look at these again."""
    JobContinuity.objects.filter(pk__in=list(jobs), take=None).exclude(problem="").update(problem="")


def _refused(row: JobContinuity, kept: Kept | None, named: Callable[[], str]) -> bool:
    """Write down why a job cannot go on from the selected take's latents; False if it can.

    In the farm's language, like all that is written down: who selected a take is not who reads this.
    """
    job = row.job
    with override(settings.LANGUAGE_CODE):
        why = why_none(kept, template_of(job.template_version), named)
        why = why or wrong_size(job.width, job.height, kept.file if kept else None)
    if why:
        JobContinuity.objects.filter(pk=row.pk, take=None).update(problem=f"{why}.")
    return bool(why)


@transaction.atomic
def _go_on(row: JobContinuity, take: Take, tail: Artifact) -> bool:
    """Give a job its file and release it; False if somebody else has, or it was cancelled meanwhile."""
    job = Job.objects.select_for_update(of=("self",), no_key=True).filter(pk=row.job_id).first()
    if job is None or job.state != JobState.BLOCKED:
        return False
    if not JobContinuity.objects.filter(pk=row.pk, take=None).update(take=take, problem=""):
        return False
    Job.objects.filter(pk=job.pk).update(values=job.values | {row.role: str(tail.pk)})
    if row.role == LATENT:
        leave_out(job, tail)
    job_continues.send(sender=Job, job=job.pk, maker=take.job_id, role=row.role)
    release_jobs([job.pk], actor=ACTOR, reason=f"{take} is selected")
    logger.info("job continues a take", extra={"job": str(job.pk), "take": str(take.pk)})
    return True


def request_tail(take: UUID, kind: str, frames: int) -> None:
    """Ask the media worker for the end of a clip. If the broker is away, the leader asks again."""
    try:
        app.send_task(
            contracts.TAIL,
            args=[str(take), kind, frames],
            queue=QUEUE_MEDIA,
            ignore_result=True,
            retry_policy={"max_retries": 1},
        )
    except (OperationalError, OSError) as exc:
        logger.warning("cut not queued", extra={"take": str(take), "error": str(exc)})


def make_tail(take_id: UUID, kind: str, frames: int) -> None:
    """Cut the end of a take's clip, and let go on what waited for it. OSError from the store goes up."""
    take = Take.objects.select_related("shot__sequence").filter(pk=take_id).first()
    if take is None:
        return
    waiting = JobContinuity.objects.filter(shot=take.shot_id, take=None)
    try:
        cut_tail(take, kind, frames)
    except (Undecodable, Uncuttable, FileNotFoundError) as exc:
        gone = isinstance(exc, FileNotFoundError)
        told = _("its file is not in the artifact store.") if gone else f"{exc}."
        waiting = waiting.filter(role=LATENT) if kind == LATENTS else waiting.exclude(role=LATENT)
        logger.warning("end of a clip not cut", extra={"take": str(take_id), "why": told})
        if not Take.objects.filter(pk=take_id, selected=True).exists():
            return  # somebody selected another one meanwhile
        waiting.update(problem=told)
        explain_blocked(Job.objects.filter(continuity__in=waiting))
        return
    resolve(waiting)


def loosen(jobs: Iterable[Job]) -> set[UUID]:
    """Of jobs that are requeued: those whose shot has another clip selected now wait for its end.

    Returns the jobs that wait for a shot's take.
    """
    rows = JobContinuity.objects.filter(job__in=list(jobs))
    chosen = Take.objects.filter(shot=OuterRef("shot"), stage=Stage.CLIP, selected=True)
    rows.filter(Exists(chosen.exclude(pk=OuterRef("take")))).update(take=None)
    rows.update(problem="")
    return set(rows.filter(take=None).values_list("job_id", flat=True))


def resolve_missed() -> int:
    """Look for jobs whose wait is over and that nobody let go on; return how many do now."""
    chosen = Take.objects.filter(shot=OuterRef("shot"), stage=Stage.CLIP, selected=True)
    missed = JobContinuity.objects.filter(
        Q(take=None), Exists(chosen), job__state=JobState.BLOCKED, problem=""
    )
    keys = list(missed.order_by("job").values_list("pk", flat=True)[:AT_ONCE])
    return resolve(JobContinuity.objects.filter(pk__in=keys)) if keys else 0
