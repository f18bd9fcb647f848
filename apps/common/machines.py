"""State machines: a table of legal moves, and the functions that make them, for one row or for many.

A move locks its row, judges its state and updates it under the caller's conditions; the row count tells
who won. If nothing moved, somebody else got there first, and that is an answer, not an error. The event
row is written in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.common.models import BaseModel, StateEvent


class IllegalMove(AssertionError):
    """The code asked for a move the machine's table does not have: a bug, never a user's fault."""


@dataclass(frozen=True)
class Machine:
    """A named machine. ``moves`` maps a state to the states it may go to; "" is birth.

    ``shade``: a foreign key of the moved row to rows that name shades of a state (``state``, ``is_default``).
    What comes into a state is of its default shade, or of none, unless the mover says which.
    """

    name: str
    field: str
    moves: Mapping[str, frozenset[str]]
    shade: str = ""

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
    with transaction.atomic(savepoint=False):
        # The row is locked before its state is judged: PostgreSQL would else judge an old snapshot. Its
        # key is not: whoever adds a row that points here (a clip to its keyframe) need not wait for us.
        # Nor is any other row: by the model's own order (an attempt's is its job's) that one would be joined,
        # and locked after ours, where everybody else locks it before.
        locked = rows.order_by("pk").select_for_update(no_key=True)
        source = locked.values_list(machine.field, flat=True).first()
        if source not in from_:
            return False
        moved = rows.filter(**(where or {})).update(
            **{**_entering(machine, type(row), to), **_named(type(row), changes or {})},
            row_version=F("row_version") + 1,
            updated_at=Now(),
        )
        if moved:
            record_event(
                machine, row.pk, from_state=source, to=to, actor=actor, reason=reason, story=story, data=data
            )
    return bool(moved)


def _named(model: type[models.Model], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Columns by the names of their fields: "status_id" is "status". No statement takes a column twice."""
    return {model._meta.get_field(name).name: value for name, value in changes.items()}


def _entering(machine: Machine, model: type[models.Model], to: str) -> dict[str, Any]:
    """The columns that say a state: the state itself, and its default shade where the machine has shades."""
    if not machine.shade:
        return {machine.field: to}
    shades: type[models.Model] = model._meta.get_field(machine.shade).remote_field.model  # type: ignore[union-attr]  # a foreign key
    default = shades._default_manager.filter(state=to, is_default=True).exclude(pk=to)
    return {machine.field: to, machine.shade: models.Subquery(default.values("pk")[:1])}


@dataclass(frozen=True, kw_only=True)
class Move:
    """One row's part in a common move. The fields are those of :func:`move`.

    ``where`` compares columns with plain values.
    """

    row: BaseModel
    actor: str
    reason: str = ""
    story: UUID | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)


def move_each(machine: Machine, moves: Sequence[Move], *, from_: tuple[str, ...], to: str) -> set[UUID]:
    """Move many rows of one table, each under its own conditions; return the keys of those that moved.

    The same columns change in every row. It takes a constant number of statements, and locks rows in the
    order of their keys, so that groups which meet never wait for each other crosswise.
    """
    machine.check(from_, to)
    if not moves:
        return set()
    rows: models.QuerySet[Any] = type(moves[0].row)._default_manager.filter(
        pk__in=[one.row.pk for one in moves]
    )
    asked = sorted({name for one in moves for name in one.where})
    with transaction.atomic(savepoint=False):
        locked = rows.order_by("pk").select_for_update(no_key=True)
        found = {
            key: (source, dict(zip(asked, values, strict=True)))
            for key, source, *values in locked.values_list("pk", machine.field, *asked)
        }
        won = [(one, found[one.row.pk][0]) for one in moves if _may_move(one, found, from_)]
        if won:
            _change(machine, [one for one, _ in won], to)
            _tell(
                StateEvent(
                    machine=machine.name,
                    subject=one.row.pk,
                    story=one.story or one.row.pk,
                    from_state=source,
                    to_state=to,
                    actor=one.actor,
                    reason=one.reason,
                    data=dict(one.data),
                )
                for one, source in won
            )
    return {one.row.pk for one, _ in won}


