"""Which database errors are two transactions that met, and which are the database's own trouble."""

from __future__ import annotations

import psycopg
import pytest
from django.db import Error, InterfaceError, OperationalError

from apps.common.collisions import again_after_collision, collision


def raised(error: Error, cause: Exception | None = None) -> Error:
    """The error as Django raises it: with the driver's own as its cause."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (raised(OperationalError("x"), psycopg.errors.DeadlockDetected("x")), "deadlock"),
        (raised(OperationalError("x"), psycopg.errors.SerializationFailure("x")), "serialization failure"),
        (raised(OperationalError("x"), psycopg.errors.LockNotAvailable("x")), "lock timeout"),
        (OperationalError("database is locked"), "lock timeout"),
        (raised(OperationalError("gone"), psycopg.errors.AdminShutdown("gone")), ""),
        (OperationalError("connection refused"), ""),
        (InterfaceError("the connection is closed"), ""),
        (ValueError("database is locked"), ""),
    ],
)
def test_only_what_ended_a_transaction_for_another_is_a_collision(error: Exception, name: str) -> None:
    assert collision(error) == name


@pytest.mark.django_db(transaction=True)
def test_work_that_goes_on_colliding_is_given_up_and_each_time_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tried = []

    def work(name: str) -> None:
        tried.append(name)
        raise OperationalError("database is locked")

    with pytest.raises(OperationalError):
        again_after_collision(work, tries=3)("a tick")
    assert tried == ["a tick"] * 3
    assert [(vars(row)["what"], vars(row)["again"]) for row in caplog.records] == [
        ("lock timeout", True),
        ("lock timeout", True),
        ("lock timeout", False),
    ]
