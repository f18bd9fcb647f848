"""Mails and webhooks go out: one at a time per subscription, tried again on a schedule that stands in rows.

Whoever takes a subscription has it alone (``busy_until``); a sender that dies inside is followed when that
time is over, and what it was sending is sent again: at least once, under the same id. One that fails is left
alone for a while (``blocked_until``), so that it costs the others nothing.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from apps.common.clock import database_now
from apps.common.errors import Problem, Refused
from apps.notices.models import Delivery, DeliveryState, DeliveryTry, Notice, Subscription
from apps.notices.services.answers import Answer
from apps.notices.services.sending import may_still_know, send
from farm.logs import bound

logger = logging.getLogger(__name__)

RETRY_AFTER_S: Final = (10, 30, 120, 600, 1800, 7200, 21600)
"""Pauses between tries: eight tries within nine hours."""
MOST_TRIES: Final = len(RETRY_AFTER_S) + 1
BLOCK_AFTER_S: Final = (10, 30, 120, 300)
"""How long a subscription is left alone after one failure in a row, two, …"""
HOLD: Final = timedelta(seconds=60)
TURN_S: Final = 20.0
"""A sender begins no further delivery after this long: it must be done before HOLD is over."""
GIVE_UP_AFTER: Final = timedelta(days=1)


def due_subscriptions(*, but: Iterable[UUID] = (), at_most: int = 20) -> list[UUID]:
    """Return subscriptions with something to deliver now, those left alone longest first."""
    now = database_now()
    due = Delivery.objects.filter(
        subscription=OuterRef("pk"), state=DeliveryState.PENDING, next_try_at__lte=now
    )
    rows = (
        _free(now)
        .filter(Exists(due))
        .exclude(pk__in=list(but))
        .order_by(F("blocked_until").asc(nulls_first=True))
    )
    return list(rows.values_list("pk", flat=True)[:at_most])


def serve(subscription_id: UUID, *, should_stop: Callable[[], bool] = lambda: False) -> int:
    """Deliver what is due for one subscription; return how many tries were made. 0: somebody else does."""
    now = database_now()
    held_until = now + HOLD
    if not _free(now).filter(pk=subscription_id).update(busy_until=held_until):
        return 0
    tries, ends = 0, time.monotonic() + TURN_S
    try:
        while time.monotonic() < ends and not should_stop():
            delivery = _next_due(subscription_id)
            if delivery is None:
                break
            tries += 1
            with bound(delivery=delivery.pk, subscription=subscription_id):
                if not _try(delivery):
                    break
    finally:
        Subscription.objects.filter(pk=subscription_id, busy_until=held_until).update(busy_until=None)
    return tries


def redeliver(delivery: Delivery) -> None:
    """Deliver again from the beginning, at once. Raises Refused for what was not tried yet."""
    if delivery.state == DeliveryState.PENDING and not delivery.tries:
        raise Refused(Problem("state", delivery.state, _("it is on its way for the first time")))
    Delivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.PENDING, tries=0, next_try_at=database_now(), settled_at=None, reason=""
    )
    Subscription.objects.filter(pk=delivery.subscription_id).update(blocked_until=None, failures=0)


def _free(now: datetime) -> QuerySet[Subscription]:
    return Subscription.objects.filter(
        Q(busy_until__isnull=True) | Q(busy_until__lt=now),
        Q(blocked_until__isnull=True) | Q(blocked_until__lte=now),
        active=True,
    )


def _next_due(subscription_id: UUID) -> Delivery | None:
    rows = Delivery.objects.filter(
        subscription=subscription_id, state=DeliveryState.PENDING, next_try_at__lte=database_now()
    )
    return rows.order_by("next_try_at", "pk").first()


def _try(delivery: Delivery) -> bool:
    """Send one delivery and write down how it went; False if its subscription is to be left alone."""
    Notice.objects.filter(pk=delivery.notice_id, open=True).update(open=False)  # nothing is added any more
    # Read again after the notice was closed: what was added meanwhile is in it.
    row = Delivery.objects.select_related("notice__project", "subscription__owner").get(pk=delivery.pk)
    if not may_still_know(row):
        _settle(row, DeliveryState.GIVEN_UP, "whoever this is for may not see it any more")
        return True
    answer = send(row)
    with transaction.atomic():
        now = database_now()
        DeliveryTry.objects.create(
            delivery=row,
            at=now,
            ok=answer.ok,
            status=answer.status,
            milliseconds=answer.milliseconds,
            answer=answer.said[:300],
            error=answer.error[:300],
        )
        if answer.ok:
            _settle(row, DeliveryState.DELIVERED, "")
            Subscription.objects.filter(pk=row.subscription_id).update(blocked_until=None, failures=0)
        else:
            _failed(row, answer, now)
    facts = {"ok": answer.ok, "status": answer.status, "ms": answer.milliseconds, "error": answer.error}
    logger.log(logging.INFO if answer.ok else logging.WARNING, "delivery tried", extra=facts)
    return answer.ok


def _failed(row: Delivery, answer: Answer, now: datetime) -> None:
    failures = row.subscription.failures + 1
    pause = BLOCK_AFTER_S[min(failures, len(BLOCK_AFTER_S)) - 1]
    Subscription.objects.filter(pk=row.subscription_id).update(
        failures=failures, blocked_until=now + timedelta(seconds=pause)
    )
    tries = row.tries + 1
    if tries >= MOST_TRIES:
        _settle(row, DeliveryState.GIVEN_UP, answer.error, tries=tries)
    else:
        Delivery.objects.filter(pk=row.pk, state=DeliveryState.PENDING).update(
            tries=tries,
            next_try_at=now + timedelta(seconds=RETRY_AFTER_S[tries - 1]),
            reason=answer.error[:300],
            updated_at=now,
        )
    stale = Delivery.objects.filter(
        subscription=row.subscription_id, state=DeliveryState.PENDING, created_at__lt=now - GIVE_UP_AFTER
    )
    stale.update(state=DeliveryState.GIVEN_UP, settled_at=now, next_try_at=None, reason=answer.error[:300])


def _settle(row: Delivery, state: DeliveryState, reason: str, *, tries: int | None = None) -> None:
    now = database_now()
    Delivery.objects.filter(pk=row.pk, state=DeliveryState.PENDING).update(
        state=state,
        tries=row.tries + 1 if tries is None else tries,
        next_try_at=None,
        settled_at=now,
        reason=reason[:300],
        updated_at=now,
    )
