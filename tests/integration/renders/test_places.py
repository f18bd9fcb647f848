"""Staged places that are asked for: never in vain, never of work that would then stand still."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.nodes.models import Node
from apps.projects.models import Project
from apps.renders.models import Hold, Job, Limit, Priority, RenderBatch
from apps.renders.scheduling.supply import read_supply
from apps.renders.services import bus as farm_bus
from apps.renders.services import places
from apps.renders.services.control import prioritise
from apps.renders.services.dispatch import dispatch
from apps.renders.services.places import share_out
from apps.renders.states import JobState
from apps.workflows.models import WorkflowTemplate
from farm.contracts import Outcome, RenderOrder, Stage
from tests.broker_fixture import Broker
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, press

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]

Fill = Callable[[Hand], RenderOrder]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The attempts that nodes are asked to give up."""
    found: list[UUID] = []
    monkeypatch.setattr(farm_bus, "send_unstage", lambda attempt: found.append(attempt.pk))
    return found


@pytest.fixture
def fill(film: Project, coordinator: User) -> Fill:
    """Give a node two jobs; return the order that is staged behind the other."""

    def fill(hand: Hand) -> RenderOrder:
        for _ in range(2):
            press(film, coordinator, "sd15_t2i", key=f"fill{Job.objects.count()}")
        dispatch()
        running, staged = hand.claimed(), hand.claimed()
        hand.works_on(running, Stage.EXECUTING)
        hand.works_on(staged, Stage.STAGED)
        hand.reports()
        return staged

    return fill


def limited(template: str, most: int) -> Limit:
    limit = Limit.objects.create(name="licence", most=most)
    limit.templates.add(WorkflowTemplate.objects.get(slug=template))
    return limit


def urgent(film: Project, coordinator: User, template: str, key: str = "urgent") -> Job:
    job = press(film, coordinator, template, key=key)
    prioritise(job, priority=Priority.URGENT, user=coordinator)
    return job


def shared_out() -> int:
    now = database_now()
    return share_out(read_supply(now), now)


def test_urgent_work_that_a_limit_keeps_back_asks_nobody_to_make_way(
    node24: Hand, film: Project, coordinator: User, fill: Fill, asked: list[UUID]
) -> None:
    staged = fill(node24)
    limit = limited("flux_t2i", most=0)
    urgent(film, coordinator, "flux_t2i")
    assert dispatch() == 0
    assert asked == [], "it could not use the place"
    Limit.objects.filter(pk=limit.pk).update(most=1)
    urgent(film, coordinator, "flux_t2i", key="another")
    assert dispatch() == 0
    assert asked == [UUID(staged.attempt_id)], "one of the two may start"


def test_staged_work_makes_way_for_urgent_work_under_the_same_full_limit(
    node24: Hand, film: Project, coordinator: User, fill: Fill, asked: list[UUID]
) -> None:
    staged = fill(node24)
    limited("sd15_t2i", most=2)
    job = urgent(film, coordinator, "sd15_t2i")
    assert dispatch() == 0
    assert asked == [UUID(staged.attempt_id)]
    node24.finishes(staged, node24.ended(staged, Outcome.CANCELLED))
    assert dispatch() == 1
    assert again(job).state == JobState.DISPATCHED


def test_one_round_asks_for_a_few_places_and_the_next_goes_on(
    node24: Hand,
    bus: Broker,
    film: Project,
    coordinator: User,
    fill: Fill,
    asked: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "MOST_ASKED", 1)
    staged = {fill(node24).attempt_id}
    staged.add(fill(Hand("other24", tier_gb=24, broker=bus).arrives()).attempt_id)
    for key in ("one", "two", "three"):
        urgent(film, coordinator, "sd15_t2i", key=key)
    assert dispatch() == 0
    assert len(asked) == 1
    assert dispatch() == 0
    assert {str(key) for key in asked} == staged
    assert dispatch() == 0
    assert len(asked) == 2, "nobody is asked again at once"


def pause_farm(_job: Job) -> None:
    Hold.objects.create(scope=Hold.FARM, by="mina")


def pause_tier(job: Job) -> None:
    Hold.objects.create(scope=str(job.tier_gb), by="mina")


def pause_film(job: Job) -> None:
    Project.objects.filter(pk=job.project_id).update(paused=True, paused_by="mina")


def pause_batch(job: Job) -> None:
    RenderBatch.objects.filter(pk=job.batch_id).update(paused=True)
    Job.objects.filter(pk=job.pk).update(held=True)


@pytest.mark.parametrize("paused", [pause_farm, pause_tier, pause_film, pause_batch])
def test_what_is_staged_goes_on_where_it_is_while_it_is_paused_although_a_card_idles(
    node24: Hand, bus: Broker, fill: Fill, asked: list[UUID], paused: Callable[[Job], None]
) -> None:
    staged = fill(node24)
    Hand("other24", tier_gb=24, broker=bus).arrives()
    assert Node.objects.count() == 2
    paused(Job.objects.get(pk=staged.job_id))
    assert shared_out() == 0
    assert asked == []
    Hold.objects.all().delete()
    Project.objects.update(paused=False)
    Job.objects.update(held=False)
    assert shared_out() == 1
    assert asked == [UUID(staged.attempt_id)]
