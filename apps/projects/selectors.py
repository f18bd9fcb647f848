"""Which projects a user sees, and what they may do there."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import NotAllowed
from apps.projects.models import Membership, Project
from apps.projects.roles import ACTS, ALLOWED, Act, roles_for

M = TypeVar("M", bound=Model)
Person = User | AnonymousUser


def projects_for(user: Person, act: Act = Act.VIEW) -> QuerySet[Project]:
    """Projects in which this user may do this. Superusers: all; nobody: none."""
    if isinstance(user, AnonymousUser) or not user.is_active:
        return Project.objects.none()
    if user.is_superuser:
        return Project.objects.all()
    roles = [role for role, acts in ALLOWED.items() if act in acts]
    memberships = Membership.objects.filter(user=user, role__in=roles)
    return Project.objects.filter(pk__in=memberships.values("project"))


def scoped(rows: QuerySet[M], user: Person, *, path: str = "project", act: Act = Act.VIEW) -> QuerySet[M]:
    """Narrow rows to the user's projects. ``path`` leads from the row to its project."""
    condition: dict[str, Any] = {f"{path}__in": projects_for(user, act)}
    return rows.filter(**condition)


def may(user: Person, act: Act, project: Project, *, shot: UUID | None = None, stage: str = "") -> bool:
    """Tell whether this user may do this in this project: to this shot, or to what this stage makes."""
    return projects_for(user, act).filter(pk=project.pk).exists()


def require(user: Person, act: Act, project: Project, *, shot: UUID | None = None, stage: str = "") -> None:
    """Raise NotAllowed, naming the roles that would do, unless the user may; see may()."""
    if not may(user, act, project, shot=shot, stage=stage):
        told = _("%(user)s may not %(act)s in %(project)s; that takes one of the roles: %(roles)s")
        roles = ", ".join(str(role.label) for role in roles_for(act))
        facts = {"user": user, "act": ACTS[act], "project": project.code, "roles": roles}
        raise NotAllowed(told % facts)


def require_each(user: Person, act: Act, projects: Collection[UUID]) -> None:
    """Raise NotAllowed, naming one of them, unless the user may do this in every one of these projects."""
    allowed = set(projects_for(user, act).filter(pk__in=projects).values_list("pk", flat=True))
    for project in Project.objects.filter(pk__in=set(projects) - allowed):
        require(user, act, project)


def may_not_open(user: Person) -> NotAllowed:
    """Say that this user opens no projects."""
    told = _("%(user)s may not open projects; that takes the permission %(permission)s")
    return NotAllowed(told % {"user": user, "permission": "projects.add_project"})
