"""Who belongs to a project: let people in, change what they are, take them out. The last admin stays."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, Problem, Refused
from apps.ledger.services.recording import changing
from apps.projects.models import Membership, Project
from apps.projects.roles import Act, Role
from apps.projects.selectors import require
from apps.projects.signals import member_left
from apps.projects.stages import Stage

logger = logging.getLogger(__name__)


def members_of(project: Project) -> QuerySet[Membership]:
    """Who belongs to a project, by role and name."""
    rows = Membership.objects.filter(project=project).select_related("user", "project")
    return rows.order_by("role", "user__username")


def add_member(
    *, project: Project, member: User, role: str, user: User | None, departments: Sequence[str] = ()
) -> Membership:
    """Give someone a role in a project, or change the one they have. One role per person and project.

    ``departments``: the stages a supervisor signs off, none for all. Raises Refused for an unknown role or
    department, for somebody deactivated, or for taking the last admin away; NotAllowed unless ``user``
    manages the project (None: the farm itself).
    """
    if user is not None:
        require(user, Act.MANAGE, project)
    stages = _read(role, departments)
    with changing(Project, [project.pk], actor=user):
        _lock(project)
        before = Membership.objects.filter(project=project, user=member).first()
        if before is None and not member.is_active:
            told = _("this user is deactivated; whoever runs the farm activates them at the user's page")
            raise Refused(Problem("user", member.get_username(), told, code="deactivated"))
        if before is not None:
            _keep_an_admin(project, member, role)
        membership, created = Membership.objects.update_or_create(
            project=project, user=member, defaults={"role": role, "departments": stages}
        )
        if not created:
            Membership.objects.filter(pk=membership.pk).update(row_version=F("row_version") + 1)
            membership.refresh_from_db()
        if role == Role.CLIENT and not created:
            member_left.send(Membership, project=project, member=member)
    logger.info(
        "member added", extra={"project": project.code, "member": member.get_username(), "role": str(role)}
    )
    return membership


def change_member(
    membership: Membership,
    *,
    user: User,
    role: str | None = None,
    departments: Sequence[str] | None = None,
    row_version: int | None = None,
) -> Membership:
    """Change what is named of a membership. What is not, stays; departments only with a supervisor.

    Raises as add_member; Conflict unless ``row_version`` (where one is given) is the row's own now.
    """
    require(user, Act.MANAGE, membership.project)
    with changing(Project, [membership.project_id], actor=user):
        _lock(membership.project)
        now = Membership.objects.filter(pk=membership.pk).select_related("user", "project").first()
        if now is None:
            told = _("somebody else has taken this member out of the project")
            raise Conflict(Problem("user", membership.user.get_username(), told, code="gone"))
        if row_version is not None and now.row_version != row_version:
            told = _("this membership is at version %d now; read it again, then repeat your change")
            raise Conflict(Problem("row_version", str(row_version), told % now.row_version, code="stale"))
        wanted = now.role if role is None else role
        kept = now.departments if wanted == Role.SUPERVISOR else ()
        return add_member(
            project=now.project,
            member=now.user,
            role=wanted,
            departments=kept if departments is None else departments,
            user=user,
        )


def remove_member(membership: Membership, *, user: User) -> bool:
    """Take somebody out of a project, and their shots from them; False if somebody else did.

    Raises NotAllowed unless ``user`` manages the project; Refused for its last admin.
    """
    project, member = membership.project, membership.user
    require(user, Act.MANAGE, project)
    with changing(Project, [project.pk], actor=user):
        _lock(project)
        _keep_an_admin(project, member, "")
        count, _rows = Membership.objects.filter(pk=membership.pk).delete()
        member_left.send(Membership, project=project, member=member)
    if count:
        logger.info("member removed", extra={"project": project.code, "member": member.get_username()})
    return bool(count)


def _lock(project: Project) -> None:
    """The project's row is the lock: two admins may not demote each other at once."""
    Project.objects.select_for_update().get(pk=project.pk)


def _read(role: str, departments: Sequence[str]) -> list[str]:
    """Return the departments in the order of the stages. Raises Refused with what is wrong."""
    problems = []
    if role not in Role.values:
        told = _("choose one of: %s") % ", ".join(Role.values)
        problems.append(Problem("role", role, told, code="unknown_role"))
    elif departments and role != Role.SUPERVISOR:
        told = _("only supervisors have departments; leave them out for the role “%s”") % Role(role).label
        problems.append(Problem("departments", ", ".join(departments), told, code="no_departments"))
    told = _("no such department; choose of: %s") % ", ".join(Stage.values)
    problems += [
        Problem(f"departments[{place}]", name, told, code="unknown_department")
        for place, name in enumerate(departments)
        if name not in Stage.values
    ]
    if problems:
        raise Refused(*problems)
    return [stage.value for stage in Stage if stage in departments]


def _keep_an_admin(project: Project, member: User, role: str) -> None:
    """Somebody deactivated can look after nothing: an admin who can must be left."""
    admins = Membership.objects.filter(project=project, role=Role.ADMIN)
    was_admin = admins.filter(user=member).exists()
    others = admins.exclude(user=member).filter(user__is_active=True)
    if role != Role.ADMIN and was_admin and not others.exists():
        told = _("%(user)s is the only admin of %(project)s; make somebody else admin first.")
        told %= {"user": member.get_username(), "project": project.code}
        raise Refused(Problem("role", role, told, code="last_admin"))
