"""Two processes at once: real threads, real transactions, and proof that they overlapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Refused
from apps.common.machines import Machine, move
from apps.nodes.models import Node
from apps.nodes.services import receive_all
from apps.nodes.states import Observed
from apps.productions.rendering import shots_have_takes
from apps.productions.states import READY
from apps.projects.models import Project
from apps.renders.models import Attempt, Job, Lane, Limit, Priority
from apps.renders.selectors import expired_orders
from apps.renders.services import claim as claiming
from apps.renders.services import giveback, success, sweep
from apps.renders.services import reports as reporting
from apps.renders.services.control import cancel, change_job, pause, prioritise, requeue
from apps.renders.services.dispatch import DUE_RANK, dispatch, explain_waiting
from apps.renders.services.lanes import wake
from apps.renders.services.record import Recorded, record
from apps.renders.services.removal import remove_node
from apps.renders.services.submit import Step, submit
from apps.renders.states import ATTEMPT, JOB, AttemptState, JobState
from apps.review.models import Take
from farm.contracts import Stage
from tests.factories import UserFactory
from tests.integration.renders.elsewhere import Elsewhere, from_elsewhere
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import (
    acceptance_is_overdue,
    again,
    attempt_of,
    dispatched,
    executing,
    lease_runs_out,
    next_order,
    node_falls_silent,
    press,
)

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("bus", "templates"),
]

Patch = pytest.MonkeyPatch


def with_project(job: Job) -> Job:
    """The job as an operator's page has read it."""
    return Job.objects.select_related("project").get(pk=job.pk)


def between_job_and_attempt(monkeypatch: Patch, module: Any, then: Callable[[], None]) -> None:
    """Do something at the moment when this service has moved the job, and not yet its attempt."""
    name = "move_each" if hasattr(module, "move_each") else "move"
    real = getattr(module, name)

    def move(machine: Machine, *args: Any, **kwargs: Any) -> Any:
        moved = real(machine, *args, **kwargs)
        if machine is JOB:
            monkeypatch.undo()
            then()
        return moved

    monkeypatch.setattr(module, name, move)


def test_a_cancel_during_a_claim_stops_what_was_claimed(node24: Hand, job: Job, coordinator: User) -> None:
    order = dispatched(node24)
    seen = with_project(job)
    with transaction.atomic():
        assert node24.claims(order).granted
        other = Elsewhere(lambda: cancel(seen, user=coordinator))
        other.meets_our_lock()
    assert other.answer() is True
    attempt = attempt_of(order)
    assert (again(job).state, attempt.state) == (JobState.CANCELLED, AttemptState.CANCELLED)
    assert attempt.holds_slot, "its node has it and has not confirmed"
    assert node24.reports().cancelled == (order.attempt_id,)


def test_a_claim_during_a_cancel_is_refused(node24: Hand, job: Job, coordinator: User) -> None:
    order = dispatched(node24)
    with transaction.atomic():
        assert cancel(with_project(job), user=coordinator)
        other = Elsewhere(lambda: node24.claims(order))
        other.meets_our_lock()
    assert not other.answer().granted
    attempt = attempt_of(order)
    assert (again(job).state, attempt.state) == (JobState.CANCELLED, AttemptState.CANCELLED)
    assert not attempt.holds_slot


def test_a_late_success_during_the_next_claim_is_the_take(node24: Hand, job: Job) -> None:
    first = next_order(node24)
    Attempt.objects.update(state=AttemptState.LOST, holds_slot=False)
    Job.objects.update(state=JobState.READY, token="")
    node24.running.clear()
    second = dispatched(node24)
    report = node24.success(first)
    with transaction.atomic():
        assert node24.claims(second).granted
        other = Elsewhere(lambda: record(report))
        other.meets_our_lock()
    assert other.answer() is Recorded.DONE
    assert again(job).state == JobState.SUCCEEDED
    assert attempt_of(first).state == AttemptState.SUCCEEDED
    assert attempt_of(second).state == AttemptState.SUPERSEDED
    assert second.attempt_id in node24.reports().cancelled


def test_one_success_by_two_roads_at_once_is_one_take(node24: Hand, job: Job) -> None:
    report = node24.success(next_order(node24))
    with transaction.atomic():
        assert record(report) is Recorded.DONE
        other = Elsewhere(lambda: record(report))
        other.meets_our_lock()
    assert other.answer() is Recorded.AGAIN
    assert Take.objects.count() == 1


def test_two_dispatchers_at_once_send_a_job_once(node24: Hand, job: Job) -> None:
    with transaction.atomic():
        assert dispatch() == 1
        other = Elsewhere(dispatch)
        other.meets_our_lock()
    assert other.answer() == 0
    assert Attempt.objects.count() == 1