def _may_move(one: Move, found: Mapping[UUID, tuple[str, Mapping[str, Any]]], from_: tuple[str, ...]) -> bool:
    """Judge a locked row as an UPDATE's own conditions would."""
    if one.row.pk not in found:
        return False
    source, values = found[one.row.pk]
    return source in from_ and all(values[name] == value for name, value in one.where.items())


def _change(machine: Machine, moves: Sequence[Move], to: str) -> None:
    """Write the state and what all rows have in common in one statement, what differs in another."""
    model = type(moves[0].row)
    first = moves[0].changes
    common = {
        name: value for name, value in first.items() if all(one.changes[name] == value for one in moves)
    }
    model._default_manager.filter(pk__in=[one.row.pk for one in moves]).update(
        **{**_entering(machine, model, to), **_named(model, common)},
        row_version=F("row_version") + 1,
        updated_at=Now(),
    )
    own = [name for name in first if name not in common]
    if own:
        write_each(model, {one.row.pk: {name: one.changes[name] for name in own} for one in moves})


def write_each(
    model: type[BaseModel],
    rows: Mapping[UUID, Mapping[str, Any]],
    *,
    where: Mapping[UUID, Mapping[str, Any]] | None = None,
) -> None:
    """Set the same columns to plain values of each row's own, in one statement; foreign keys by their id.

    ``where``: columns that must still have these values, the same columns for every row.
    """
    if not rows:
        return
    keys = sorted(rows)
    key_name = model._meta.pk.attname
    asked = {key: {key_name: key, **(where[key] if where else {})} for key in keys}
    names, conditions = list(rows[keys[0]]), list(asked[keys[0]])
    setting = ", ".join(_equation(model, name) for name in names)
    finding = " AND ".join(_equation(model, name) for name in conditions)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {table} SET {setting} WHERE {finding}",  # noqa: S608 - names of columns are ours
            [
                [
                    *(_as_stored(model, name, rows[key][name]) for name in names),
                    *(_as_stored(model, name, asked[key][name]) for name in conditions),
                ]
                for key in keys
            ],
        )


def _equation(model: type[BaseModel], name: str) -> str:
    return f"{connection.ops.quote_name(str(_column(model, name).column))} = %s"


def _as_stored(model: type[BaseModel], name: str, value: Any) -> Any:
    return _column(model, name).get_db_prep_save(value, connection)


def _column(model: type[BaseModel], name: str) -> models.Field[Any, Any]:
    return next(column for column in model._meta.concrete_fields if name in (column.name, column.attname))


def move_all(
    machine: Machine, rows: models.QuerySet[Any], *, from_: tuple[str, ...], to: str, actor: str, reason: str
) -> int:
    """Move every row that is in one of ``from_``, in a constant number of statements; return how many."""
    machine.check(from_, to)
    with transaction.atomic(savepoint=False):
        found = rows.filter(**{f"{machine.field}__in": from_}).order_by("pk")
        found = found.select_for_update(of=("self",), no_key=True)
        sources = dict(found.values_list("pk", machine.field))
        rows.model._default_manager.filter(pk__in=sources).update(
            **_entering(machine, rows.model, to), row_version=F("row_version") + 1, updated_at=Now()
        )
        _tell(
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
    _tell(
        [
            StateEvent(
                machine=machine.name,
                subject=subject,
                story=story or subject,
                from_state=from_state,
                to_state=to,
                actor=actor,
                reason=reason,
                data=data or {},
            )
        ]
    )


_gathered: ContextVar[list[StateEvent] | None] = ContextVar("gathered_events", default=None)


@contextmanager
def events_together() -> Iterator[None]:
    """Write all events told inside in one statement at the end; use it within one transaction."""
    events: list[StateEvent] = []
    mark = _gathered.set(events)
    try:
        yield
    finally:
        _gathered.reset(mark)
    if events:
        _tell(events)


def _tell(events: Iterable[StateEvent]) -> None:
    gathered = _gathered.get()
    if gathered is None:
        StateEvent.objects.bulk_create(events)
    else:
        gathered.extend(events)
