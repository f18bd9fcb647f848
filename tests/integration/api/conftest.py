"""A small film, everybody who may or may not touch it, and an HTTP client for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
from django.core.cache import cache
from knox.models import AuthToken
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from tests.factories import (
    LocationFactory,
    ProjectFactory,
    SequenceFactory,
    ShotFactory,
    UserFactory,
    members_of,
)

PEOPLE: Final = ("anonymous", "viewer", "artist", "coordinator", "admin", "outsider")

Client = Callable[[str], APIClient]


@pytest.fixture(autouse=True)
def _nobody_has_tried_to_log_in() -> None:
    cache.clear()


@pytest.fixture
def film(db: None) -> Project:
    """FROST, with SQ010 and a location."""
    project: Project = ProjectFactory.create(code="FROST")
    SequenceFactory.create(project=project, code="SQ010", order=10)
    LocationFactory.create(project=project, code="HARBOUR")
    return project


@pytest.fixture
def shots(film: Project) -> list[Shot]:
    """SQ010_SH0010 and SQ010_SH0020, ready to be rendered."""
    sequence = film.sequences.get()
    return [
        ShotFactory.create(sequence=sequence, code=code, order=order, status_id="ready")
        for order, code in ((10, "SH0010"), (20, "SH0020"))
    ]


@pytest.fixture
def people(film: Project) -> dict[str, User]:
    """One user for each role in the film, and one who belongs to another film."""
    users = members_of(film)
    users["outsider"] = UserFactory.create()
    return users


@pytest.fixture
def client_of(people: dict[str, User]) -> Client:
    """Make the client of somebody: their token goes with every request; anonymous has none."""

    def make(who: str) -> APIClient:
        client = APIClient()
        if who != "anonymous":
            _, token = AuthToken.objects.create(user=people[who])
            client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
        return client

    return make


@pytest.fixture
def coordinator(client_of: Client) -> APIClient:
    """The coordinator's client."""
    return client_of("coordinator")


def problem_of(response: Any, status: int) -> dict[str, Any]:
    """Check that an answer is a problem of this status, and return its body."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    stale = {"changed", "row_version"} if status == 409 and "changed" in body else set()
    assert set(body) == {"type", "title", "status", "detail", "errors"} | stale
    assert body["status"] == status
    return body


def only_error(response: Any, status: int) -> tuple[str, str, str]:
    """Return field, value and code of the one error a problem names."""
    (error,) = problem_of(response, status)["errors"]
    assert error["message"]
    return error["field"], error["value"], error["code"]
