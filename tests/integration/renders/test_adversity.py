"""Storage that is away, files that never come, words no database takes: one trouble stays one trouble."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import OperationalError

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.nodes.models import Node
from apps.productions.models import Shot
from apps.projects.models import Project
from apps.renders.models import Attempt, Job
from apps.renders.selectors import story
from apps.renders.services import bus as farm_bus
from apps.renders.services import orders, reports, sweep
from apps.renders.services.control import cancel, requeue
from apps.renders.services.dispatch import dispatch
from apps.renders.services.record import STORE_PATIENCE, Recorded, record_all
from apps.renders.states import AttemptState, JobState
from apps.review.models import Take
from farm import contracts
from farm.celery import app
from farm.contracts import MANIFEST_NAME, FailureClass, RenderOrder, RenderReport
from tests.broker_fixture import Broker
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import (
    again,
    attempt_of,
    dispatched,
    executing,
    lease_runs_out,
    node_falls_silent,
    press,
    store_away,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("bus", "templates")]

UNPRINTABLE = ["bad header \0 in file", "Invalid image \udcb0\udca1.png"]
"""A NUL, and a EUC-KR file name as Python reads it from Linux: no database takes either."""


@pytest.fixture
def order(node24: Hand, job: Job) -> RenderOrder:
    """The job's order, executing on the 24 GB node."""
    return executing(node24)


def saying(report: RenderReport, words: str, order: RenderOrder) -> RenderReport:
    """The same failure in other words, signed."""
    assert report.failure is not None
    failure = replace(report.failure, message=words)
    return replace(report, failure=failure, signature="").signed(order.report_key)


# A store that is away


def test_a_report_whose_files_cannot_be_looked_at_does_not_starve_the_nodes_leases(
    node24: Hand, order: RenderOrder, film: Project, coordinator: User
) -> None:
    press(film, coordinator, "sd15_t2i")
    other = executing(node24)
    lease_runs_out(other)
    report = node24.success(order)
    del node24.running[order.attempt_id]
    with store_away():
        assert node24.reports(finished=(report,)).confirmed == ()
    lease = attempt_of(other).lease_until
    assert lease is not None
    assert lease > database_now()
    assert node24.reports(finished=(report,)).confirmed == (order.attempt_id,), "the store is back"


