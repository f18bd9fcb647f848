"""What every test of a database begins with, made once and copied within the database: quicker by far.

What migrations seeded: Django truncates every table after a test that commits, and reads some five hundred
rows from JSON before the next, one by one. Here what holds rows is emptied, and the seeds are copied back
from tables beside them. The packaged templates: most tests of renders want them, and writing them takes
three hundred statements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from apps.workflows.models import WorkflowTemplate, WorkflowTemplateVersion
from apps.workflows.services import sync_templates


@contextmanager
def seeds_kept() -> Iterator[None]:
    """While this lasts, ``flush`` and ``serialized_rollback`` work as said above. The database is new."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    seeded = _holding_rows(tables)
    _keep(seeded)

    def emptied(style: Any, tables: Sequence[str], **hints: Any) -> list[str]:
        return [_emptying(table) for table in _holding_rows(tables)]

    def restored(serialized: str) -> None:
        _execute(map(_emptying, seeded))  # the first test that commits finds them there
        _bring_back(seeded)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection.ops, "sql_flush", emptied)
        patch.setattr(connection.creation, "deserialize_db_from_string", restored)
        yield


def templates_kept() -> Callable[[], None]:
    """Return what brings the packaged templates into a database without any, as sync_templates() does."""
    tables = [model._meta.db_table for model in (WorkflowTemplate, WorkflowTemplateVersion)]
    with transaction.atomic():
        sync_templates()
        _keep(tables)
        _execute(map(_emptying, tables))
    return lambda: _bring_back(tables)


def _holding_rows(tables: Iterable[str]) -> list[str]:
    asked = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {_quoted(table)})" for table in tables)  # noqa: S608  # Django's own names
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        return [table for (table,) in cursor.fetchall()]


def _keep(tables: Iterable[str]) -> None:
    _execute(f"CREATE TABLE {_kept(table)} AS SELECT * FROM {_quoted(table)}" for table in tables)  # noqa: S608  # Django's own names


def _bring_back(tables: Iterable[str]) -> None:
    _execute(f"INSERT INTO {_quoted(table)} SELECT * FROM {_kept(table)}" for table in tables)  # noqa: S608  # Django's own names


def _emptying(table: str) -> str:
    return f"DELETE FROM {_quoted(table)}"  # noqa: S608  # Django's own names


def _execute(statements: Iterable[str]) -> None:
    """Foreign keys are looked at when all is done."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _kept(table: str) -> str:
    return _quoted(f"kept_{table}")


def _quoted(table: str) -> str:
    return connection.ops.quote_name(table)
