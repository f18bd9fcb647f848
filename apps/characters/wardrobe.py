"""Costumes that go while shots wear them: said first, then remembered with the shots, as one change."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.characters.models import Character, Costume
from apps.common.errors import Conflict, Problem
from apps.ledger.documents import Document
from apps.ledger.services.batching import open_batch
from apps.ledger.services.pointing import going, naming
from apps.ledger.services.recording import changing

NAMED: Final = 20
"""Shots that are named; of more it is said how many there are."""


class Worn(Conflict):
    """Costumes are worn in shots, and nobody has said that they may go all the same."""


@contextmanager
def taken_away(
    character: Character, costumes: Collection[Costume], *, user: User, undress: bool
) -> Iterator[None]:
    """Let the block take these costumes of a character away; shots that wear them are remembered with it.

    ``undress``: whether shots may lose what they wear. Raises Worn, naming the shots, unless they may;
    Refused where such a shot is locked.
    """
    worn = naming(Costume, [costume.pk for costume in costumes])
    if not worn:
        yield
        return
    if not undress:
        raise Worn(*(_problem(costume, *worn[costume.pk]) for costume in costumes if costume.pk in worn))
    names = ", ".join(costume.name for costume in costumes)
    title = _("%(character)s: without %(costumes)s") % {"character": character, "costumes": names}
    batch = open_batch(project=character.project_id, actor=user, title=title)
    with changing(Character, [character.pk], actor=user) as change:
        change.batch = change.batch or batch.pk
        with going(Costume, list(worn), actor=user, batch=change.batch):
            yield


def _problem(costume: Costume, document: Document, owners: set[Any]) -> Problem:
    labels = sorted(snapshot.label for snapshot in document.read(owners).values())
    named = ", ".join(labels[:NAMED]) + (" …" if len(labels) > NAMED else "")
    told = ngettext("%(count)d shot wears it: %(shots)s", "%(count)d shots wear it: %(shots)s", len(labels))
    return Problem("costumes", costume.name, told % {"count": len(labels), "shots": named}, code="worn")
