"""The loop: it reads while a webhook hangs, delivers to others, stops when told, survives its database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connections

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.notices.kinds import Kind
from apps.notices.models import Delivery, Notice, Road
from apps.notices.services import office, reading, subscribing, webhook
from apps.notices.services.office import Office, tidy
from tests.integration.notices.receiver import Receiver, Reply
from tests.integration.notices.scene import batch_of, ends, inbox, subscribes
from tests.integration.workers.waiting import until

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@contextmanager
def running(**knobs: Any) -> Iterator[threading.Event]:
    """An office at work, as a process apart; inside, the event that tells it to stop."""
    stop = threading.Event()

    def work() -> None:
        try:
            Office(stop.is_set, **knobs).run()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(40)
    assert not thread.is_alive(), "it did not stop"


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hangs here hangs as long as the test wants."""
    monkeypatch.setattr(webhook, "WHOLE_S", 300.0)


def hook(user: User, url: str) -> None:
    subscribing.subscribe(user=user, kinds=["batch.done"], road=Road.WEBHOOK, url=url)


def test_a_webhook_that_hangs_holds_up_neither_the_inbox_nor_another_webhook(
    people: dict[str, User], shot: Any, receiver: Receiver
) -> None:
    hold = threading.Event()
    with Receiver() as slow:
        slow.replies = [Reply(hold=hold)]
        hook(people["admin"], slow.url)
        with running():
            ends(batch_of(people["artist"], shot, jobs=1))
            until(lambda: slow.received)
            hook(people["coordinator"], receiver.url)
            ends(batch_of(people["artist"], shot, jobs=2))
            until(lambda: receiver.received)
            until(lambda: len(inbox(people["artist"])) == 2)
            assert len(slow.received) == 1, "it hangs all the while"
            hold.set()
            until(lambda: Delivery.objects.filter(state="delivered").count() == 3)
    assert len(slow.received) == 2


def test_more_endpoints_hang_than_there_are_threads_and_the_inbox_is_filled(
    people: dict[str, User], shot: Any, receiver: Receiver
) -> None:
    hold = threading.Event()
    receiver.replies = [Reply(hold=hold)] * 3
    for who in ("admin", "coordinator", "viewer"):
        hook(people[who], receiver.url)
    with running(threads=2):
        ends(batch_of(people["artist"], shot, jobs=1))
        until(lambda: len(receiver.received) == 2)
        ends(batch_of(people["artist"], shot, jobs=1))
        until(lambda: len(inbox(people["artist"])) == 2)
        hold.set()
        until(lambda: Delivery.objects.filter(state="delivered").count() == 6)


def test_two_offices_tell_and_deliver_once(people: dict[str, User], shot: Any, receiver: Receiver) -> None:
    hook(people["coordinator"], receiver.url)
    with running(), running():
        for _ in range(8):
            ends(batch_of(people["artist"], shot, jobs=2))
        until(lambda: Delivery.objects.filter(state="delivered").count() == 8)
    assert len(inbox(people["artist"])) == 8
    ids = [request.headers["x-shotfarm-delivery"] for request in receiver.received]
    assert len(ids) == len(set(ids)) == 8


def test_a_database_that_goes_away_is_waited_for(
    people: dict[str, User], shot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = reading.read_turn
    outages: list[int] = []

    def away() -> int:
        if len(outages) < 2:
            outages.append(1)
            raise OperationalError("the server closed the connection unexpectedly")
        return real()

    monkeypatch.setattr(office, "read_turn", away)
    ends(batch_of(people["artist"], shot, jobs=1))
    with running():
        until(lambda: len(inbox(people["artist"])) == 1)
    assert len(outages) == 2


def test_old_notices_are_forgotten_with_their_deliveries(people: dict[str, User]) -> None:
    row = subscribes(people["viewer"], Kind.JOB_DONE, road=Road.WEBHOOK, url="https://hooks.example/")
    for _ in range(3):
        subscribing.ping(row, user=people["viewer"])
    old, *_young = Notice.objects.all()
    Notice.objects.filter(pk=old.pk).update(last_at=database_now() - timedelta(days=91))
    assert tidy() == 1
    assert Notice.objects.count() == Delivery.objects.count() == 2
    assert tidy() == 0
