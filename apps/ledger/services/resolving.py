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
        named = {words.removeprefix(OWN) if reference.own else words for _, words in asked}
        if len(reference.by) > 1:
            named = {words.rpartition(reference.joined)[2] for words in named}
        rows = reference.model._default_manager.filter(**{f"{reference.by[-1]}__in": named})
        scopes = {scope for scope, _ in asked}
        if reference.within:
            rows = rows.filter(**{f"{reference.within}__in": scopes})
        if reference.own:
            theirs = Q(**{f"{reference.own}__in": scopes - {None}})
            rows = rows.filter(theirs | Q(**{reference.own: None}))
        within = [reference.within] if reference.within else []
        for key, *told in rows.values_list("pk", *within, *reference.steps):
            scope = told.pop(0) if within else told[0] if reference.own else None
            self._known[id(reference), scope, reference.words(told) or ""] = key

    def key(self, reference: Reference, scope: Any, words: str) -> Any:
        """Return the key of the row of these words, None if there is none."""
        asks = reference.within or (reference.own and words.startswith(OWN))
        return self._known.get((id(reference), scope if asks else None, words))


def by_reference(asked: Iterable[tuple[Reference, Wanted]]) -> Iterable[tuple[Reference, set[Wanted]]]:
    """Gather what is asked of each reference."""
    gathered: dict[int, tuple[Reference, set[Wanted]]] = {}
    for reference, wanted in asked:
        gathered.setdefault(id(reference), (reference, set()))[1].add(wanted)
    return gathered.values()
