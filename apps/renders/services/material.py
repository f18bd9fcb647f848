"""Which jobs were ordered with which material, and what follows: it goes only when no job needs it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Conflict, Problem, Refused
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import require_unchanged
from apps.materials.models import Material
from apps.materials.selectors import standing
from apps.materials.services.adding import forget_files
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.renders.models import Job, JobMaterial
from apps.renders.services.files import Stored
from apps.renders.states import OPEN

logger = logging.getLogger(__name__)

TAKEN_AWAY: Final = "taken_away"
MOST_NAMED: Final = 5
"""Jobs in the way that are named."""


def order_with(jobs: Sequence[tuple[Job, Mapping[str, Stored]]]) -> None:
    """Write down what jobs that were just made bring of material. Inside the transaction that makes them.

    Raises Refused if somebody took some of it away since the request was planned.
    """
    wanted = {file.pk: file for _job, files in jobs for file in files.values() if file.material}
    if not wanted:
        return
    # Whoever takes one away waits for this transaction, and then sees these jobs.
    held = standing().select_for_update(no_key=True).order_by("pk").filter(pk__in=wanted)
    gone = wanted.keys() - set(held.values_list("pk", flat=True))
    if gone:
        told = _("this file was taken away just now; add it again, or choose another")
        raise Refused(*(Problem("files", wanted[pk].title, told, code="unfit_file") for pk in sorted(gone)))
    JobMaterial.objects.bulk_create(
        JobMaterial(job=job, material_id=file.pk, role=role)
        for job, files in jobs
        for role, file in files.items()
        if file.material
    )


def order_again(first: Job, job: Job) -> None:
    """Write down that a job brings the very material of another, also what was taken away since."""
    JobMaterial.objects.bulk_create(
        JobMaterial(job=job, material_id=one.material_id, role=one.role) for one in first.materials.all()
    )


def remove_material(material: Material, *, user: User, row_version: int | None = None) -> bool:
    """Take a material away; return whether its file went, too. It stays where jobs were ordered with it, so
    that their takes can be rendered again exactly; it is offered to nobody any more.

    ``row_version``: of the material as it was read; None where the caller has claimed it. Raises NotAllowed;
    Stale where somebody renamed it since; Refused while an open job needs it, naming those; Conflict if it is
    away already.
    """
    require(user, Act.PLAN, material.project, shot=material.shot_id)
    with changing(Material, [material.pk], actor=user, verb=TAKEN_AWAY):
        row = standing().select_for_update(of=("self",)).filter(pk=material.pk).first()
        if row is None:
            raise Conflict(Problem("material", material.name, _("this was taken away already"), code="gone"))
        if row_version is not None:
            require_unchanged(row, row_version, "name", "kind")
        return _take_away(row, user.get_username())


def _take_away(row: Material, actor: str) -> bool:
    used = Job.objects.filter(materials__material=row)
    waiting = list(
        used.filter(state__in=OPEN).order_by("code").values_list("code", flat=True)[: MOST_NAMED + 1]
    )
    if waiting:
        more = "…" if len(waiting) > MOST_NAMED else ""
        told = _("jobs that are not done yet need this file: %(jobs)s; cancel them, or wait for them")
        jobs = ", ".join(waiting[:MOST_NAMED]) + more
        raise Refused(Problem("material", row.name, told % {"jobs": jobs}, code="in_use"))
    if used.exists():
        now = database_now()
        standing().filter(pk=row.pk).update(
            removed_at=now, removed_by=actor, row_version=row.row_version + 1, updated_at=now
        )
        logger.info("material taken away", extra={"material": str(row.pk), "by": actor, "kept": True})
        return False
    key = row.pk
    row.delete()
    row.pk = key
    transaction.on_commit(partial(forget_files, row))
    logger.info("material taken away", extra={"material": str(key), "by": actor, "kept": False})
    return True
