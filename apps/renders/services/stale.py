"""What is stale is rendered again, in the order in which shots continue each other."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.productions.continuity import shots_behind
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.projects.stages import Stage
from apps.renders.models import Job, RenderBatch
from apps.renders.services.steps import Step
from apps.renders.services.submit import submit
from apps.renders.states import OPEN
from apps.review.models import Take
from apps.review.stale import stale_shots, standing_stale

logger = logging.getLogger(__name__)

ORDER: Final = {stage: place for place, stage in enumerate(Stage.values)}
LONGEST_KEY: Final = 60


def render_stale(
    project: Project, shots: Sequence[Shot], *, user: User, idempotency_key: str
) -> list[RenderBatch]:
    """Submit for each of these shots the first of its stages that is stale, by the template that made it.

    A shot that continues another waits until a take of that one is selected which is not stale, so the shots
    of a chain follow each other, whoever selects between them. What renders already is not asked for twice.
    Raises NotAllowed; Refused if nothing is stale, or for what cannot be rendered; then nothing was written.
    """
    require(user, Act.RENDER, project)
    made_by = _templates({shot.pk for shot in shots})
    groups: dict[tuple[str, str], list[Shot]] = defaultdict(list)
    for shot in shots:
        if shot.pk in made_by:
            groups[made_by[shot.pk]].append(shot)
    if not groups:
        told = _("nothing of this is stale, or it renders already")
        raise Refused(Problem("shots", "", told, code="nothing_stale"))
    key = idempotency_key[:LONGEST_KEY]
    with transaction.atomic():
        batches = [
            submit(
                user=user,
                project=project,
                shots=some,
                steps=[Step(template=template, precision=precision, fresh=True)],
                idempotency_key=f"stale {key} {template} {precision}".strip()[:100],
            ).batch
            for (template, precision), some in groups.items()
        ]
    logger.info("stale shots render again", extra={"shots": sum(map(len, groups.values()))})
    return batches


def stale_behind(shot: Shot) -> list[Shot]:
    """The stale ones of a shot and all that continue it, the nearest first."""
    order = {one.pk: place for place, one in enumerate(shots_behind(shot.pk))}
    return _ready_to_render(order)


def stale_in(sequence: UUID) -> list[Shot]:
    """The stale shots of a sequence in the film's order."""
    keys = stale_shots(Shot.objects.filter(sequence=sequence)).order_by("order", "code")
    return _ready_to_render({key: place for place, key in enumerate(keys.values_list("pk", flat=True))})


def _ready_to_render(order: Mapping[UUID, int]) -> list[Shot]:
    rows = stale_shots(Shot.objects.filter(pk__in=order))
    shots = rows.select_related("project", "sequence", "status", "location")
    return sorted(shots, key=lambda shot: order[shot.pk])


def _templates(shots: set[UUID]) -> dict[UUID, tuple[str, str]]:
    """By shot the template and precision that made its first stale stage, unless that renders already."""
    first: dict[UUID, Take] = {}
    for take in standing_stale().filter(shot__in=shots):
        known = first.get(take.shot_id)
        if known is None or ORDER[take.stage] < ORDER[known.stage]:
            first[take.shot_id] = take
    open_jobs = set(Job.objects.filter(shot__in=shots, state__in=OPEN).values_list("shot_id", "stage"))
    wanted = {take.job_id: key for key, take in first.items() if (key, take.stage) not in open_jobs}
    rows = Job.objects.filter(pk__in=wanted)
    made = rows.values_list("pk", "template_version__template__slug", "precision")
    return {wanted[job]: (template, precision) for job, template, precision in made}
