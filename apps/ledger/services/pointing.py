"""Objects that name rows which go: a shot names the costume that somebody takes away from a character."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.db.models import Model

from apps.accounts.models import User
from apps.ledger.documents import Document, documents
from apps.ledger.models import Batch
from apps.ledger.services.recording import CHANGED, changing


def naming(model: type[Model], keys: Collection[Any]) -> dict[Any, tuple[Document, set[Any]]]:
    """For each of these rows the objects whose lists name it; a query for each list that may.

    key → how such objects are remembered, and their keys. What names its own rows is left out.
    """
    found: dict[Any, tuple[Document, set[Any]]] = {}
    if not keys:
        return found
    for document in documents():
        if any(children.model is model for children in document.children.values()):
            continue
        for children in document.children.values():
            for name, reference in children.references.items():
                if reference.model is not model:
                    continue
                rows = children.model._default_manager.filter(**{f"{name}__in": keys})
                for key, owner in rows.values_list(f"{name}_id", f"{children.parent}_id"):
                    found.setdefault(key, (document, set()))[1].add(owner)
    return found


@contextmanager
def going(
    model: type[Model],
    keys: Collection[Any],
    *,
    actor: User | str | None,
    verb: str = CHANGED,
    batch: Batch | Any = None,
) -> Iterator[None]:
    """Remember what the objects that name these rows say once the block has taken the rows away.

    Raises Refused where such an object may not be changed now (a locked shot), NotAllowed.
    """
    owners: dict[type[Model], tuple[Document, set[Any]]] = {}
    for document, some in naming(model, keys).values():
        owners.setdefault(document.model, (document, set()))[1].update(some)
    with ExitStack() as stack:
        for document, some in owners.values():
            if isinstance(actor, User):
                document.permit(list(document.model._default_manager.filter(pk__in=some)), actor)
            stack.enter_context(changing(document.model, some, actor=actor, verb=verb, batch=batch))
        yield