def test_one_report_the_database_refuses_does_not_keep_the_next_from_being_recorded(
    node24: Hand, order: RenderOrder, film: Project, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    press(film, coordinator, "sd15_t2i")
    other = executing(node24)

    def record_all_but_one(finished: Sequence[RenderReport]) -> list[Recorded]:
        if any(report.attempt_id == order.attempt_id for report in finished):
            raise OperationalError("could not serialize access")
        return record_all(finished)

    monkeypatch.setattr(reports, "record_all", record_all_but_one)
    node24.running.clear()
    told = node24.reports(finished=(node24.success(order), node24.success(other)))
    assert told.confirmed == (other.attempt_id,)


def test_while_the_store_is_away_nothing_is_given_up(job: Job, order: RenderOrder) -> None:
    node_falls_silent()
    with store_away():
        assert sweep.sweep() == 0
    assert again(job).state == JobState.RUNNING
    assert sweep.sweep() == 1
    assert again(job).state == JobState.READY


def test_an_order_that_cannot_be_built_pauses_its_job_and_others_go_on(
    node24: Hand, film: Project, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    slate, other = press(film, coordinator, "plain_slate", "a"), press(film, coordinator, "sd15_t2i", "b")

    def full(png: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(orders, "_stored", full)
    assert dispatch() == 1
    assert again(other).state == JobState.DISPATCHED
    slate = again(slate)
    assert (slate.state, slate.attempts_used, slate.free_retries) == (JobState.READY, 0, 1)
    assert slate.start_after is not None
    assert slate.start_after > database_now()
    assert "No space left on device" in slate.failure_message
    assert not Attempt.objects.get(job=slate).holds_slot


def test_an_error_nobody_foresaw_in_one_order_keeps_no_other_from_its_node(
    node24: Hand, film: Project, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, other = press(film, coordinator, "plain_slate", "a"), press(film, coordinator, "sd15_t2i", "b")
    broke: list[str] = []

    def broken(shot: Shot, **_: object) -> bytes:
        broke.append(shot.code)
        raise ValueError("font has no such glyph")

    monkeypatch.setattr(orders, "slate_png", broken)
    assert dispatch() == 1
    assert broke == [poisoned.shot.code]
    assert node24.claimed().job_id == str(other.pk)
    assert (again(poisoned).state, again(poisoned).attempts_used) == (JobState.READY, 1)
    assert "ValueError: font has no such glyph" in again(poisoned).failure_message
    dispatch()
    dispatch()
    assert again(poisoned).state == JobState.FAILED, "not for ever"


def test_a_broker_out_of_memory_is_asked_once_and_the_jobs_rest(
    node24: Hand, bus: Broker, film: Project, coordinator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [press(film, coordinator, "sd15_t2i", key) for key in "ab"]
    refused: list[str] = []
    publish = farm_bus.publish

    def watched(order: RenderOrder, *, queue: str) -> bool:
        taken = publish(order, queue=queue)
        refused.extend([] if taken else [order.job_id])
        return taken

    monkeypatch.setattr(farm_bus, "publish", watched)
    with bus.client() as client:
        client.config_set("maxmemory", "1")
        try:
            assert farm_bus.is_up()
            assert dispatch() == 0
            assert dispatch() == 0
        finally:
            client.config_set("maxmemory", "0")
    assert len(refused) == 1, "the broker refused the first order, and was not asked for the other"
    assert Attempt.objects.count() == 2, "nor again at once"
    assert {again(job).state for job in jobs} == {JobState.READY}
    Job.objects.update(start_after=database_now())
    assert dispatch() == 2
    assert {again(job).attempts_used for job in jobs} == {0}


# Files that never come


def test_files_that_come_late_are_waited_for(node24: Hand, job: Job, order: RenderOrder) -> None:
    report = node24.success(order, store=False)
    assert node24.finishes(order, report) is Recorded.UNSTORED
    assert node24.reports(finished=(report,)).confirmed == ()
    node24.success(order)
    assert node24.reports(finished=(report,)).confirmed == (order.attempt_id,)
    assert again(job).state == JobState.SUCCEEDED


def test_files_that_never_come_are_a_failure_that_names_the_setting_to_look_at(
    node24: Hand, job: Job, order: RenderOrder
) -> None:
    report = node24.success(order, store=False)
    assert node24.finishes(order, report) is Recorded.UNSTORED
    began = database_now() - STORE_PATIENCE - timedelta(seconds=1)
    Attempt.objects.filter(pk=order.attempt_id).update(finished_at=began)
    assert node24.reports(finished=(report,)).confirmed == (order.attempt_id,)
    attempt, failed = attempt_of(order), again(job)
    assert (attempt.state, attempt.failure_class) == (AttemptState.FAILED, FailureClass.INFRASTRUCTURE)
    assert (failed.state, failed.attempts_used) == (JobState.READY, 0)
    assert "SHOTFARM_ARTIFACTS" in failed.failure_message
    assert "take.png" in failed.failure_message
    assert not Take.objects.exists()


# Manifests nobody can read


@pytest.mark.parametrize(
    "content",
    [b"", b'{"attempt_id": ', b"\xb0\xa1", b'"no object"', b'{"version": 99}', b"[" * 100_000],
    ids=["empty", "cut off", "not UTF-8", "no object", "of another version", "endlessly deep"],
)
def test_a_manifest_nobody_can_read_does_not_keep_sweep_from_its_work(
    job: Job, order: RenderOrder, content: bytes
) -> None:
    default_storage.save(f"{order.artifact_folder}/{MANIFEST_NAME}", ContentFile(content))
    node_falls_silent()
    assert sweep.sweep() == 1
    assert (again(job).state, attempt_of(order).state) == (JobState.READY, AttemptState.LOST)


def test_a_manifest_too_large_to_be_one_is_not_read(
    node24: Hand, job: Job, order: RenderOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    node24.writes_manifest(order)
    monkeypatch.setattr(sweep, "LARGEST_MANIFEST", 100)
    node_falls_silent()
    assert sweep.sweep() == 1
    assert again(job).state == JobState.READY
    assert not Take.objects.exists()


def test_a_manifest_with_words_no_database_takes_is_still_a_take(
    node24: Hand, job: Job, order: RenderOrder
) -> None:
    report = replace(node24.success(order), gpu="RTX \0 \udcb0", signature="").signed(order.report_key)
    content = json.dumps(contracts.to_json(report)).encode()
    default_storage.save(f"{order.artifact_folder}/{MANIFEST_NAME}", ContentFile(content))
    node_falls_silent()
    assert sweep.sweep() == 1
    assert again(job).state == JobState.SUCCEEDED


# Words no database takes


@pytest.mark.parametrize("words", UNPRINTABLE)
def test_comfyuis_words_are_recorded_whatever_they_hold(
    node24: Hand, job: Job, order: RenderOrder, words: str
) -> None:
    report = saying(node24.failure(order, FailureClass.REJECTED_GRAPH), words, order)
    assert node24.reports(finished=(report,)).confirmed == (order.attempt_id,)
    failed = again(job)
    assert failed.state == JobState.FAILED
    assert failed.failure_message.startswith(words[:11])
    assert words not in failed.failure_message
    assert attempt_of(order).report["failure"]["message"] == failed.failure_message


@pytest.mark.parametrize("words", UNPRINTABLE)
def test_such_words_in_the_result_backend_do_not_keep_sweep_from_its_work(
    node24: Hand, job: Job, order: RenderOrder, words: str
) -> None:
    report = saying(node24.failure(order, FailureClass.REJECTED_GRAPH), words, order)
    app.backend.store_result(order.attempt_id, contracts.to_json(report), "SUCCESS")
    node_falls_silent()
    sweep.sweep()
    assert (again(job).state, attempt_of(order).state) == (JobState.FAILED, AttemptState.FAILED)


@pytest.mark.parametrize("words", UNPRINTABLE)
def test_a_node_may_say_such_words_of_itself_and_of_its_work(
    node24: Hand, job: Job, order: RenderOrder, words: str
) -> None:
    running = replace(node24.running[order.attempt_id], doing=words, progress=0.5)
    lease_runs_out(order)
    node24.reports(running=(running,), reason=words)
    assert again(job).doing.startswith(words[:11])
    assert again(job).progress == 0.5
    assert Node.objects.get().reason.startswith(words[:11])
    lease = attempt_of(order).lease_until
    assert lease is not None
    assert lease > database_now()


# What should not happen


def test_a_cancelled_attempt_that_ended_well_gives_its_requeued_job_the_take(
    node24: Hand, job: Job, order: RenderOrder, coordinator: User
) -> None:
    cancel(again(job), user=coordinator)
    requeue(again(job), user=coordinator)
    assert node24.finishes(order) is Recorded.DONE
    attempt = attempt_of(order)
    assert (again(job).state, attempt.state) == (JobState.SUCCEEDED, AttemptState.SUCCEEDED)
    assert Take.objects.get().attempt_id == attempt.pk
    assert not attempt.holds_slot


def test_a_job_in_flight_without_an_attempt_is_ready_again_and_its_story_says_why(
    node24: Hand, job: Job
) -> None:
    order = dispatched(node24)
    Attempt.objects.all().delete()
    assert sweep.sweep() == 1
    assert (again(job).state, again(job).token) == (JobState.READY, "")
    told = story(job).last()
    assert told is not None
    assert (told.actor, told.reason) == ("sweep", "no attempt was open")
    assert not node24.claims(order).granted


def test_an_order_sent_on_connections_of_before_the_brokers_restart_is_not_lost(
    node24: Hand, order: RenderOrder, film: Project, coordinator: User, bus: Broker
) -> None:
    node24.finishes(order)
    press(film, coordinator, "sd15_t2i")
    bus.stop()
    bus.start()

    assert dispatch() == 1

    assert node24.order() is not None


def test_an_order_leaves_no_subscription_behind_in_the_coordinator(node24: Hand, job: Job) -> None:
    assert dispatch() == 1
    backend: Any = app.backend  # its types leave the consumer out
    assert not backend.result_consumer.subscribed_to
