"""One dispatcher leads at a time, and another follows when it is gone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from apps.common.clock import database_now
from apps.renders.models import FarmClock
from apps.renders.services.leader import Leadership
from tests.integration.renders.elsewhere import from_elsewhere
from tests.integration.workers.waiting import until

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def ours() -> Leadership:
    """This process's claim to lead."""
    return Leadership()


@pytest.fixture
def theirs() -> Leadership:
    """Another process's claim to lead."""
    other = Leadership()
    other.name = "another process"
    return other


def test_while_one_process_leads_no_other_does(ours: Leadership, theirs: Leadership) -> None:
    assert ours.held()
    assert not from_elsewhere(theirs.held)
    assert ours.held(), "asking again keeps the lead"
    assert not from_elsewhere(theirs.held)
    ours.resign()


def test_a_leader_that_resigns_is_followed_at_once(ours: Leadership, theirs: Leadership) -> None:
    assert ours.held()
    assert ours.held()
    ours.resign()

    def lead_and_resign() -> bool:
        led = theirs.held()
        theirs.resign()
        return led

    assert from_elsewhere(lead_and_resign)


def test_a_leader_that_is_gone_is_followed(ours: Leadership, theirs: Leadership) -> None:
    assert from_elsewhere(theirs.held)
    theirs.close()  # as death would
    if connection.vendor == "sqlite":
        assert not ours.held(), "a row cannot know that its writer is gone before its term is over"
        FarmClock.objects.update(leader_until=database_now() - timedelta(seconds=1))
    until(ours.held)  # PostgreSQL drops the lock a moment after it has seen the connection close
    ours.resign()


def test_a_leader_that_stands_still_is_deposed_when_its_beat_is_overdue(
    ours: Leadership, theirs: Leadership
) -> None:
    assert from_elsewhere(theirs.held)
    assert not ours.held()
    FarmClock.objects.update(leader_until=database_now() - timedelta(seconds=1))
    until(ours.held)
    assert not from_elsewhere(theirs.held), "it wakes, and finds another leading"
    ours.resign()
