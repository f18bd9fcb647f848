"""A farm that stands before every example: a film of three shots, people, three nodes, a clock in hand."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from apps.accounts.models import User
from apps.productions.services import create_shot
from apps.projects.models import Project
from tests.broker_fixture import Broker
from tests.factories import UserFactory
from tests.farm_time import FarmTime
from tests.integration.renders.hand import Hand
from tests.integration.renders.machines.road import TIERS, World


@pytest.fixture
def world(
    film: Project, coordinator: User, templates: None, bus: Broker, farm_time: FarmTime
) -> Iterator[World]:
    """Everybody has arrived; nothing was asked for yet."""
    for _ in range(2):
        create_shot(sequence=film.sequences.get(), user=None, description="A girl walks along the quay")
    for name, tier in TIERS.items():
        Hand(name, tier_gb=tier, broker=bus).arrives()
    operator = UserFactory.create(is_superuser=True)
    logging.disable()  # a soak would keep millions of lines
    yield World(film=film, coordinator=coordinator, operator=operator, broker=bus, time=farm_time)
    logging.disable(logging.NOTSET)
