"""What happened is told to each subscription that wants it, added up where it belongs together."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import F, Max

from apps.common.clock import database_now
from apps.common.models import StateEvent
from apps.common.news import PERSONAL, tell
from apps.notices.kinds import OF_BATCHES, Kind
from apps.notices.models import Delivery, Notice, Road, Subscription
from apps.notices.services.audience import Audience
from apps.notices.services.occurrences import Occurrence, occurrences_in

logger = logging.getLogger(__name__)

COLLECT: Final[Mapping[str, timedelta]] = {
    Road.EMAIL: timedelta(seconds=30),
    Road.WEBHOOK: timedelta(seconds=2),
}
"""How long a mail or a webhook waits for more of its kind."""
MAIL_AGAIN: Final = timedelta(minutes=15)
"""The next mail of a kind about the same thing comes no sooner: what happens meanwhile is in it."""
MOST_ITEMS: Final[Mapping[str, int]] = {Road.INBOX: 20, Road.EMAIL: 20, Road.WEBHOOK: 100}
"""An inbox and a mail name the first few and count the rest; a full webhook goes, and the next one begins."""

Heap = tuple[UUID, Kind, UUID]
"""What is added up: subscription, kind, what it is about."""


def announce(events: Sequence[StateEvent]) -> int:
    """Write the notices of these events; return how many were written or added to.

    Runs inside the reader's transaction.
    """
    happened = occurrences_in(events)
    if not happened:
        return 0
    audience = Audience(happened)
    heaps: dict[Heap, list[Occurrence]] = defaultdict(list)
    for what in happened:
        for subscription in audience.of(what):
            heaps[subscription.pk, what.kind, what.about].append(what)
    if not heaps:
        return 0
    _Writer(heaps, audience.subscriptions).write()
    logger.info("notices written", extra={"events": len(events), "notices": len(heaps)})
    return len(heaps)


class _Writer:
    """Writes the heaps of one turn."""

    def __init__(
        self, heaps: Mapping[Heap, list[Occurrence]], subscriptions: Mapping[UUID, Subscription]
    ) -> None:
        self._heaps = heaps
        self._subscriptions = subscriptions
        self._now = database_now()
        self._notices: list[Notice] = []
        self._deliveries: list[Delivery] = []

    def write(self) -> None:
        """Add to what is open, begin what is not."""
        waiting = self._open_notices()
        for heap, happened in self._heaps.items():
            subscription = self._subscriptions[heap[0]]
            left = happened
            if notice := waiting.get(heap):
                left = _add(notice, subscription, happened)
            for part in _portions(heap[1], subscription, left):
                self._begin(subscription, part)
        Notice.objects.bulk_create(self._notices)
        Delivery.objects.bulk_create(self._deliveries)
        inboxes = (self._subscriptions[heap[0]] for heap in self._heaps)
        if readers := {row.owner_id for row in inboxes if row.road == Road.INBOX and row.owner_id}:
            tell(PERSONAL, readers)

    def _open_notices(self) -> dict[Heap, Notice]:
        kinds = {heap[1] for heap in self._heaps} - OF_BATCHES
        rows = Notice.objects.filter(
            open=True,
            subscription__in={heap[0] for heap in self._heaps},
            kind__in=kinds,
            about__in={heap[2] for heap in self._heaps},
        )
        # The lock holds off whoever reads it or sends it, until what is added stands in it.
        found = rows.select_for_update(of=("self",)).order_by("pk")
        return {(notice.subscription_id, Kind(notice.kind), notice.about): notice for notice in found}

    def _begin(self, subscription: Subscription, part: list[Occurrence]) -> None:
        first = part[0]
        most = MOST_ITEMS[subscription.road]
        full = subscription.road == Road.WEBHOOK and len(part) >= most
        notice = Notice(
            subscription=subscription,
            recipient_id=subscription.owner_id if subscription.road == Road.INBOX else None,
            project_id=first.project,
            kind=first.kind,
            about=first.about,
            code=first.code,
            count=len(part),
            items=[what.item for what in part[:most]],
            open=first.kind not in OF_BATCHES and not full,
            first_at=first.at,
            last_at=part[-1].at,
        )
        self._notices.append(notice)
        if subscription.road != Road.INBOX:
            due = self._due(subscription, notice)
            self._deliveries.append(Delivery(subscription=subscription, notice=notice, next_try_at=due))

    def _due(self, subscription: Subscription, notice: Notice) -> datetime:
        if not notice.open:
            return self._now
        due = self._now + COLLECT[subscription.road]
        if subscription.road != Road.EMAIL:
            return due
        earlier = Delivery.objects.filter(
            subscription=subscription, notice__kind=notice.kind, notice__about=notice.about
        )
        last = earlier.aggregate(last=Max("settled_at"))["last"]
        return due if last is None else max(due, last + MAIL_AGAIN)


def _add(notice: Notice, subscription: Subscription, happened: list[Occurrence]) -> list[Occurrence]:
    """Add to an open notice what it still takes; return what it does not."""
    most = MOST_ITEMS[subscription.road]
    room = most - len(notice.items)
    taken = happened[:room] if subscription.road == Road.WEBHOOK else happened
    if taken:
        items = [*notice.items, *(what.item for what in taken[:room])]
        full = subscription.road == Road.WEBHOOK and len(items) >= most
        Notice.objects.filter(pk=notice.pk).update(
            count=F("count") + len(taken),
            items=items,
            last_at=taken[-1].at,
            open=not full,
            updated_at=database_now(),
            row_version=F("row_version") + 1,
        )
    return happened[len(taken) :]


def _portions(
    kind: Kind, subscription: Subscription, happened: Sequence[Occurrence]
) -> Iterator[list[Occurrence]]:
    """Cut a heap into notices: each end of a batch alone, a webhook's by what it takes, all else in one."""
    if not happened:
        return
    size = len(happened)
    if kind in OF_BATCHES:
        size = 1
    elif subscription.road == Road.WEBHOOK:
        size = MOST_ITEMS[Road.WEBHOOK]
    for start in range(0, len(happened), size):
        yield list(happened[start : start + size])
