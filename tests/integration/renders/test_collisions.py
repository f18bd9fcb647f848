"""A deadlock is two transactions that met: the farm does its part again at once, and nobody waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from apps.common.machines import move_each
from apps.projects.models import Project
from apps.renders import tasks
from apps.renders.models import Job, Lane
from apps.renders.services import claim as claiming
from apps.renders.services import dispatch as dispatching
from apps.renders.services import ticker
from apps.renders.states import JobState
from farm.contracts import ClaimRequest, to_json
from tests.integration.renders.elsewhere import Elsewhere, from_elsewhere
from tests.integration.renders.hand import Hand
from tests.integration.renders.scene import again, dispatched

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("bus", "templates"),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time: nobody waits crosswise"),
]

Patch = pytest.MonkeyPatch


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def touch(what: type[Job] | type[Project]) -> None:
    what._default_manager.update(row_version=7)


def a_deadlock() -> None:
    """We hold jobs and want projects; another one holds projects and wants jobs. We are the one to go."""

    def crosswise() -> None:
        with transaction.atomic():
            touch(Project)
            touch(Job)

    with transaction.atomic():
        run("SET LOCAL deadlock_timeout = '10ms'")
        touch(Job)
        other = Elsewhere(crosswise)
        other.meets_our_lock()
        try:
            touch(Project)
        finally:
            transaction.set_rollback(True)
            others.append(other)


def a_serialization_failure() -> None:
    with transaction.atomic():
        run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert Job.objects.exists()
        from_elsewhere(lambda: touch(Job))
        touch(Job)


def a_lock_timeout() -> None:
    def waits_in_vain() -> None:
        with transaction.atomic():
            run("SET LOCAL lock_timeout = '10ms'")
            touch(Job)

    with transaction.atomic():
        touch(Job)
        from_elsewhere(waits_in_vain)


others: list[Elsewhere[None]] = []


def at_first(collide: Callable[[], None], real: Callable[..., Any], met: list[str]) -> Callable[..., Any]:
    """What collides the first time it is called, and then does what it should."""

    def work(*args: Any, **kwargs: Any) -> Any:
        if not met:
            try:
                collide()
            except OperationalError as exc:
                met.append(type(exc.__cause__).__name__)
                raise
            pytest.fail("the two did not collide")
        return real(*args, **kwargs)

    return work


def one_turn(monkeypatch: Patch) -> None:
    """Let a ticker lead for one turn, without its pauses."""
    monkeypatch.setattr(ticker, "BEAT_SECONDS", 0.0)
    left = iter([1])
    ticker.Ticker(lambda: next(left, None) is None).run()


@pytest.fixture(autouse=True)
def nobody_is_left_waiting() -> Any:
    yield
    while others:
        others.pop().answer()


@pytest.mark.parametrize(
    ("collide", "error", "told"),
    [
        (a_deadlock, "DeadlockDetected", "deadlock"),
        (a_serialization_failure, "SerializationFailure", "serialization failure"),
        (a_lock_timeout, "LockNotAvailable", "lock timeout"),
    ],
)
def test_a_tick_that_collides_is_done_again_in_the_same_turn(
    node24: Hand,
    job: Job,
    monkeypatch: Patch,
    caplog: pytest.LogCaptureFixture,
    collide: Callable[[], None],
    error: str,
    told: str,
) -> None:
    met: list[str] = []
    monkeypatch.setattr(ticker, "dispatch", at_first(collide, dispatching.dispatch, met))
    one_turn(monkeypatch)
    assert met == [error]
    assert again(job).state == JobState.DISPATCHED
    said = {row.getMessage(): row for row in caplog.records if row.levelname == "WARNING"}
    assert vars(said["transactions collided"])["what"] == told
    assert "database is away, waiting for it" not in said


def test_a_tick_that_goes_on_colliding_lets_the_rest_of_the_turn_be_done(
    node24: Hand, job: Job, monkeypatch: Patch, caplog: pytest.LogCaptureFixture
) -> None:
    met: list[str] = []

    def collides(*_: object) -> int:
        met.append("dispatch")
        a_lock_timeout()
        return 0

    monkeypatch.setattr(ticker, "dispatch", collides)
    one_turn(monkeypatch)
    assert len(met) == 3, "a bounded number of times"
    assert "database is away, waiting for it" not in [row.getMessage() for row in caplog.records]
    assert Lane.objects.get().wait_code, "why it waits was told all the same"


def test_a_claim_that_collides_is_granted_all_the_same(node24: Hand, job: Job, monkeypatch: Patch) -> None:
    order = dispatched(node24)
    met: list[str] = []
    monkeypatch.setattr(claiming, "move_each", at_first(a_lock_timeout, move_each, met))
    request = ClaimRequest(
        attempt_id=order.attempt_id, token=order.token, node=node24.name, epoch=node24.epoch
    )
    [reply] = tasks.hear_claims([to_json(request)])
    assert reply["granted"]
    assert met == ["LockNotAvailable"]
    assert again(job).state == JobState.RUNNING
