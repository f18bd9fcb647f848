"""What got lost on the way is found and put right."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.materials.models import Material
from apps.nodes.models import Node
from apps.nodes.states import Observed
from apps.projects.models import Project
from apps.renders.models import Attempt, FarmClock, Job
from apps.renders.services.control import cancel
from apps.renders.services.dispatch import dispatch
from apps.renders.services.farmclock import give_grace
from apps.renders.services.sweep import MEDIA_PATIENCE, sweep
from apps.renders.states import AttemptState, JobState
from apps.review.models import Take
from farm import contracts
from farm.celery import app
from farm.contracts import RenderOrder, Stage
from farm.tiers import QUEUE_MEDIA
from tests.broker_fixture import Broker
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, node_falls_silent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]


@pytest.fixture
def order(node24: Hand, job: Job) -> RenderOrder:
    """The job's order, executing on the 24 GB node."""
    dispatch()
    order = node24.claimed()
    node24.works_on(order, Stage.EXECUTING)
    node24.reports()
    return order


def test_an_order_nobody_accepted_goes_back_and_a_late_finder_is_refused(node24: Hand, job: Job) -> None:
    dispatch()
    order = node24.order()
    assert order is not None
    Attempt.objects.update(accept_by=database_now() - timedelta(seconds=1))
    sweep()
    assert again(job).state == JobState.READY
    assert not node24.claims(order).granted


def test_a_silent_nodes_work_is_lost_and_ready_again(job: Job, order: RenderOrder) -> None:
    node_falls_silent()
    sweep()
    assert again(job).state == JobState.READY
    attempt = Attempt.objects.get(pk=order.attempt_id)
    assert (attempt.state, attempt.holds_slot) == (AttemptState.LOST, False)
    assert Node.objects.get().observed == Observed.OFFLINE


def test_before_work_counts_as_lost_the_result_backend_is_asked(
    node24: Hand, job: Job, order: RenderOrder
) -> None:
    report = node24.success(order)
    app.backend.store_result(order.attempt_id, contracts.to_json(report), "SUCCESS")
    node_falls_silent()
    sweep()
    assert again(job).state == JobState.SUCCEEDED
    assert Take.objects.count() == 1


def test_with_an_empty_broker_the_manifest_in_the_store_is_asked(
    node24: Hand, job: Job, order: RenderOrder, bus: Broker
) -> None:
    node24.writes_manifest(order)
    bus.lose_everything()
    node_falls_silent()
    sweep()
    assert again(job).state == JobState.SUCCEEDED
    assert Take.objects.get().artifacts.get().bytes > 0


def test_while_the_broker_is_away_no_lease_expires_nor_for_one_lease_after(
    job: Job, order: RenderOrder, settings: Any, bus: Broker
) -> None:
    node_falls_silent()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    sweep()
    assert again(job).state == JobState.RUNNING
    settings.REDIS_URL = bus.url
    sweep()
    assert again(job).state == JobState.RUNNING, "the grace was not kept"
    FarmClock.objects.update(grace_until=None)
    sweep()
    assert again(job).state == JobState.READY


def test_a_coordinator_that_has_just_started_gives_every_lease_a_grace(job: Job, order: RenderOrder) -> None:
    node_falls_silent()
    give_grace(database_now())
    sweep()
    assert again(job).state == JobState.RUNNING


def test_when_the_whole_farm_is_silent_leases_wait_one_more_lease(job: Job, order: RenderOrder) -> None:
    node_falls_silent(35)
    FarmClock.objects.update(word_at=database_now() - timedelta(seconds=35))
    sweep()
    assert again(job).state == JobState.RUNNING
    FarmClock.objects.update(word_at=database_now() - timedelta(seconds=41))
    sweep()
    assert again(job).state == JobState.READY


