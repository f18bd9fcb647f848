"""Who may take what back, and what activity a person sees."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Conflict, NotAllowed, Problem, Refused
from apps.ledger.documents import Document, document_named, documents
from apps.ledger.models import Activity, Batch
from apps.ledger.selectors import DELETED, history_of, newest_batch
from apps.ledger.services.restoring import bring_back as _bring_back
from apps.ledger.services.restoring import restore as _restore
from apps.ledger.services.undoing import Undone, undo
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import Person, may, projects_for, require, require_some

RETURNING: Final = frozenset(
    {
        *("episode", "sequence", "location", "shot", "character", "automation"),
        *("preset_category", "preset", "preset_override", "look", "preset_rule"),
    }
)
"""Kinds that are made again from what is remembered of them: it says all there was."""


def activity_for(user: Person) -> QuerySet[Activity]:
    """The activity a person sees: of the projects they read, and of what all projects share; of what managers
    alone see, what they manage."""
    rows = Activity.objects.filter(_seen(user))
    if isinstance(user, User) and user.is_superuser:
        return rows
    kinds = [document.kind for document in documents() if document.managed]
    return rows.filter(~Q(kind__in=kinds) | Q(project__in=projects_for(user, Act.MANAGE).values("pk")))


def batches_for(user: Person) -> QuerySet[Batch]:
    """The bulk changes a person sees, newest first."""
    return Batch.objects.filter(_seen(user)).order_by("-id")


def undo_batch(batch: Batch, *, user: User, overwrite: bool = False) -> Undone:
    """Take a bulk change back; its author may, and who manages the project. Raises Refused, NotAllowed."""
    if batch.project is not None:
        project = Project.objects.get(pk=batch.project)
        if batch.actor == user.get_username():
            require_some(user, Act.PLAN, project)
        else:
            require(user, Act.MANAGE, project)
    return undo(batch, user=user, overwrite=overwrite)


def may_undo(batch: Batch, user: User) -> bool:
    """Tell whether the person may take this bulk change back."""
    if batch.actor == user.get_username() or user.is_superuser:
        return True
    project = Project.objects.filter(pk=batch.project).first() if batch.project else None
    return project is not None and may(user, Act.MANAGE, project)


def last_batch_of(user: User, project: UUID) -> Batch | None:
    """The bulk change that “undo the last one” would take back: a person's own."""
    return newest_batch(project, actor=user.get_username())


def restore(activity: Activity, *, user: User) -> int:
    """Bring an object back to what it said after an activity; return how many fields that changes.

    Raises NotAllowed for activity of projects the person does not read, Refused; see the ledger.
    """
    if activity.project is not None:
        require(user, Act.VIEW, Project.objects.get(pk=activity.project))
    return _restore(activity, user=user)


def bring_back(deletion: Activity, *, user: User) -> Activity:
    """Make what this activity deleted again, under its key, as it was; return the activity of that.

    Raises NotAllowed for who may not make such a thing; Conflict if it stands there again; Refused for what
    is no deletion, and in words where something it named no longer exists or has taken its place.
    """
    document = document_named(deletion.kind)
    if deletion.project is not None:
        require(user, Act.VIEW, Project.objects.get(pk=deletion.project))
    if document is None or deletion.kind not in RETURNING:
        told = _("such an object is not made again")
        raise Refused(Problem("", deletion.label, told, code="not_made_again"))
    document.permit([_as_new(document, deletion)], user)
    if deletion.verb != DELETED:
        told = _("this deleted nothing; an earlier version is restored in the object's own history")
        raise Refused(Problem("", deletion.label, told, code="no_deletion"))
    if document.model._default_manager.filter(pk=deletion.object_id).exists():
        raise Conflict(Problem("", deletion.label, _("it stands there again"), code="there"))
    _bring_back(deletion, user=user)
    return history_of(document.model, deletion.object_id)[0]


def returning(rows: Iterable[Activity], user: User) -> set[int]:
    """The keys of those of these activities whose object the person may make again: it is gone.

    A query for each kind of object that is among them, and one for each right in each project.
    """
    by_kind: dict[str, dict[UUID | None, list[Activity]]] = {}
    for row in rows:
        if row.verb == DELETED and row.kind in RETURNING:
            by_kind.setdefault(row.kind, {}).setdefault(row.project, []).append(row)
    found: set[int] = set()
    for kind, by_project in by_kind.items():
        document = document_named(kind)
        if document is None:
            continue
        keys = [row.object_id for some in by_project.values() for row in some]
        there = document.model._default_manager.filter(pk__in=keys).values_list("pk", flat=True)
        stands = {str(key) for key in there}
        for some in by_project.values():
            gone = {row.pk for row in some if row.object_id not in stands}
            found |= gone if gone and _permitted(document, some[0], user) else set()
    return found


def _permitted(document: Document, deletion: Activity, user: User) -> bool:
    try:
        document.permit([_as_new(document, deletion)], user)
    except (NotAllowed, Refused):
        return False
    return True


def _as_new(document: Document, deletion: Activity) -> Any:
    return document.model(pk=deletion.object_id, project_id=deletion.project)


def address_of(activity: Activity) -> tuple[str, str] | None:
    """Return app and model of the object's page; None if there are no such objects any more."""
    document = document_named(activity.kind)
    if document is None:
        return None
    return document.model._meta.app_label, str(document.model._meta.model_name)


def _seen(user: Person) -> Q:
    if isinstance(user, User) and user.is_superuser and user.is_active:
        return Q()
    return Q(project__in=projects_for(user).values("pk")) | Q(project=None)
