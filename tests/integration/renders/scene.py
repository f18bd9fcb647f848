"""What engine tests do to the farm besides playing its nodes: look again, and let time pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage

from apps.accounts.models import User
from apps.common.clock import database_now
from apps.nodes.models import Node
from apps.projects.models import Project
from apps.renders.models import Attempt, FarmClock, Job, Need, NeedTier
from apps.renders.services.dispatch import dispatch
from apps.renders.services.farmclock import farm_clock
from apps.renders.services.submit import Step, submit
from farm.contracts import RenderOrder, Stage
from tests.factories import ShotFactory
from tests.integration.renders.hand import Hand

MEAN_S = 600.0
"""How long a render took that was seen before."""


def again(job: Job) -> Job:
    """The job as the database has it now."""
    return Job.objects.get(pk=job.pk)


def attempt_of(order: RenderOrder) -> Attempt:
    """The order's attempt as the database has it now."""
    return Attempt.objects.get(pk=order.attempt_id)


def dispatched(hand: Hand) -> RenderOrder:
    """End every pause, dispatch, and let the node take an order without claiming it."""
    Job.objects.filter(start_after__isnull=False).update(start_after=database_now())
    dispatch()
    order = hand.order()
    assert order is not None, "no order in the broker"
    return order


def next_order(hand: Hand) -> RenderOrder:
    """End every pause, dispatch, and let the node claim an order."""
    Job.objects.filter(start_after__isnull=False).update(start_after=database_now())
    dispatch()
    return hand.claimed()


def executing(hand: Hand) -> RenderOrder:
    """An order the node has claimed and reported to be executing."""
    order = next_order(hand)
    hand.works_on(order, Stage.EXECUTING)
    hand.reports()
    return order


def press(film: Project, user: User, template: str, key: str = "another", **more: Any) -> Job:
    """Submit one more shot; return its job."""
    shot = ShotFactory.create(sequence=film.sequences.get())
    steps = [Step(template=template, **more)]
    batch = submit(user=user, project=film, shots=[shot], steps=steps, idempotency_key=key).batch
    made: Job = batch.jobs.get()
    return made


@contextmanager
def store_away() -> Iterator[None]:
    """The artifact store's server does not answer."""

    def stale(*_: object) -> bool:
        raise OSError(116, "Stale file handle")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileSystemStorage, "exists", stale)
        yield


def node_falls_silent(seconds: float = 60) -> None:
    """The node's last word, and its leases, lie this far back; others have reported just now."""
    now = database_now()
    past = now - timedelta(seconds=seconds)
    Node.objects.update(reported_at=past)
    Attempt.objects.update(lease_until=past + timedelta(seconds=30))
    farm_clock()
    FarmClock.objects.update(word_at=now, grace_until=None)


def lease_runs_out(order: RenderOrder) -> None:
    """The attempt's lease is over, while its node and all others go on reporting."""
    now = database_now()
    Attempt.objects.filter(pk=order.attempt_id).update(lease_until=now - timedelta(seconds=1))
    farm_clock()
    FarmClock.objects.update(word_at=now, grace_until=None)


def acceptance_is_overdue() -> None:
    """Every order sent should have been accepted a second ago."""
    Attempt.objects.update(accept_by=database_now() - timedelta(seconds=1))


def seen(*jobs: Job, mean: float = MEAN_S, spread: float = 30.0, count: int = 20) -> None:
    """Renders of the jobs' kind took this long so far."""
    for need in Need.objects.filter(lanes__jobs__in=jobs).distinct():
        NeedTier.objects.update_or_create(
            need=need,
            tier_gb=24,
            defaults={"successes": count, "seconds_mean": mean, "seconds_m2": spread**2 * (count - 1)},
        )


def renders(hand: Hand, *, since_s: float = 0.0, progress: float = 0.0) -> Job:
    """The node claims an order and executes it since then."""
    dispatch()
    order = hand.claimed()
    hand.works_on(order, Stage.EXECUTING)
    hand.reports()
    Attempt.objects.filter(pk=order.attempt_id).update(
        executing_at=database_now() - timedelta(seconds=since_s)
    )
    Job.objects.filter(pk=order.job_id).update(progress=progress)
    return Job.objects.get(pk=order.job_id)
