"""Who may take what back, and what activity a person sees."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from apps.accounts.models import User
from apps.ledger.documents import document_named, documents
from apps.ledger.models import Activity, Batch
from apps.ledger.selectors import newest_batch
from apps.ledger.services.restoring import restore as _restore
from apps.ledger.services.undoing import Undone, undo
from apps.projects.models import Project
from apps.projects.roles import Act
from apps.projects.selectors import Person, may, projects_for, require, require_some


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
