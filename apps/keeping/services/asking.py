"""Somebody asks for an archive, or has no more use for one."""

from __future__ import annotations

import logging
from typing import Any

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.common.machines import move, record_event
from apps.keeping.models import ProjectArchive, Takes
from apps.keeping.services.queueing import request_archive
from apps.keeping.states import ARCHIVE, OPEN, ArchiveState
from apps.ledger.services.recording import changing
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import require
from apps.review.services.keeping import forget_parts

logger = logging.getLogger(__name__)


def ask(
    project: Project, *, user: User, takes: str = Takes.APPROVED, materials: bool = True
) -> ProjectArchive:
    """Have an archive of a project written in the background.

    Raises NotAllowed unless ``user`` plans the whole project; Conflict while another one is under way.
    """
    require(user, Act.PLAN, project)
    if takes not in Takes.values:
        told = _("choose one of: %s") % ", ".join(Takes.values)
        raise Refused(Problem("takes", takes, told, code="unknown_choice"))
    try:
        with changing(ProjectArchive, actor=user) as change:
            made = ProjectArchive.objects.create(
                project=project, by=user, takes=takes, materials=materials, asked_at=timezone.now()
            )
            change.born(made)
            record_event(ARCHIVE, made.pk, to=ArchiveState.WANTED, actor=user.get_username())
            transaction.on_commit(lambda: request_archive(made.pk))
    except IntegrityError as exc:
        told = _("An archive of this project is being written. Wait for it, or cancel it.")
        raise Conflict(Problem("project", project.code, told, code="under_way")) from exc
    logger.info("archive asked for", extra={"archive": str(made.pk), "project": project.code})
    return made


def discard(archive: ProjectArchive, *, user: User) -> None:
    """Cancel an archive that is not ready, or take away one that is. Raises NotAllowed, Conflict."""
    require(user, Act.PLAN, archive.project)
    actor = user.get_username()
    if move(ARCHIVE, archive, from_=OPEN, to=ArchiveState.CANCELLED, actor=actor):
        forget_parts(archive.folder)  # whoever writes it hears of it at the next piece, if he lives
        return
    if take_away(archive, actor=actor, reason="no longer wanted"):
        return
    told = _("There is nothing to cancel or to take away.")
    raise Conflict(Problem("state", archive.state, told, code="closed"))


def forget_file(sender: type[ProjectArchive], instance: ProjectArchive, **_told: Any) -> None:
    """An archive goes with its project: so does its file, once that is certain."""
    if instance.downloadable:
        transaction.on_commit(lambda: default_storage.delete(instance.key), robust=True)


def take_away(archive: ProjectArchive, *, actor: str, reason: str) -> bool:
    """Delete a ready archive's file; what it was stays told. False if it is not ready.

    OSError of the store goes up, and the archive stays ready: nobody would look for its file again.
    """
    key = ProjectArchive.objects.values_list("key", flat=True).get(pk=archive.pk)
    with transaction.atomic():
        moved = move(
            ARCHIVE, archive, from_=(ArchiveState.READY,), to=ArchiveState.EXPIRED, actor=actor, reason=reason
        )
        if moved:
            default_storage.delete(key)
    return moved
