"""Human codes that never collide, however many people create rows at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db import connection

from apps.common.models import CodeCounter

_AT_ONCE = 200
_UPSERT = """
    INSERT INTO {table} (scope, kind, value) VALUES (%s, %s, %s)
    ON CONFLICT (scope, kind) DO UPDATE SET value = {table}.value + EXCLUDED.value
    RETURNING value
"""


def next_number(*, scope: UUID, kind: str, step: int = 1) -> int:
    """Hand out the next number of this kind in this scope, in one statement: no two callers share one."""
    table = connection.ops.quote_name(CodeCounter._meta.db_table)
    scope_value = CodeCounter._meta.get_field("scope").get_db_prep_value(scope, connection)
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT.format(table=table), [scope_value, kind, step])
        row = cursor.fetchone()
    return int(row[0])


def next_numbers(kind: str, wanted: Mapping[UUID, int]) -> dict[UUID, int]:
    """Reserve ``wanted`` numbers in each scope; return the last one of each. One statement per 200 scopes."""
    last: dict[UUID, int] = {}
    table = connection.ops.quote_name(CodeCounter._meta.db_table)
    field = CodeCounter._meta.get_field("scope")
    scopes = sorted(wanted)  # one order for everybody: no two callers wait for each other
    with connection.cursor() as cursor:
        for start in range(0, len(scopes), _AT_ONCE):
            some = scopes[start : start + _AT_ONCE]
            values = ", ".join(["(%s, %s, %s)"] * len(some))
            parameters: list[Any] = []
            for scope in some:
                parameters += [field.get_db_prep_value(scope, connection), kind, wanted[scope]]
            statement = _UPSERT.replace("(%s, %s, %s)", values).format(table=table)
            cursor.execute(statement.replace("RETURNING value", "RETURNING scope, value"), parameters)
            last |= {_as_uuid(scope): int(value) for scope, value in cursor.fetchall()}
    return last


def last_numbers(kind: str, scopes: Iterable[UUID]) -> dict[UUID, int]:
    """Read the last number handed out in each of these scopes, if any; nothing is reserved."""
    rows = CodeCounter.objects.filter(kind=kind, scope__in=list(scopes))
    return dict(rows.values_list("scope", "value"))


def _as_uuid(stored: object) -> UUID:
    return stored if isinstance(stored, UUID) else UUID(str(stored))


def at_least(*, scope: UUID, kind: str, value: int) -> None:
    """Move a counter up to ``value``, so that codes typed by people are not handed out again."""
    counter, _ = CodeCounter.objects.get_or_create(scope=scope, kind=kind, defaults={"value": value})
    CodeCounter.objects.filter(pk=counter.pk, value__lt=value).update(value=value)
