"""The farm has one clock: the database's. Node and web clocks decide nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import connection


def aware(told: datetime | str) -> datetime:
    """Read a time that a database returned to a raw query: SQLite keeps them as text, in UTC."""
    moment = datetime.fromisoformat(told) if isinstance(told, str) else told
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def database_now() -> datetime:
    """Return the database's current time, aware, in UTC."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT STRFTIME('%Y-%m-%d %H:%M:%f', 'NOW')")
            return datetime.fromisoformat(cursor.fetchone()[0]).replace(tzinfo=UTC)
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now.astimezone(UTC)
