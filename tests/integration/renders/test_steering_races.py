"""Two people press at once, or one presses while the dispatcher sends: real transactions that overlap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Q

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.common.errors import Conflict
from apps.common.models import StateEvent
from apps.nodes.models import Pool
from apps.projects.models import Project
from apps.renders.models import Attempt, Hold, Job, Priority, RenderBatch
from apps.renders.scheduling.match import Pick
from apps.renders.services import dispatch as dispatching
from apps.renders.services.control import (
    cancel_batch,
    change_batch,
    change_job,
    pause,
    pause_batch,
    prioritise,
)
from apps.renders.services.dispatch import dispatch
from apps.renders.services.holds import hold
from apps.renders.services.sending import send
from apps.renders.services.steering import Wishes
from apps.renders.services.submit import Step, submit
from apps.renders.states import JobState
from tests.factories import ShotFactory, UserFactory
from tests.integration.renders.elsewhere import Elsewhere, from_elsewhere
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("bus", "templates"),
]


def fresh(job: Job) -> Job:
    """The job with its batch and project, as a page has read it before anybody pressed."""
    return Job.objects.select_related("project", "batch").get(pk=job.pk)


def batch_of(film: Project, coordinator: User, count: int) -> RenderBatch:
    shots = ShotFactory.create_batch(count, sequence=film.sequences.get())
    steps = [Step(template="sd15_t2i")]
    return submit(user=coordinator, project=film, shots=shots, steps=steps, idempotency_key="many").batch


def held_right() -> bool:
    """Every job is held exactly while it or its batch is paused."""
    should = Q(paused=True) | Q(batch__paused=True)
    return not Job.objects.filter(Q(held=False) & should | Q(held=True) & ~should).exists()


def job_goes_on(job: Job, user: User) -> Callable[[], object]:
    return lambda: pause(job, paused=False, user=user)


def job_pauses(job: Job, user: User) -> Callable[[], object]:
    return lambda: pause(job, paused=True, user=user)


def batch_goes_on(job: Job, user: User) -> Callable[[], object]:
    return lambda: pause_batch(job.batch, paused=False, user=user)


def batch_pauses(job: Job, user: User) -> Callable[[], object]:
    return lambda: pause_batch(job.batch, paused=True, user=user)


@pytest.mark.parametrize(
    ("first", "second", "paused", "batch_paused"),
    [
        (batch_pauses, job_goes_on, True, False),
        (job_goes_on, batch_pauses, True, False),
        (batch_goes_on, job_pauses, False, True),
        (job_pauses, batch_goes_on, False, True),
        (batch_goes_on, job_goes_on, True, True),
        (job_goes_on, batch_goes_on, True, True),
        (batch_pauses, job_pauses, False, False),
        (job_pauses, batch_pauses, False, False),
    ],
)
def test_a_job_and_its_batch_are_pressed_at_once_and_the_job_is_held_as_both_say(
    job: Job,
    coordinator: User,
    first: Callable[[Job, User], Callable[[], object]],
    second: Callable[[Job, User], Callable[[], object]],
    paused: bool,
    batch_paused: bool,
) -> None:
    pause(job, paused=paused, user=coordinator)
    pause_batch(job.batch, paused=batch_paused, user=coordinator)
    seen = fresh(job)
    with transaction.atomic():
        first(seen, coordinator)()
        other = Elsewhere(second(seen, coordinator))
        other.meets_our_lock()
    other.answer()
    assert held_right()
    now = fresh(job)
    presses = {first, second}
    if presses & {batch_pauses, batch_goes_on}:
        assert now.batch.paused == (batch_pauses in presses)
    if presses & {job_pauses, job_goes_on}:
        assert now.paused == (job_pauses in presses)


def test_a_job_paused_while_it_is_sent_goes_on_and_is_held_when_it_comes_back(
    node24: Hand, job: Job, coordinator: User
) -> None:
    seen = fresh(job)
    with transaction.atomic():
        assert dispatch() == 1
        other = Elsewhere(lambda: pause(seen, paused=True, user=coordinator))
        other.meets_our_lock()
    assert other.answer() is True
    assert (again(job).state, again(job).held) == (JobState.DISPATCHED, True)
    assert Attempt.objects.count() == 1


def test_a_job_is_not_sent_that_is_paused_while_the_dispatcher_looks(
    node24: Hand, job: Job, coordinator: User
) -> None:
    seen = fresh(job)
    with transaction.atomic():
        pause(seen, paused=True, user=coordinator)
        other = Elsewhere(dispatch)
        other.meets_our_lock()
    assert other.answer() == 0
    assert (again(job).state, again(job).held) == (JobState.READY, True)
    assert Attempt.objects.count() == 0


def test_a_job_that_is_sent_first_keeps_its_place_and_the_late_change_is_refused(
    node24: Hand, job: Job, coordinator: User
) -> None:
    Pool.objects.create(name="nights")
    seen, lane = fresh(job), fresh(job).lane_id

    def change() -> str:
        try:
            change_job(seen, {"pool": "nights"}, user=coordinator)
        except Conflict as refused:
            return str(refused)
        return ""

    with transaction.atomic():
        assert dispatch() == 1
        other = Elsewhere(change)
        other.meets_our_lock()
    assert "a node has it" in other.answer()
    assert (again(job).pool_id, again(job).lane_id) == (None, lane)


@pytest.mark.parametrize("wishes", ({"pool": "nights"}, {"start_after": True}), ids=("pool", "start"))
def test_a_job_that_is_steered_after_it_was_chosen_and_before_it_is_sent_is_not_sent(
    node24: Hand, job: Job, coordinator: User, monkeypatch: pytest.MonkeyPatch, wishes: Wishes
) -> None:
    Pool.objects.create(name="nights")
    if "start_after" in wishes:
        wishes = {"start_after": database_now() + timedelta(hours=1)}
    seen = fresh(job)
    chosen: list[Pick] = []

    def send_later(picks: Sequence[Pick]) -> int:
        chosen.extend(picks)
        from_elsewhere(lambda: change_job(seen, wishes, user=coordinator))
        return send(picks)

    monkeypatch.setattr(dispatching, "send", send_later)
    assert dispatch() == 0
    assert [pick.head.job_id for pick in chosen] == [job.pk], "the dispatcher had chosen it"
    assert (again(job).state, Attempt.objects.count()) == (JobState.READY, 0)


def test_two_people_give_one_job_two_priorities_and_the_later_one_stands(job: Job, coordinator: User) -> None:
    seen = fresh(job)
    with transaction.atomic():
        prioritise(seen, priority=Priority.URGENT, user=coordinator)
        other = Elsewhere(lambda: prioritise(seen, priority=Priority.LOW, user=coordinator))
        other.meets_our_lock()
    assert other.answer() is True
    assert (again(job).priority, again(job).rank) == (Priority.LOW, Priority.LOW)
    told = [row.data["changes"]["priority"] for row in StateEvent.objects.filter(machine="job_wish")]
    assert told == [[10, 30], [30, 0]], "each tells what it found"


def test_a_batch_is_hurried_while_it_is_cancelled(film: Project, coordinator: User) -> None:
    batch = batch_of(film, coordinator, 5)
    with transaction.atomic():
        assert cancel_batch(batch, user=coordinator) == 5
        other = Elsewhere(lambda: change_batch(batch, {"priority": Priority.URGENT}, user=coordinator))
        other.meets_our_lock()
    assert (other.answer().changed, len(other.answer().closed)) == ([], 5)
    assert set(batch.jobs.values_list("state", "priority")) == {(JobState.CANCELLED, Priority.NORMAL)}


def test_a_batch_is_cancelled_while_one_of_its_jobs_is_claimed(
    film: Project, coordinator: User, node24: Hand
) -> None:
    batch = batch_of(film, coordinator, 3)
    assert dispatch() >= 1
    order = node24.order()
    assert order is not None
    with transaction.atomic():
        assert node24.claims(order).granted
        other = Elsewhere(lambda: cancel_batch(batch, user=coordinator))
        other.meets_our_lock()
    assert other.answer() == 3
    attempt = Attempt.objects.get(pk=order.attempt_id)
    assert (attempt.state, attempt.holds_slot) == ("cancelled", True)
    assert set(batch.jobs.values_list("state", flat=True)) == {JobState.CANCELLED}


def test_two_operators_pause_the_farm_at_once_and_one_of_them_did(db: None) -> None:
    first, second = UserFactory.create_batch(2, is_superuser=True)
    with transaction.atomic():
        assert hold("farm", user=first)
        other = Elsewhere(lambda: hold("farm", user=second))
        other.meets_our_lock()
    assert other.answer() is False
    assert Hold.objects.get().by == first.username
    assert StateEvent.objects.filter(machine="farm_wish").count() == 1
