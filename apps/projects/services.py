"""Open a project, and let people into it."""

from __future__ import annotations

import logging
from typing import TypedDict, Unpack

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.common.validation import clean
from apps.ledger.services.recording import changing
from apps.projects.models import Membership, Project
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


def add_member(*, project: Project, member: User, role: str, user: User | None) -> Membership:
    """Give someone a role in a project, or change the one they have. One role per person and project.

    Raises Refused for an unknown role or for taking the last admin away, NotAllowed unless ``user``
    manages the project (None: the farm itself).
    """
    if user is not None:
        require(user, Act.MANAGE, project)
    if role not in Role.values:
        raise Refused(Problem("role", role, f"Choose one of: {', '.join(Role.values)}.", code="unknown_role"))
    with changing(Project, [project.pk], actor=user):
        # The project's row is the lock: two admins may not demote each other at once.
        Project.objects.select_for_update().get(pk=project.pk)
        _keep_an_admin(project, member, role)
        membership, _ = Membership.objects.update_or_create(
            project=project, user=member, defaults={"role": role}
        )
    logger.info(
        "member added", extra={"project": project.code, "member": member.get_username(), "role": str(role)}
    )
    return membership


def _keep_an_admin(project: Project, member: User, role: str) -> None:
    admins = Membership.objects.filter(project=project, role=Role.ADMIN)
    was_admin = admins.filter(user=member).exists()
    if role != Role.ADMIN and was_admin and not admins.exclude(user=member).exists():
        raise Refused(
            Problem(
                "role",
                role,
                f"{member} is the only admin of {project.code}; make somebody else admin first.",
                code="last_admin",
            )
        )
