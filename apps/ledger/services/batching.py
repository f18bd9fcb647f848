"""Changes that are made, and taken back, as one."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.models import User
from apps.common.ids import uuid7
from apps.ledger.models import Batch
from apps.ledger.services.recording import name_of


def open_batch(
    *,
    project: UUID | None,
    actor: User | str | None,
    title: str,
    verb: str = "changed",
    key: UUID | None = None,
    undoes: Batch | None = None,
) -> Batch:
    """Begin a batch: hand it to each ``changing`` that belongs to it.

    ``title`` is what people read ("shots.xlsx", "42 shots: weather"). ``key``: for a batch that is known by
    a key already, such as an import's.
    """
    return Batch.objects.create(
        pk=key or uuid7(),
        project=project,
        actor=name_of(actor),
        verb=verb,
        title=title[:200],
        undoes=undoes,
    )
