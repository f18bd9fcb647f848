"""What was done to many shots at once, and how it is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import ngettext

from apps.accounts.models import User
from apps.ledger.models import Batch
from apps.ledger.services.batching import open_batch


@dataclass(frozen=True)
class Done:
    """How many shots changed, and the bulk changes that take it back: one for each project."""

    count: int
    batches: tuple[UUID, ...] = ()


@contextmanager
def as_one(project: UUID, *, user: User, shots: int, what: str, verb: str = "changed") -> Iterator[Batch]:
    """Hand out the batch that a change of so many shots of a project is made as; none is left where nothing
    changed.
    """
    title = ngettext("%(count)d shot: %(names)s", "%(count)d shots: %(names)s", shots)
    with transaction.atomic():
        batch = open_batch(
            project=project, actor=user, title=title % {"count": shots, "names": what}, verb=verb
        )
        yield batch
        if not batch.activities.exists():
            batch.delete()