def test_a_recall_during_a_claim_waits_for_it_and_finds_nothing_to_recall(
    node24: Hand, job: Job, monkeypatch: Patch
) -> None:
    order = dispatched(node24)
    attempt = Attempt.objects.select_related("job").get()
    others: list[Elsewhere[bool]] = []

    def recall() -> None:
        others.append(
            Elsewhere(
                lambda: giveback.hand_back(attempt, actor="sweep", reason="late", from_=("dispatched",))
            )
        )
        others[0].meets_our_lock()

    between_job_and_attempt(monkeypatch, claiming, recall)
    assert node24.claims(order).granted
    assert others[0].answer() is False
    assert (again(job).state, attempt_of(order).state) == (JobState.RUNNING, AttemptState.ACCEPTED)


def test_a_claim_during_a_recall_waits_for_it_and_is_refused(
    node24: Hand, job: Job, monkeypatch: Patch
) -> None:
    order = dispatched(node24)
    acceptance_is_overdue()
    others: list[Elsewhere[Any]] = []

    def ask() -> None:
        others.append(Elsewhere(lambda: node24.claims(order)))
        others[0].meets_our_lock()

    between_job_and_attempt(monkeypatch, giveback, ask)
    assert sweep.sweep() == 1
    assert not others[0].answer().granted
    assert (again(job).state, attempt_of(order).state) == (JobState.READY, AttemptState.SUPERSEDED)


def test_an_order_claimed_a_moment_before_its_recall_is_not_recalled(
    node24: Hand, job: Job, monkeypatch: Patch
) -> None:
    order = dispatched(node24)
    acceptance_is_overdue()

    def claimed_meanwhile(now: Any) -> list[Attempt]:
        found = list(expired_orders(now))
        assert [str(attempt.pk) for attempt in found] == [order.attempt_id]
        assert from_elsewhere(lambda: node24.claims(order)).granted
        return found

    monkeypatch.setattr(sweep, "expired_orders", claimed_meanwhile)
    assert sweep.sweep() == 0
    attempt = attempt_of(order)
    assert (again(job).state, attempt.state) == (JobState.RUNNING, AttemptState.ACCEPTED)
    assert attempt.holds_slot


def test_a_lease_renewed_while_sweep_looks_for_a_report_is_not_given_up(
    node24: Hand, job: Job, monkeypatch: Patch
) -> None:
    order = executing(node24)
    lease_runs_out(order)
    looks: list[str] = []

    def renewed_meanwhile(attempt: Attempt) -> None:
        looks.append(str(attempt.pk))
        from_elsewhere(node24.reports)

    monkeypatch.setattr(sweep, "_from_manifest", renewed_meanwhile)
    assert sweep.sweep() == 0
    assert looks == [order.attempt_id]
    assert (again(job).state, again(job).crashes) == (JobState.RUNNING, 0)
    assert attempt_of(order).state == AttemptState.EXECUTING


def test_a_success_that_comes_while_sweep_looks_for_it_is_one_take(
    node24: Hand, job: Job, monkeypatch: Patch
) -> None:
    order = executing(node24)
    report = node24.success(order)
    node_falls_silent()

    def reported_meanwhile(attempt: Attempt) -> None:
        assert from_elsewhere(lambda: record(report)) is Recorded.DONE

    monkeypatch.setattr(sweep, "_from_manifest", reported_meanwhile)
    assert sweep.sweep() == 0
    assert again(job).state == JobState.SUCCEEDED
    assert attempt_of(order).state == AttemptState.SUCCEEDED
    assert Take.objects.count() == 1


def test_a_former_lifes_report_that_is_overtaken_does_not_turn_the_epoch_back(
    node24: Hand, monkeypatch: Patch
) -> None:
    former = Hand("gpu24", tier_gb=24, broker=node24.broker)
    node24.epoch = "e2"

    def overtaken(*told: Any) -> Any:
        monkeypatch.undo()
        new.append(Elsewhere(node24.reports))
        new[0].goes_as_far_as_it_can()
        return receive_all(*told)

    new: list[Elsewhere[Any]] = []
    monkeypatch.setattr(reporting, "receive_all", overtaken)
    former.reports()
    assert not new[0].answer().new_epoch
    assert Node.objects.get().epoch == "e2"
    assert former.reports().new_epoch


def test_a_clip_is_submitted_while_its_keyframe_is_recorded(
    node24: Hand, job: Job, film: Project, coordinator: User, monkeypatch: Patch
) -> None:
    order = next_order(node24)
    job.shot.__class__.objects.update(status=READY)  # sent back for a retake: both will move the shot
    others: list[Elsewhere[Any]] = []

    def press() -> Any:
        steps = [Step(template="wan22_i2v", frames=17)]
        return submit(
            user=coordinator, project=film, shots=[job.shot], steps=steps, idempotency_key="clip"
        ).batch.jobs.get()

    def pressed_meanwhile(came: Any) -> int:
        others.append(Elsewhere(press))
        others[0].goes_as_far_as_it_can()
        return shots_have_takes(came)

    monkeypatch.setattr(success, "shots_have_takes", pressed_meanwhile)
    assert node24.finishes(order) is Recorded.DONE
    clip = others[0].answer()
    sweep.sweep()
    assert (again(job).state, again(clip).state) == (JobState.SUCCEEDED, JobState.READY)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time: nobody moves beside another")
