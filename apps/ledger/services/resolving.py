"""Find the rows that documents name, many at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from apps.ledger.documents import OWN, Reference

Wanted = tuple[Any, str]
"""Within which row (the object's project, a character …; None for rows of the farm), and the words."""


class Resolver:
    """Keys by words. ``ask`` for all there are, then ``key`` gives each; one query for each kind of row."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, Any, str], Any] = {}

    def ask(self, reference: Reference, wanted: Iterable[Wanted]) -> None:
        """Look these up."""
        asked = set(wanted)
        if not asked:
            return
        rows = reference.model._default_manager.all()
        last = reference.by[-1]
        rows = rows.filter(**{f"{last}__in": {words.rpartition(reference.joined)[2] for _, words in asked}})
        if len(reference.by) == 1:
            rows = reference.model._default_manager.filter(**{f"{last}__in": {words for _, words in asked}})
        scopes = {scope for scope, _ in asked}
        if reference.within:
            rows = rows.filter(**{f"{reference.within}__in": scopes})
        if reference.own:
            own = Q(**{f"{reference.own}__in": scopes - {None}})
            rows = rows.filter(own | Q(**{f"{reference.own}__isnull": True}))
        names = [reference.within or reference.own] if reference.within or reference.own else []
        for key, *told in rows.values_list("pk", *names, *reference.steps):
            scope = told.pop(0) if names else None
            self._known[id(reference), scope, reference.words(told) or ""] = key

    def key(self, reference: Reference, scope: Any, words: str) -> Any:
        """Return the key of the row of these words, None if there is none."""
        own = reference.own and words.startswith(OWN)
        return self._known.get((id(reference), scope if reference.within or own else None, words))


def by_reference(asked: Iterable[tuple[Reference, Wanted]]) -> Iterable[tuple[Reference, set[Wanted]]]:
    """Gather what is asked of each reference."""
    gathered: dict[int, tuple[Reference, set[Wanted]]] = {}
    for reference, wanted in asked:
        gathered.setdefault(id(reference), (reference, set()))[1].add(wanted)
    return gathered.values()
