"""State machines: a table of legal moves, and the one function that makes them.

A move locks its row, judges its state and updates it under the caller's conditions; the row count tells
who won. If nothing moved, somebody else got there first, and that is an answer, not an error. The event
row is written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.common.models import BaseModel, StateEvent


class IllegalMove(AssertionError):
    """The code asked for a move the machine's table does not have: a bug, never a user's fault."""


@dataclass(frozen=True)
class Machine:
    """A named machine. ``moves`` maps a state to the states it may go to; "" is birth."""

    name: str
    field: str
    moves: Mapping[str, frozenset[str]]

    @property
    def states(self) -> tuple[str, ...]:
        """Every state that appears in the table, in order of appearance."""
        seen: dict[str, None] = {}
        for source, targets in self.moves.items():
            for state in (source, *sorted(targets)):
                if state:
                    seen.setdefault(state)
        return tuple(seen)

    def check(self, sources: Iterable[str], to: str) -> None:
        """Raise IllegalMove unless every source may go to ``to``."""
        for source in sources:
            if to not in self.moves.get(source, frozenset()):
                raise IllegalMove(f"{self.name}: {source or 'birth'} → {to} is not in the table of moves")

    def constraint(self, name: str) -> models.CheckConstraint:
        """A database check constraint that knows the state names."""
        return models.CheckConstraint(condition=models.Q(**{f"{self.field}__in": self.states}), name=name)


def move(
    machine: Machine,
    row: BaseModel,
    *,
    from_: tuple[str, ...],
    to: str,
    actor: str,
    reason: str = "",
    story: UUID | None = None,
    data: dict[str, Any] | None = None,
    where: dict[str, Any] | None = None,
    changes: dict[str, Any] | None = None,
) -> bool:
    """Move a row; return False if another process got there first.

    ``where`` adds conditions (a token), ``changes`` sets columns with the state. The instance in hand
    is not touched: read it again.
    """
    machine.check(from_, to)
    rows: models.QuerySet[Any] = type(row)._default_manager.filter(pk=row.pk)
    with transaction.atomic():
        # The row is locked before its state is judged: PostgreSQL would else judge an old snapshot. Its
        # key is not: whoever adds a row that points here (a clip to its keyframe) need not wait for us.
        # Nor is any other row: by the model's own order (an attempt's is its job's) that one would be joined,
        # and locked after ours, where everybody else locks it before.
        locked = rows.order_by("pk").select_for_update(no_key=True)
        source = locked.values_list(machine.field, flat=True).first()
        if source not in from_:
            return False
        moved = rows.filter(**(where or {})).update(
            **{machine.field: to}, row_version=F("row_version") + 1, updated_at=Now(), **(changes or {})
        )
        if moved:
            record_event(
                machine, row.pk, from_state=source, to=to, actor=actor, reason=reason, story=story, data=data
            )
    return bool(moved)


def move_all(
    machine: Machine, rows: models.QuerySet[Any], *, from_: tuple[str, ...], to: str, actor: str, reason: str
) -> int:
    """Move every row that is in one of ``from_``, in a constant number of statements; return how many."""
    machine.check(from_, to)
    with transaction.atomic():
        found = rows.filter(**{f"{machine.field}__in": from_}).order_by("pk")
        found = found.select_for_update(of=("self",), no_key=True)
        sources = dict(found.values_list("pk", machine.field))
        rows.model._default_manager.filter(pk__in=sources).update(
            **{machine.field: to}, row_version=F("row_version") + 1, updated_at=Now()
        )
        StateEvent.objects.bulk_create(
            StateEvent(
                story=key,
                machine=machine.name,
                subject=key,
                from_state=source,
                to_state=to,
                actor=actor,
                reason=reason,
            )
            for key, source in sources.items()
        )
    return len(sources)


def record_event(
    machine: Machine,
    subject: UUID,
    *,
    to: str,
    actor: str,
    from_state: str = "",
    reason: str = "",
    story: UUID | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Write the event row of a move or of a birth."""
    StateEvent.objects.create(
        machine=machine.name,
        subject=subject,
        story=story or subject,
        from_state=from_state,
        to_state=to,
        actor=actor,
        reason=reason,
        data=data or {},
    )
