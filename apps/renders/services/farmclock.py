"""The farm's one row of memory: when word last came, and until when no lease may expire."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from apps.nodes.models import Node
from apps.renders.models import Attempt, FarmClock
from apps.renders.states import ON_NODE, AttemptState


def farm_clock() -> FarmClock:
    """Return the row, made if it is missing."""
    return FarmClock.objects.get_or_create(pk=1)[0]


def word_came(now: datetime) -> None:
    """Note that some node reported. After a silence of the whole farm, leases get one full grace.

    Written at most once a second, whatever the number of nodes.
    """
    clock = farm_clock()
    if clock.word_at is not None and now - clock.word_at < timedelta(seconds=1):
        return
    silent = clock.word_at is None or now - clock.word_at > timedelta(seconds=settings.SILENCE_SECONDS)
    rows = FarmClock.objects.filter(
        Q(word_at=clock.word_at) if clock.word_at else Q(word_at__isnull=True), pk=1
    )
    if silent:
        rows.update(word_at=now, grace_until=now + timedelta(seconds=settings.LEASE_SECONDS))
    else:
        rows.update(word_at=now)


def give_grace(now: datetime) -> None:
    """Let no lease expire for one full lease: the coordinator has just started."""
    farm_clock()
    FarmClock.objects.filter(pk=1).update(grace_until=now + timedelta(seconds=settings.LEASE_SECONDS))


def after_jump(now: datetime) -> None:
    """The database's clock was put forward or back: what was reckoned by it before is no measure any more.

    Put forward, all leases seem to be over, so they get one grace. Put back, nothing seems ever to end: what
    lies further ahead than it can is brought back.
    """
    give_grace(now)
    FarmClock.objects.filter(word_at__gt=now).update(word_at=now)
    Node.objects.filter(reported_at__gt=now).update(reported_at=now)
    lease = now + timedelta(seconds=settings.LEASE_SECONDS)
    Attempt.objects.filter(state__in=ON_NODE, lease_until__gt=lease).update(lease_until=lease)
    accept = now + timedelta(seconds=settings.ACCEPT_SECONDS)
    Attempt.objects.filter(state=AttemptState.DISPATCHED, accept_by__gt=accept).update(accept_by=accept)


def leases_may_expire(now: datetime) -> bool:
    """Tell whether a lease that ran out means a lost node.

    Not during a grace; and when the whole farm falls silent, not before one more full lease has passed:
    then it is rather the road that is down than every node at once.
    """
    clock = farm_clock()
    if clock.word_at is None or (clock.grace_until is not None and now < clock.grace_until):
        return False
    silence = (now - clock.word_at).total_seconds()
    return not settings.SILENCE_SECONDS < silence < settings.SILENCE_SECONDS + settings.LEASE_SECONDS
