"""Which projects a user sees, and what they may do to what is there (the table: roles.py)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import NotAllowed
from apps.projects.models import Membership, Project
from apps.projects.roles import ACTS, EXTENTS, NOBODY, Act, Extent, Standing, reaches_all, roles_for
from apps.projects.stages import Stage

M = TypeVar("M", bound=Model)
Person = User | AnonymousUser
Standings = Mapping[UUID, Standing]


def projects_for(user: Person, act: Act = Act.VIEW) -> QuerySet[Project]:
    """Projects in which this user may do this, to something at least. Superusers: all; nobody: none."""
    if not isinstance(user, User) or not user.is_active:
        return Project.objects.none()
    if user.is_superuser:
        return Project.objects.all()
    memberships = Membership.objects.filter(user=user, role__in=roles_for(act))
    return Project.objects.filter(pk__in=memberships.values("project"))


def scoped(
    rows: QuerySet[M],
    user: Person,
    *,
    path: str = "project",
    act: Act = Act.VIEW,
    shot: str = "",
    stage: str = "",
) -> QuerySet[M]:
    """Narrow rows to those to which the user may do this.

    ``path`` leads from the row to its project, ``shot`` to its shot ("pk" where it is one), ``stage`` to
    its stage. Without them a right over assigned shots or departments covers none of the rows.
    """
    if reaches_all(act):  # one statement: no membership is read
        condition: dict[str, Any] = {f"{path}__in": projects_for(user, act)}
        return rows.filter(**condition)
    if not isinstance(user, User) or not user.is_active:
        return rows.none()
    if user.is_superuser:
        return rows
    return rows.filter(covered(standings_of(user), user, act, path=path, shot=shot, stage=stage))


def watched(rows: QuerySet[M], user: Person, *, shared: Q, path: str = "project") -> QuerySet[M]:
    """Narrow rows to what this user may look at: all of what they read; as a client what is ``shared``."""
    if isinstance(user, User) and user.is_superuser and user.is_active:
        return rows
    reads, watches = projects_for(user), projects_for(user, Act.WATCH)
    return rows.filter(Q(**{f"{path}__in": reads}) | (Q(**{f"{path}__in": watches}) & shared))


def covered(
    standings: Standings, user: User, act: Act, *, path: str = "project", shot: str = "", stage: str = ""
) -> Q:
    """The condition that a row is one to which a user of these standings may do this; see scoped."""
    wholly: list[UUID] = []
    assigned: list[UUID] = []
    departments: dict[frozenset[str], list[UUID]] = defaultdict(list)
    for project, standing in standings.items():
        extents = standing.extents(act)
        if Extent.ALL in extents:
            wholly.append(project)
            continue
        if Extent.ASSIGNED in extents and shot:
            assigned.append(project)
        if Extent.DEPARTMENT in extents and stage:
            departments[standing.departments].append(project)
    condition = Q(**{f"{path}__in": wholly})
    if assigned:
        mine = assigned_to(user)
        condition |= Q(**{f"{path}__in": assigned, f"{shot}__in": mine})
    for stages, projects in departments.items():
        condition |= Q(**{f"{path}__in": projects, f"{stage}__in": sorted(stages)})
    return condition


def assigned_to(user: User) -> QuerySet[Any]:
    """The keys of the shots that are assigned to this user: to be looked up by the database."""
    return user.assigned_shots.order_by().values("pk")


def key_at(row: Any, path: str) -> UUID | None:
    """Return the key that stands at the end of a path of foreign keys ("shot__project"; "pk" is its own)."""
    *way, last = path.split("__")
    for step in way:
        row = getattr(row, step)
    key: UUID | None = row.pk if last == "pk" else getattr(row, f"{last}_id")
    return key


def standings_of(user: User, project: Project | None = None) -> dict[UUID, Standing]:
    """What a user is in each of their projects (in this one, if one is named); one query."""
    rows = Membership.objects.filter(user=user)
    if project is not None:
        rows = rows.filter(project=project)
    return {
        key: Standing(role, frozenset(departments))
        for key, role, departments in rows.values_list("project_id", "role", "departments")
    }


def may(
    user: Person,
    act: Act,
    project: Project,
    *,
    shot: UUID | None = None,
    stage: str = "",
    shared: bool = False,
) -> bool:
    """Tell whether this user may do this in this project, to this shot, to something of this stage.

    ``shared``: it is part of what was shared with the client. Without ``shot`` and ``stage`` it is about
    the project at large, which takes a right that reaches everything (or every department).
    """
    if not isinstance(user, User) or not user.is_active:
        return False
    if user.is_superuser:
        return True
    standing = standings_of(user, project).get(project.pk)

    def assigned() -> bool:
        return shot is not None and assigned_to(user).filter(pk=shot).exists()

    return standing is not None and standing.may(act, stage=stage, assigned=assigned, shared=shared)


def require(
    user: Person,
    act: Act,
    project: Project,
    *,
    shot: UUID | None = None,
    stage: str = "",
    shared: bool = False,
) -> None:
    """Raise NotAllowed, saying what it would take, unless the user may; see may."""
    if not may(user, act, project, shot=shot, stage=stage, shared=shared):
        raise _refused(user, act, project)


def require_some(user: Person, act: Act, project: Project) -> None:
    """Raise NotAllowed unless the user may do this to something in this project: what, is judged later."""
    if not projects_for(user, act).filter(pk=project.pk).exists():
        raise _refused(user, act, project)


def require_each(user: Person, act: Act, projects: Collection[UUID]) -> None:
    """Raise NotAllowed, naming one of them, unless the user may do this to all there is in these projects."""
    for project in Project.objects.filter(pk__in=projects).order_by("code"):
        require(user, act, project)


def require_rows(
    user: Person, act: Act, rows: QuerySet[Any], *, path: str = "project", shot: str = "", stage: str = ""
) -> None:
    """Raise NotAllowed unless the user may do this to every one of these rows; see scoped for the paths."""
    beyond = rows.order_by()
    if isinstance(user, User) and user.is_active:
        if user.is_superuser:
            return
        standings = standings_of(user)
        if standings:
            beyond = beyond.exclude(covered(standings, user, act, path=path, shot=shot, stage=stage))
    project = beyond.values_list("pk" if path == "pk" else f"{path}__pk", flat=True).first()
    if project is not None:
        raise _refused(user, act, Project.objects.get(pk=project))


def require_shots(
    user: Person, act: Act, project: Project, *, shots: Iterable[UUID], stages: Iterable[str] = ()
) -> None:
    """Raise NotAllowed unless the user may do this to all these shots, making takes of these stages."""
    if may(user, act, project):
        return
    if isinstance(user, User) and user.is_active:
        standing = standings_of(user, project).get(project.pk, NOBODY)
        extents, of_stages, keys = standing.extents(act), set(stages), set(shots)
        if Extent.DEPARTMENT in extents and of_stages and of_stages <= standing.departments:
            return
        mine = assigned_to(user).filter(pk__in=keys)
        if Extent.ASSIGNED in extents and keys and mine.count() == len(keys):
            return
    raise _refused(user, act, project)


def _refused(user: Person, act: Act, project: Project) -> NotAllowed:
    """Say what it would take: another role, or that it were of one's own."""
    standing = standings_of(user, project).get(project.pk) if isinstance(user, User) else None
    facts = {"user": user, "act": ACTS[act], "project": project.code}
    extents = standing.extents(act) if standing is not None and user.is_active else frozenset()
    if standing is not None and extents:
        told = _("%(user)s may %(act)s in %(project)s only this: %(extents)s")
        return NotAllowed(told % {**facts, "extents": in_words(standing, act)})
    told = _("%(user)s may not %(act)s in %(project)s; that takes one of the roles: %(roles)s")
    roles = ", ".join(str(role.label) for role in roles_for(act))
    return NotAllowed(told % {**facts, "roles": roles})


def in_words(standing: Standing, act: Act) -> str:
    """How far a right reaches, such as "own departments (clip), assigned shots"."""
    words = []
    for extent in Extent:
        if extent not in standing.extents(act):
            continue
        names = ", ".join(str(stage.label) for stage in Stage if stage in standing.departments)
        words.append(f"{EXTENTS[extent]} ({names})" if extent is Extent.DEPARTMENT else str(EXTENTS[extent]))
    return ", ".join(words)


def may_not_open(user: Person) -> NotAllowed:
    """Say that this user opens no projects."""
    told = _("%(user)s may not open projects; that takes the permission %(permission)s")
    return NotAllowed(told % {"user": user, "permission": "projects.add_project"})
