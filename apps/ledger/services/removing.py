"""Take objects away, unless something was made of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db.models import SET_NULL, Count, Model
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Problem, Refused
from apps.ledger.documents import Document, document_of
from apps.ledger.services.recording import changing
from apps.ledger.services.versions import claim


def users_of(document: Document, keys: Collection[Any]) -> dict[Any, str]:
    """Say of each object what else stands on it ("3 takes, 1 job"); those that nothing needs are left out.

    Objects that are asked about may stand on each other: that alone keeps none of them. A query for each kind
    of row that may point there, however many objects are asked about.
    """
    found: dict[Any, list[str]] = defaultdict(list)
    together: dict[Any, list[Any]] = defaultdict(list)
    own = {children.model for children in document.children.values()}
    for relation in document.model._meta.related_objects:
        model = relation.related_model
        if model in own or relation.on_delete is SET_NULL or relation.many_to_many:
            continue
        if relation.get_accessor_name() in document.goes_with:
            continue
        name = relation.field.name
        rows = model._default_manager.filter(**{f"{name}__in": keys}).order_by()
        if model is document.model:
            for key, held in rows.filter(pk__in=keys).values_list("pk", f"{name}_id"):
                together[key].append(held)
            rows = rows.exclude(pk__in=keys)
        for key, count in rows.values_list(f"{name}_id").annotate(Count("pk")):
            found[key].append(_counted(model, count))
    _keep_together(document.model, found, together)
    return {key: ", ".join(told) for key, told in found.items()}


def _keep_together(
    model: type[Model], found: dict[Any, list[str]], together: Mapping[Any, Iterable[Any]]
) -> None:
    """What stays keeps what it stands on."""
    staying = list(found)
    while staying:
        for held in together.get(staying.pop(), ()):
            if held not in found:
                staying.append(held)
                found[held].append(_counted(model, 1))


def _counted(model: type[Model], count: int) -> str:
    return f"{count} {model._meta.verbose_name if count == 1 else model._meta.verbose_name_plural}"


def remove(row: Any, *, user: User | None, row_version: int) -> None:
    """Delete an object that nothing stands on, and remember what it was. The caller has judged the role.

    Raises Refused, saying what needs it; Stale.
    """
    document = document_of(type(row))
    with changing(type(row), [row.pk], actor=user):
        claim(row, row_version)
        needed = users_of(document, [row.pk])
        if needed:
            raise Refused(Problem("", str(row), in_use(needed[row.pk]), code="in_use"))
        row.delete()


def in_use(told: str) -> str:
    """Say why something stays."""
    return _("it is needed by %(what)s") % {"what": told}