def test_an_attempt_moves_while_somebody_holds_its_job(node24: Hand, job: Job) -> None:
    """Who locks an attempt and then its job waits for whoever holds the job and comes for the attempt."""
    attempt = attempt_of(executing(node24))
    with transaction.atomic():
        Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        other = Elsewhere(
            lambda: move(
                ATTEMPT,
                attempt,
                from_=(AttemptState.EXECUTING,),
                to=AttemptState.COLLECTING,
                story=job.pk,
                actor="node24",
            )
        )
        assert other.answer() is True
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.COLLECTING


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time: nobody waits crosswise")
def test_who_steers_a_batch_and_who_hands_a_job_of_it_back_do_not_wait_crosswise(
    node24: Hand, job: Job
) -> None:
    """Both lock the job and then its lane, which sleeps: its only job was on a node."""
    attempt = attempt_of(executing(node24))
    Lane.objects.update(active=False)
    with transaction.atomic():
        Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        other = Elsewhere(lambda: giveback.hand_back(attempt, actor="gpu24", reason="dropped"))
        other.meets_our_lock()
        wake([job.lane_id])
    assert other.answer() is True
    assert (again(job).state, Lane.objects.get().active) == (JobState.READY, True)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time: nobody waits crosswise")
def test_a_nodes_report_does_not_wait_for_whoever_ends_an_attempt_of_it(node24: Hand, job: Job) -> None:
    """It holds other attempts, for which a group of successes may come."""
    order = next_order(node24)
    node24.works_on(order, Stage.COLLECTING)
    with transaction.atomic():
        Attempt.objects.select_for_update(no_key=True).get(pk=order.attempt_id)
        other = Elsewhere(node24.reports)
        assert other.answer().serve
    assert attempt_of(order).state == AttemptState.ACCEPTED
    node24.reports()
    assert attempt_of(order).state == AttemptState.COLLECTING


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time: nobody waits crosswise")
def test_jobs_whose_time_has_come_do_not_wait_for_whoever_steers_them(node24: Hand, job: Job) -> None:
    Job.objects.update(start_after=database_now(), start_by=database_now())
    with transaction.atomic():
        Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        assert Elsewhere(dispatch).answer() == 0
    assert dispatch() == 1
    assert again(job).rank == DUE_RANK


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time: nobody reads beside another")
def test_a_lane_does_not_fall_asleep_over_a_job_that_becomes_ready_just_then(
    node24: Hand, job: Job, coordinator: User
) -> None:
    pause(job, paused=True, user=coordinator)
    with transaction.atomic():
        pause(job, paused=False, user=coordinator)
        from_elsewhere(explain_waiting)  # a tick that finds the lane empty, from beginning to end
    assert Lane.objects.get().active
    assert dispatch() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time: nobody reads beside another")
def test_a_job_that_becomes_ready_while_its_lane_falls_asleep_wakes_it(
    node24: Hand, job: Job, coordinator: User
) -> None:
    pause(job, paused=True, user=coordinator)
    with transaction.atomic():
        explain_waiting()
        assert not Lane.objects.get().active, "it was empty"
        other = Elsewhere(lambda: pause(job, paused=False, user=coordinator))
        other.meets_our_lock()
    assert other.answer() is True
    assert dispatch() == 1


def test_a_node_is_not_removed_under_a_job_that_is_requeued_for_it_alone(
    node24: Hand, job: Job, coordinator: User
) -> None:
    gone = Node.objects.get()
    change_job(job, {"pinned_to": gone.name}, user=coordinator)
    cancel(again(job), user=coordinator)
    Node.objects.update(observed=Observed.OFFLINE)
    root = UserFactory.create(is_superuser=True)
    with transaction.atomic():
        assert requeue(again(job), user=coordinator)
        other = Elsewhere(lambda: remove_node(gone, user=root))
        other.meets_our_lock()
    with pytest.raises(Refused, match="may run on it only"):
        other.answer()
    assert again(job).lane is not None
    assert dispatch() == 0
    Node.objects.update(observed=Observed.IDLE)
    assert dispatch() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time: nobody counts beside it")
def test_two_that_lead_for_a_moment_do_not_go_beyond_a_limit(
    node24: Hand, job: Job, film: Project, coordinator: User
) -> None:
    limit = Limit.objects.create(name="licence", most=1)
    limit.templates.set([job.template_version.template])
    with transaction.atomic():
        assert dispatch() == 1
        # The other one cannot know of that, and sees a better job.
        urgent = from_elsewhere(lambda: press(film, coordinator, "sd15_t2i"))
        from_elsewhere(lambda: prioritise(urgent, priority=Priority.URGENT, user=coordinator))
        other = Elsewhere(dispatch)
        other.meets_our_lock()
    assert other.answer() == 0
    assert (again(job).state, again(urgent).state) == (JobState.DISPATCHED, JobState.READY)
    node24.finishes(node24.claimed())
    assert dispatch() == 1
