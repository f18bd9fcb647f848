"""/healthz and /readyz."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings


def test_healthz_answers_without_asking_the_database(client: Client) -> None:
    answer = client.get("/healthz")  # no database mark: a query would fail this test
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_names_the_broker_when_it_is_down(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://:hunter2@127.0.0.1:1/0"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "down", "database": "ok", "broker": "down (ConnectionError)"}


@pytest.mark.django_db
def test_readyz_names_the_database_when_it_is_down(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("could not connect to server at 10.0.0.5")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "down (OperationalError)"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_only_read(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
