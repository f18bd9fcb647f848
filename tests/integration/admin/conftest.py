"""A studio with two films, people in every role, and a browser for each of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Attempt, Job
from apps.review.models import Take
from tests.factories import SequenceFactory, ShotFactory, UserFactory, members_of
from tests.integration.admin.rows import everything_of

Browser = Callable[[str], Client]


@dataclass(frozen=True)
class Film:
    """A project with one row of everything that belongs to it."""

    project: Project
    shot: Shot
    job: Job
    attempt: Attempt
    take: Take
    rows: dict[str, Any]


def _film(code: str) -> Film:
    shot = ShotFactory.create(sequence=SequenceFactory.create(project__code=code))
    rows = everything_of(shot)
    return Film(shot.project, shot, rows["job"], rows["attempt"], rows["take"], rows)


@pytest.fixture
def film(db: None) -> Film:
    """The film that the people of these tests work on."""
    return _film("FROST")


@pytest.fixture
def other_film(db: None) -> Film:
    """A film they have nothing to do with."""
    return _film("SECRET")


@pytest.fixture
def people(film: Film) -> dict[str, User]:
    """One member per role; "nobody" is staff without a project, "root" a superuser."""
    members = members_of(film.project)
    film.shot.assignees.add(members["artist"])
    return members | {
        "nobody": UserFactory.create(username="nobody", is_staff=True),
        "root": UserFactory.create(username="root", is_staff=True, is_superuser=True),
    }


@pytest.fixture
def as_(people: dict[str, User]) -> Browser:
    """Return somebody's browser, signed in."""

    def browser(who: str) -> Client:
        client = Client()
        client.force_login(people[who])
        return client

    return browser


@pytest.fixture(autouse=True)
def _tiers_are_looked_at_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait in a tier's line is remembered: a page asks as much the first time as ever."""
    monkeypatch.setattr("apps.renders.tierwaits.WAITS_S", 0)
