"""Change an object unless somebody else changed it meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import F, Model
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from apps.accounts.models import User
from apps.common.errors import Changed, Conflict, Problem, Stale
from apps.common.models import BaseModel
from apps.common.validation import clean
from apps.ledger.documents import document_of
from apps.ledger.selectors import steps_since
from apps.ledger.services.recording import CHANGED, changing


def claim(row: Model, sent: int, **columns: Any) -> None:
    """Write columns of a row if it still is at the version somebody read; it is at the next one then.

    One conditional UPDATE. Raises Stale with what others changed since; Conflict if it is gone.
    """
    rows = type(row)._default_manager.filter(pk=row.pk)
    if isinstance(row, BaseModel):
        columns["updated_at"] = Now()
    if rows.filter(row_version=sent).update(**columns, row_version=F("row_version") + 1):
        return
    raise Stale(sent=sent, now=_version_of(row), changed=_changed_since(row, sent))


@contextmanager
def at_version(row: Model, sent: int, *, user: User | None, verb: str = CHANGED) -> Iterator[None]:
    """Change or delete a row, with what belongs to it, if it still is at the version somebody read.

    The instance in hand is read again first. What the block does is remembered as one change. Raises Stale,
    Conflict; then nothing was changed.
    """
    with changing(type(row), [row.pk], actor=user, verb=verb):
        claim(row, sent)
        row.refresh_from_db()
        yield


def require_unchanged(row: Model, sent: int, *fields: str) -> None:
    """Raise Stale where somebody changed one of these fields after the version that was read, or there was
    no such version yet; Conflict if the row is gone.

    What they changed elsewhere is no matter. For fields that have a service of their own, without
    :func:`claim`: call it where the row is locked.
    """
    now = _version_of(row)
    changed = tuple(one for one in _changed_since(row, sent) if one.field in fields)
    if changed or sent > now:
        raise Stale(sent=sent, now=now, changed=changed)


def _version_of(row: Model) -> int:
    rows = type(row)._default_manager.filter(pk=row.pk)
    now: int | None = rows.values_list("row_version", flat=True).first()
    if now is None:
        raise Conflict(Problem("", str(row), _("somebody deleted this meanwhile"), code="gone"))
    return now


def _changed_since(row: Model, sent: int) -> tuple[Changed, ...]:
    steps = steps_since(document_of(type(row)), row.pk, sent)
    return tuple(Changed(step.field, step.old, step.new, step.who, step.at) for step in steps)


def revise(row: Model, *, user: User | None, row_version: int, verb: str = CHANGED, **columns: Any) -> None:
    """Check and change an object's own columns, and remember it. The caller has judged the role.

    The instance in hand is not touched: read it again. Raises Stale, or Refused with what is wrong.
    """
    edited = type(row)._default_manager.get(pk=row.pk)
    for name, value in columns.items():
        setattr(edited, name, value)
    clean(edited)
    with changing(type(row), [row.pk], actor=user, verb=verb):
        claim(row, row_version, **columns)
