"""Human codes that never collide, however many people create rows at once."""

from __future__ import annotations

from uuid import UUID

from django.db import connection

from apps.common.models import CodeCounter

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


def at_least(*, scope: UUID, kind: str, value: int) -> None:
    """Move a counter up to ``value``, so that codes typed by people are not handed out again."""
    counter, _ = CodeCounter.objects.get_or_create(scope=scope, kind=kind, defaults={"value": value})
    CodeCounter.objects.filter(pk=counter.pk, value__lt=value).update(value=value)