def test_the_first_word_after_a_silence_of_the_whole_farm_gives_every_lease_a_grace(
    job: Job, order: RenderOrder, bus: Broker
) -> None:
    node_falls_silent(300)
    FarmClock.objects.update(word_at=database_now() - timedelta(seconds=300))
    other = Hand("other24", tier_gb=24, broker=bus).arrives()
    sweep()
    assert again(job).state == JobState.RUNNING, "its node may be the next to be heard"
    FarmClock.objects.update(grace_until=database_now())
    other.reports()
    sweep()
    assert again(job).state == JobState.READY, "no second grace while the farm talks"


def test_unheard_reports_in_the_broker_stop_leases_from_expiring(
    job: Job, order: RenderOrder, bus: Broker
) -> None:
    node_falls_silent()
    bus.client().lpush("reports", "{}")
    sweep()
    assert again(job).state == JobState.RUNNING


def test_a_node_that_begins_a_new_life_gives_up_its_work_at_once(
    node24: Hand, job: Job, order: RenderOrder
) -> None:
    node24.running.clear()
    node24.epoch = "e2"
    node24.arrives()
    give_grace(database_now())
    sweep()
    assert again(job).state == JobState.READY


def test_a_node_given_up_must_begin_a_new_epoch_but_its_finished_work_counts(
    node24: Hand, job: Job, order: RenderOrder
) -> None:
    node_falls_silent()
    sweep()
    directives = node24.reports(finished=(node24.success(order),))
    assert directives.new_epoch
    assert directives.confirmed == (order.attempt_id,)
    assert order.attempt_id in directives.cancelled
    assert again(job).state == JobState.SUCCEEDED


def test_three_workers_taken_down_while_executing_quarantine_the_job(node24: Hand, job: Job) -> None:
    for life in range(3):
        Job.objects.filter(start_after__isnull=False).update(start_after=database_now())
        dispatch()
        order = node24.claimed()
        node24.works_on(order, Stage.EXECUTING)
        node24.reports()
        node24.running.clear()
        node24.epoch = f"life {life}"
        node24.arrives()
        sweep()
    assert again(job).state == JobState.QUARANTINED


def test_a_cancelled_attempt_holds_no_place_of_a_node_that_is_gone(
    job: Job, order: RenderOrder, coordinator: User
) -> None:
    cancel(job, user=coordinator)
    sweep()
    assert Attempt.objects.get().holds_slot, "its node has yet to say that it stopped"
    node_falls_silent()
    sweep()  # the node is offline
    sweep()
    assert not Attempt.objects.get().holds_slot


def test_media_work_that_died_with_its_worker_is_asked_for_again(
    node24: Hand, order: RenderOrder, bus: Broker
) -> None:
    node24.finishes(order)
    bus.lose_everything()
    sweep()
    assert bus.client().llen(QUEUE_MEDIA) == 0, "it may be at work"
    Take.objects.update(updated_at=database_now() - MEDIA_PATIENCE - timedelta(seconds=1))
    sweep()
    sweep()
    assert bus.client().llen(QUEUE_MEDIA) == 1, "once, until it is out of patience again"


def test_material_that_nobody_has_looked_at_is_asked_for_again(film: Project, bus: Broker) -> None:
    made = Material.objects.create(
        project=film, kind="audio", name="rain", key="rain.wav", medium="audio", sha256="0" * 64, bytes=1
    )
    sweep()
    assert bus.client().llen(QUEUE_MEDIA) == 0, "it may be at work"
    Material.objects.filter(pk=made.pk).update(
        updated_at=database_now() - MEDIA_PATIENCE - timedelta(seconds=1)
    )
    sweep()
    sweep()
    assert bus.client().llen(QUEUE_MEDIA) == 1, "once, until it is out of patience again"


def test_a_renewed_lease_does_not_expire(node24: Hand, job: Job, order: RenderOrder) -> None:
    node_falls_silent()
    node24.reports()
    sweep()
    assert again(job).state == JobState.RUNNING
