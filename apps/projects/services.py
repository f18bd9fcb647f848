"""Open a project."""

from __future__ import annotations

import logging
from typing import Any, TypedDict, Unpack

from apps.accounts.models import User
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import revise
from apps.projects.models import Membership, Project
from apps.projects.rates import frame_rate_of
from apps.projects.roles import Act, Role
from apps.projects.selectors import may_not_open, require
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


class ProjectChanges(ProjectFields, total=False):
    """What may be changed of a project. Its code stays: files and codes of jobs are named by it."""

    name: str
    archived: bool


def update_project(
    project: Project, *, user: User, row_version: int, **fields: Unpack[ProjectChanges]
) -> None:
    """Change a project's settings. Raises Stale if somebody changed it meanwhile, Refused, NotAllowed."""
    require(user, Act.MANAGE, project)
    columns: dict[str, Any] = dict(fields)
    if "fps" in columns:
        rate = frame_rate_of(columns.pop("fps"))
        columns |= {"fps_num": rate.numerator, "fps_den": rate.denominator}
    revise(project, user=user, row_version=row_version, **columns)


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
