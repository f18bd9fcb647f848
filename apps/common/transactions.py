"""The number of the database transaction that writes a row."""

from __future__ import annotations

from typing import Any

from django.db.models import BigIntegerField, Func


class TransactionNumber(Func):
    """PostgreSQL's 64-bit number of the current transaction; 0 on SQLite, where one writes at a time."""

    template = "(pg_current_xact_id()::text::bigint)"
    output_field = BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        """SQLite commits in the order of its keys: nothing needs telling apart."""
        return self.as_sql(compiler, connection, template="0", **extra)
