"""A film, its coordinator, a shot, and a template that takes clips."""

from __future__ import annotations

import pytest

from apps.accounts.models import User
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.workflows.services import sync_templates
from tests.factories import MembershipFactory, SequenceFactory, ShotFactory
from tests.integration.renders.test_chains import GRAPH, MANIFEST
from workflows.load import template_from


@pytest.fixture
def templates(templates: None) -> None:
    """The packaged workflows are in the database, and one that starts from a clip."""
    sync_templates([template_from(GRAPH, MANIFEST)])


@pytest.fixture
def film(templates: None) -> Project:
    """A project with one sequence, SQ010."""
    return SequenceFactory.create(project__code="FROST", code="SQ010").project


@pytest.fixture
def coordinator(film: Project) -> User:
    """Somebody who may render and review in the film."""
    return MembershipFactory.create(project=film, role=Role.COORDINATOR).user


@pytest.fixture
def shot(film: Project) -> Shot:
    """SQ010_SH0010, with words to make a prompt of."""
    return ShotFactory.create(sequence=film.sequences.get(), code="SH0010")
