"""Open a project."""

from __future__ import annotations

import logging
from typing import TypedDict, Unpack

from apps.accounts.models import User
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.projects.models import Membership, Project
from apps.projects.roles import Role
from apps.projects.selectors import may_not_open
from workflows.rates import Rate

logger = logging.getLogger(__name__)


class ProjectFields(TypedDict, total=False):
    """What may be said of a new project beside code and name. Sizes in pixels, fps in frames per second."""

    name_ko: str
    description: str
    fps: Rate
    frame_start: int
    handles: int
    start_timecode: str
    width: int
    height: int
    prompt_language: str
    weight: int


def create_project(*, code: str, name: str, user: User | None, **fields: Unpack[ProjectFields]) -> Project:
    """Open a project; its creator becomes an admin of it. ``user`` None is the farm itself (a command).

    Raises Refused for a bad or taken code, NotAllowed without the permission to add projects.
    """
    project = Project(code=code.strip(), name=name.strip(), **fields)
    open_project(project, user=user)
    return project


def open_project(project: Project, *, user: User | None) -> None:
    """Save a prepared, unsaved project; see create_project."""
    if user is not None and not user.has_perm("projects.add_project"):
        raise may_not_open(user)
    clean(project)
    with changing(Project, actor=user) as change:
        project.save(force_insert=True)
        change.born(project)
        if user is not None:
            Membership.objects.create(project=project, user=user, role=Role.ADMIN)
    logger.info("project opened", extra={"project": project.code})
