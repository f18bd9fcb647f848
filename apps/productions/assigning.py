"""Who works on which shot. An artist plans and renders the shots assigned to them, and no others."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import require_unchanged
from apps.productions.done import Done, as_one
from apps.productions.locking import require_all_unlocked, require_unlocked
from apps.productions.models import Shot
from apps.projects.models import Membership, Project
from apps.projects.roles import Act, Role
from apps.projects.selectors import assigned_to, require, require_rows

logger = logging.getLogger(__name__)

MOST_SHOTS: Final = 2_000
"""Shots that are assigned at once."""
SHOWN_NAMES: Final = 30
ME: Final = "me"
NOBODY: Final = "none"


def assignable(project: Project) -> QuerySet[User]:
    """The people to whom shots of a project may be assigned: its active members, clients aside, by name."""
    members = Membership.objects.filter(project=project).exclude(role=Role.CLIENT)
    return User.objects.filter(is_active=True, pk__in=members.values("user")).order_by("username")


def assigned(shots: QuerySet[Shot], whom: str, *, reader: User) -> QuerySet[Shot]:
    """Narrow shots to those assigned to somebody by user name, to the reader (ME), or to nobody (NOBODY).

    The database looks it up: however many shots there are, no key of them is read.
    """
    if whom == NOBODY:
        return shots.filter(assignees=None)
    if whom == ME:
        return shots.filter(pk__in=assigned_to(reader))
    return shots.filter(pk__in=_assignments.filter(user__username=whom).values("shot_id"))


def assign(shot: Shot, names: Sequence[str], *, user: User, row_version: int | None = None) -> bool:
    """Assign a shot to the people of these user names and nobody else; False if it is so already.

    Raises NotAllowed unless ``user`` plans the whole project, Refused for a locked shot and for who may not
    be assigned; Stale where somebody assigned others after ``row_version``, if it is named.
    """
    require(user, Act.PLAN, shot.project)
    wanted = _people(shot.project, names)
    with changing(Shot, [shot.pk], actor=user):
        require_unlocked(shot)
        if row_version is not None:
            require_unchanged(shot, row_version, "assignees")
        before = set(_assignments.filter(shot=shot.pk).values_list("user_id", flat=True))
        gone, new = before - wanted.keys(), wanted.keys() - before
        if not gone and not new:
            return False
        _assignments.filter(shot=shot.pk, user__in=gone).delete()
        _assignments.bulk_create([_Assignment(shot_id=shot.pk, user_id=person) for person in new])
        _changed([shot.pk])
    logger.info("shot assigned", extra={"shot": str(shot.pk), "to": sorted(names), "by": user.get_username()})
    return True


def assign_many(
    shots: QuerySet[Shot], *, user: User, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> Done:
    """Add people to shots of one project and take people off them, as one bulk change.

    It takes a constant number of statements. Raises NotAllowed unless ``user`` plans all of it; Refused for
    shots of several projects, too many at once, locked ones, and for who may not be assigned; then nothing
    was changed.
    """
    require_rows(user, Act.PLAN, shots)
    rows = dict(shots.order_by().values_list("pk", "project_id")[: MOST_SHOTS + 1])
    if len(rows) > MOST_SHOTS:
        told = _("assign at most %d shots at once; select fewer")
        raise Refused(Problem("shots", str(len(rows)), told % MOST_SHOTS, code="too_many"))
    projects = set(rows.values())
    if not projects:
        return Done(0)
    if len(projects) > 1:
        raise Refused(Problem("shots", "", _("choose shots of one project"), code="several_projects"))
    project = Project.objects.get(pk=projects.pop())
    wanted = _people(project, add, field="add")
    unwanted = set(User.objects.filter(username__in=remove).values_list("pk", flat=True)) - wanted.keys()
    what = str(Shot._meta.get_field("assignees").verbose_name)
    with (
        as_one(project.pk, user=user, shots=len(rows), what=what) as batch,
        changing(Shot, rows, actor=user, batch=batch),
    ):
        require_all_unlocked(rows)
        pairs = set(_assignments.filter(shot__in=rows).values_list("shot_id", "user_id"))
        new = [(shot, person) for shot in rows for person in wanted if (shot, person) not in pairs]
        gone = {(shot, person) for shot, person in pairs if person in unwanted}
        changed = {shot for shot, _person in (*new, *gone)}
        _assignments.filter(shot__in=rows, user__in=unwanted).delete()
        _assignments.bulk_create([_Assignment(shot_id=shot, user_id=person) for shot, person in new])
        _changed(changed)
    logger.info("shots assigned", extra={"shots": len(changed), "by": user.get_username()})
    return Done(len(changed), (batch.pk,) if changed else ())


def hear_of_leaving(*, project: Project, member: User, actor: User | None, **_more: Any) -> None:
    """Whoever left a project works on none of its shots, and their history says so."""
    theirs = _assignments.filter(user=member, shot__project=project)
    with changing(Shot, theirs.values_list("shot_id", flat=True), actor=actor):
        theirs.delete()


def leave_out_strangers(shots: Collection[UUID]) -> None:
    """Take people off shots of whose project they are no (active) member: what is put back may name some."""
    members = Membership.objects.filter(project=OuterRef("shot__project"), user=OuterRef("user"))
    mine = Exists(members.filter(user__is_active=True).exclude(role=Role.CLIENT))
    _assignments.filter(shot__in=shots).exclude(mine).delete()


_Assignment: Any = Shot.assignees.through
_assignments: Any = _Assignment._default_manager


def _changed(shots: Collection[UUID]) -> None:
    Shot.objects.filter(pk__in=shots).update(row_version=F("row_version") + 1, updated_at=Now())


def _people(project: Project, names: Sequence[str], *, field: str = "users") -> dict[UUID, User]:
    """Find people by user name among those who may be assigned. Raises Refused for each who may not."""
    known = {person.username: person for person in assignable(project)}
    unknown = [(place, name) for place, name in enumerate(names) if name not in known]
    if unknown:
        shown = ", ".join(list(known)[:SHOWN_NAMES]) + (", …" if len(known) > SHOWN_NAMES else "")
        told = _("may not be assigned in %(project)s; those who may: %(known)s")
        told %= {"project": project.code, "known": shown or _("nobody")}
        raise Refused(
            *(Problem(f"{field}[{place}]", name, told, code="not_assignable") for place, name in unknown)
        )
    return {known[name].pk: known[name] for name in names}
