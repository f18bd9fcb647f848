"""Canaries: a node that says it is idle, while work waits for it, shows whether it reads its own queue.

A worker's reports leave by another road than its orders come. One whose ears are dead goes on reporting,
and every order it is given waits in vain. A canary goes by the node's own queue and nowhere else; the node
tells of it in its next report.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import F, Min, Q, QuerySet

from apps.nodes.models import Node
from apps.nodes.services import conclude
from apps.nodes.states import Desired, Health, Observed
from apps.nodes.words import UNHEARD
from apps.renders.models import Lane
from apps.renders.services import bus
from apps.renders.services.farmclock import leases_may_expire
from farm.tiers import node_queue

logger = logging.getLogger(__name__)

HEARS: Final = "canary"
MOST_ASKED: Final = 10
"""Nodes asked in one second: each is a trip to the broker, and meanwhile the leader sends no orders."""
MISSES: Final = 2
"""A canary that is gone from the queue unheard may have been lost with the broker: one more is sent."""


def watch_ears(now: datetime) -> int:
    """Ask suspects whether they hear, and conclude DEAF of those that do not; return how many were asked."""
    asked = 0
    try:
        _listen(now)
        for node in _suspects(now):
            if not bus.waiting_on(_queue(node)):  # else what waits there unread is canary enough
                asked += bus.send_canary(_queue(node), now.isoformat())
            Node.objects.filter(pk=node.pk).update(canary_sent_at=now)
    except bus.BROKER_ERRORS as exc:
        logger.warning("canaries cannot fly", extra={"error": str(exc)})
    return asked


def order_unread(node_ids: Iterable[UUID], now: datetime) -> None:
    """Note that orders on these nodes' own queues were recalled: they become suspects."""
    Node.objects.filter(pk__in=node_ids).update(recalled_at=now)


def _idle() -> QuerySet[Node]:
    """Nodes that say they wait for work, and should be given some. Deaf ones too: they may hear again."""
    nodes = Node.objects.filter(
        observed=Observed.IDLE, desired=Desired.ACTIVE, health__in=(Health.WELL, Health.DEAF), off_hours=False
    )
    return nodes.exclude(capabilities_of="").only(
        "name", "epoch", "hears", "health", "observed_since", "reported_at",
        "canary_sent_at", "canary_heard_at", "canary_missed", "recalled_at",
    )  # fmt: skip


def _suspects(now: datetime) -> list[Node]:
    """Idle nodes for which work waits, that were not asked lately: the first few of them."""
    often_enough = Q(canary_sent_at__gt=now - timedelta(seconds=settings.CANARY_EVERY_SECONDS))
    recalled = Q(recalled_at__isnull=False) & (
        Q(canary_sent_at__isnull=True) | Q(recalled_at__gte=F("canary_sent_at"))
    )
    waits = Q(health=Health.DEAF) | recalled
    lowest = Lane.objects.filter(active=True).aggregate(lowest=Min("need__tier_gb"))["lowest"]
    if lowest is not None:
        long_idle = Q(observed_since__lte=now - timedelta(seconds=settings.CANARY_IDLE_SECONDS))
        tier = Q(tier_gb__gte=lowest) if lowest else Q()
        waits |= long_idle & tier
    due = _idle().filter(waits).exclude(often_enough)
    longest_unasked = due.order_by(
        F("recalled_at").desc(nulls_last=True), F("canary_sent_at").asc(nulls_first=True), "name"
    )
    return list(islice((node for node in longest_unasked if HEARS in node.hears), MOST_ASKED))


def _listen(now: datetime) -> None:
    """Conclude DEAF of nodes that have not heard their canary, while they report and the road is up."""
    patience = timedelta(seconds=settings.CANARY_SECONDS)
    unheard = _idle().filter(
        Q(canary_heard_at__isnull=True) | Q(canary_heard_at__lt=F("canary_sent_at")),
        health=Health.WELL,
        canary_sent_at__lte=now - patience,
        reported_at__gt=now - patience / 2,
        observed_since__lte=F("canary_sent_at"),  # who has rendered meanwhile has heard something
    )
    for node in list(unheard):
        if not leases_may_expire(now) or node.canary_sent_at is None:
            return
        if bus.waiting_on(_queue(node)) or node.canary_missed + 1 >= MISSES:
            passed = (now - node.canary_sent_at).total_seconds()
            conclude({node: UNHEARD % {"seconds": f"{passed:.0f}"}}, to=Health.DEAF, now=now)
        elif bus.send_canary(_queue(node), now.isoformat()):
            Node.objects.filter(pk=node.pk).update(canary_sent_at=now, canary_missed=F("canary_missed") + 1)


def _queue(node: Node) -> str:
    return node_queue(node.name, node.epoch)
