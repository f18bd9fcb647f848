"""Who belongs to a project: let people in, change what they are, take them out. The last admin stays."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Final

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Changed, Conflict, Problem, Refused, Stale
from apps.ledger.selectors import history_of
from apps.ledger.services.recording import changing
from apps.projects.models import Membership, Project
from apps.projects.roles import Act, Role
from apps.projects.selectors import require
from apps.projects.signals import member_left
from apps.projects.stages import Stage

logger = logging.getLogger(__name__)

_LOOKED_BACK: Final = 200
"""Changes of a project among which the last one of a member is looked for."""


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
            member_left.send(Membership, project=project, member=member, actor=user)
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
    row_version: int,
) -> Membership:
    """Change what is named of a membership. What is not, stays; departments only with a supervisor.

    Raises as add_member; Stale unless ``row_version`` is the row's own now, Conflict if it is gone.
    """
    require(user, Act.MANAGE, membership.project)
    with changing(Project, [membership.project_id], actor=user):
        _lock(membership.project)
        now = _as_read(membership, row_version)
        if now is None:
            told = _("somebody else has taken this member out of the project")
            raise Conflict(Problem("user", membership.user.get_username(), told, code="gone"))
        wanted = now.role if role is None else role
        kept = now.departments if wanted == Role.SUPERVISOR else ()
        return add_member(
            project=now.project,
            member=now.user,
            role=wanted,
            departments=kept if departments is None else departments,
            user=user,
        )


def remove_member(membership: Membership, *, user: User, row_version: int) -> bool:
    """Take somebody out of a project, and their shots from them; False if somebody else did.

    Raises NotAllowed unless ``user`` manages the project; Refused for its last admin; Stale.
    """
    project, member = membership.project, membership.user
    require(user, Act.MANAGE, project)
    with changing(Project, [project.pk], actor=user):
        _lock(project)
        if _as_read(membership, row_version) is None:
            return False
        _keep_an_admin(project, member, "")
        Membership.objects.filter(pk=membership.pk).delete()
        member_left.send(Membership, project=project, member=member, actor=user)
    logger.info("member removed", extra={"project": project.code, "member": member.get_username()})
    return True


def _as_read(membership: Membership, version: int) -> Membership | None:
    """The membership as it is, None if it is gone. Raises Stale, saying who changed it since."""
    now = Membership.objects.filter(pk=membership.pk).select_related("user", "project").first()
    if now is None or now.row_version == version:
        return now
    raise Stale(sent=version, now=now.row_version, changed=tuple(_last_change(now)))


def _last_change(membership: Membership) -> Iterator[Changed]:
    who = membership.user.get_username()
    lately = history_of(Project, membership.project_id)[:_LOOKED_BACK]
    for activity in lately.only("changes", "actor", "at"):
        was, now = (
            [one for one in members or () if one["user"] == who]
            for members in activity.changes.get("members", ((), ()))
        )
        if was != now:
            yield Changed("members", was, now, activity.actor, activity.at)
            return


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
