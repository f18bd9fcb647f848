"""The engine with a real broker, and a hand that plays the GPU node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from apps.accounts.models import User
from apps.projects.models import Project
from apps.projects.roles import Role
from apps.renders.models import Job
from apps.renders.services.submit import Step, submit
from farm.celery import app
from tests.broker_fixture import Broker
from tests.factories import MembershipFactory, SequenceFactory, ShotFactory
from tests.integration.renders.hand import Hand


@pytest.fixture(scope="session")
def engine_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One broker for all engine tests of this process."""
    broker = Broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.stop()


@pytest.fixture
def bus(engine_broker: Broker, settings: Settings, artifact_root: Path) -> Iterator[Broker]:
    """The coordinator's Celery app and the engine speak to an empty broker."""
    engine_broker.lose_everything()
    settings.REDIS_URL = engine_broker.url
    settings.SIMULATED_ALLOWED = True
    before = (app.conf.broker_url, app.conf.result_backend)
    point_celery(engine_broker.url, engine_broker.url)
    yield engine_broker
    point_celery(*before)


def point_celery(broker_url: str, backend_url: str) -> None:
    """Make the app forget its connections and open others."""
    celery: Any = app  # its types leave the private parts out
    backend = backend_url if "+" in backend_url else f"farm.results:UnwatchedResults+{backend_url}"
    celery.conf.update(broker_url=broker_url, result_backend=backend)
    celery.close()
    celery.amqp._producer_pool = None  # it keeps its connection, whatever the app does
    celery._backend_cache = None
    vars(celery._local).pop("backend", None)


@pytest.fixture
def film(db: None) -> Project:
    """A project with one sequence, SQ010."""
    sequence = SequenceFactory.create(project__code="FROST", code="SQ010")
    return sequence.project


@pytest.fixture
def coordinator(film: Project) -> User:
    """Somebody who may render in the film."""
    return MembershipFactory.create(project=film, role=Role.COORDINATOR).user


@pytest.fixture
def job(film: Project, coordinator: User, templates: None) -> Job:
    """One job of 8 GB, submitted."""
    shot = ShotFactory.create(sequence=film.sequences.get())
    steps = [Step(template="sd15_t2i")]
    batch = submit(user=coordinator, project=film, shots=[shot], steps=steps, idempotency_key="k").batch
    made: Job = batch.jobs.get()
    return made


@pytest.fixture
def node24(bus: Broker, templates: None) -> Hand:
    """A reported, able, idle node of 24 GB."""
    return Hand("gpu24", tier_gb=24, broker=bus).arrives()


@pytest.fixture
def node8(bus: Broker, templates: None) -> Hand:
    """A reported, able, idle node of 8 GB."""
    return Hand("gpu8", tier_gb=8, broker=bus).arrives()


@pytest.fixture
def press(film: Project, coordinator: User) -> Any:
    """Submit ``count`` shots; return the jobs in order."""

    def press(count: int = 1, template: str = "sd15_t2i", **more: Any) -> list[Job]:
        shots = ShotFactory.create_batch(count, sequence=film.sequences.get())
        steps = [Step(template=template, **more)]
        key = f"k{Job.objects.count()}"
        batch = submit(user=coordinator, project=film, shots=shots, steps=steps, idempotency_key=key).batch
        return list(batch.jobs.order_by("code"))

    return press
