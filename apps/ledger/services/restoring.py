"""Bring an object back to what it said after an earlier change."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.ledger.documents import Document, document_named
from apps.ledger.models import Activity
from apps.ledger.selectors import DELETED, values_at
from apps.ledger.services.putting import put

RESTORED: Final = "restored"


def restore(activity: Activity, *, user: User) -> int:
    """Put the object of an activity to what it said right after it; return how many fields that changes.

    An object that was deleted since is made again, under its key. What has a machine of its own (a status)
    stays. Raises Refused, in words, where something it named no longer exists; NotAllowed.
    """
    document = document_named(activity.kind)
    if document is None:
        raise Refused(Problem("", activity.label, _("such objects are no longer remembered"), code="gone"))
    key = document.model._meta.pk.to_python(activity.object_id)
    with transaction.atomic():
        if document.hold is not None:
            document.hold(activity.project)
        list(document.model._default_manager.filter(pk=key).select_for_update(no_key=True).values_list("pk"))
        rows = list(document.model._default_manager.filter(pk=key))
        document.permit(rows, user)
        wanted = values_at(activity)
        if wanted is None:
            told = _("this is the moment it was deleted; restore an earlier version")
            raise Refused(Problem("", activity.label, told, code="deleted"))
        differing = {
            name: value
            for name, value in differing_from(document, key, wanted).items()
            if name not in document.guarded or document.guarded[name](rows, user)
        }
        if not differing:
            raise Refused(Problem("", activity.label, _("it says so already"), code="same"))
        put(document, {key: differing}, user=user, verb=RESTORED, project=activity.project)
    return len(differing)


def bring_back(gone: Activity, *, user: User) -> None:
    """Make an object again, under its key, as it was when this activity deleted it.

    Raises Refused, in words, where something it named no longer exists or has taken its place; NotAllowed.
    """
    document = document_named(gone.kind)
    if document is None or gone.verb != DELETED:
        raise Refused(Problem("", gone.label, _("such objects are no longer remembered"), code="gone"))
    key = document.model._meta.pk.to_python(gone.object_id)
    with transaction.atomic():
        if document.hold is not None:
            document.hold(gone.project)
        values = {name: old for name, (old, _none) in gone.changes.items()}
        put(document, {key: values}, user=user, verb=RESTORED, project=gone.project)


def differing_from(document: Document, key: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """What would have to change for the object to say what is wanted; all of it if it is gone."""
    now = document.read([key]).get(key)
    if now is None:
        return wanted
    return {
        name: value
        for name, value in wanted.items()
        if name in now.values and now.values[name] != value and name not in document.steered
    }
