"""A film, people in every role, an operator, and a server that webhooks go to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from pytest_django import Settings

from apps.accounts.models import User
from apps.projects.models import Project
from tests.factories import (
    ProjectFactory,
    SequenceFactory,
    ShotFactory,
    UserFactory,
    members_of,
)
from tests.integration.notices.receiver import Receiver
from tests.integration.notices.scene import Teller


@pytest.fixture
def film(db: None) -> Project:
    """FROST."""
    project: Project = ProjectFactory.create(code="FROST")
    return project


@pytest.fixture
def shot(film: Project) -> Any:
    """A shot of the film."""
    return ShotFactory.create(sequence=SequenceFactory.create(project=film))


@pytest.fixture
def people(film: Project) -> dict[str, User]:
    """A member for each role, an operator without a project, an outsider, and root."""
    users = members_of(film)
    users["operator"] = UserFactory.create(username="operator", is_staff=True)
    users["operator"].user_permissions.add(Permission.objects.get(codename="change_node"))
    users["outsider"] = UserFactory.create(username="outsider", is_staff=True)
    users["root"] = UserFactory.create(username="root", is_staff=True, is_superuser=True)
    return users


@pytest.fixture
def coordinator(people: dict[str, User]) -> User:
    """Who presses Render."""
    return people["coordinator"]


@pytest.fixture
def tell(db: None) -> Teller:
    """Announce what happened since the last time."""
    return Teller()


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    """A real HTTP server on the loopback, and a farm that may send there."""
    settings.WEBHOOK_PRIVATE = True
    with Receiver() as server:
        yield server


@pytest.fixture
def mail_works(settings: Settings) -> None:
    """The farm sends mail (into django.core.mail.outbox)."""
    settings.MAIL_READY = True
