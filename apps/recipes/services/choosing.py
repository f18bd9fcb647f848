"""Pick the take a step goes on with."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Conflict, Problem, Refused
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.recipes.models import RunStep
from apps.recipes.services.going_on import go_on
from apps.recipes.spec import Gate
from apps.review.models import Artifact, ArtifactRole, Take
from apps.review.services import review_take
from apps.review.states import Media, Review

logger = logging.getLogger(__name__)


def choose(cell: RunStep, take: Take, *, user: User) -> None:
    """Let a step go on with this take: one of its own, or another of its shot that shows the same medium.

    At a gate the take is approved by that. What was rendered from another is stale then, and stays. Raises
    NotAllowed; Refused for a take of another shot or medium, or one without a file.
    """
    run = cell.run
    require(user, Act.REVIEW, run.project, shot=take.shot_id, stage=take.stage)
    if take.shot_id != cell.shot_id:
        told = _("this take is of another shot than %s") % cell.shot.full_code
        raise Refused(Problem("take", str(take), told, code="other_shot"))
    if take.media_state not in (Media.READY, Media.PROCESSING):
        told = _("this take's file is %s, so nothing can start from it") % take.get_media_state_display()
        raise Refused(Problem("take", str(take), told, code="no_media"))
    _require_medium(cell, take)
    spec = run.specs[cell.position]
    with transaction.atomic():
        if spec.gate == Gate.APPROVAL and take.review_state != Review.APPROVED:
            decided = review_take(take, to=Review.APPROVED, user=user)
            if not decided and not Take.objects.filter(pk=take.pk, review_state=Review.APPROVED).exists():
                raise Conflict(Problem("take", str(take), _("somebody else decided just now"), code="stale"))
        RunStep.objects.filter(pk=cell.pk).update(
            chosen=take,
            chosen_by=user.get_username(),
            chosen_at=database_now(),
            row_version=F("row_version") + 1,
        )
        transaction.on_commit(lambda: go_on(cell.pk, actor=user.get_username()) and None)
    logger.info("take chosen", extra={"run": run.code, "take": str(take.pk), "by": user.get_username()})


def _require_medium(cell: RunStep, take: Take) -> None:
    """What starts from this step takes one kind of file: that which its own takes have."""
    own = Artifact.objects.filter(
        take__job_id__in=cell.renders.values("job"), role=ArtifactRole.PRIMARY
    ).values_list("kind", flat=True)
    wanted = own.first()
    has = take.artifacts.filter(role=ArtifactRole.PRIMARY).values_list("kind", flat=True).first()
    if wanted is not None and has != wanted:
        told = _("this step makes the kind of file “%(wanted)s”, and this take is “%(has)s”")
        told %= {"wanted": wanted, "has": has or "–"}
        raise Refused(Problem("take", str(take), told, code="other_medium"))
