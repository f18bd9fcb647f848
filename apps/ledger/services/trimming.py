"""Let go of activity that is too old to be asked for."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from apps.ledger.models import Activity, Batch

logger = logging.getLogger(__name__)

AT_ONCE: Final = 5_000


def trim(before: datetime) -> int:
    """Delete activity from before this moment, and bulk changes of which nothing is left; return how many.

    In pieces, so that nobody waits for one long transaction. What was trimmed is neither restored nor undone.
    """
    gone = 0
    while piece := trim_piece(before):
        gone += piece
    return gone


def trim_old() -> None:
    """Delete a piece of what is older than ACTIVITY_DAYS; nothing where that is 0."""
    if settings.ACTIVITY_DAYS:
        gone = trim_piece(timezone.now() - timedelta(days=settings.ACTIVITY_DAYS))
        if gone:
            logger.info("activity trimmed", extra={"rows": gone})


def trim_piece(before: datetime) -> int:
    """Delete the oldest rows from before this moment; return how many: 0 when none is left.

    Only the oldest rows are looked at: keys are given out in the order of time, but for transactions that
    overlap. A bulk change goes whole, or its undo would take back a part of it.
    """
    oldest = Activity.objects.order_by("id").values_list("pk", "at", "batch")[:AT_ONCE]
    old = [(key, batch) for key, at, batch in oldest if at < before]
    if not old:
        return 0
    bulk = {batch for _key, batch in old if batch is not None}
    gone, _each = Activity.objects.filter(Q(pk__in=[key for key, _batch in old]) | Q(batch__in=bulk)).delete()
    left = Activity.objects.filter(batch=OuterRef("pk"))
    Batch.objects.filter(~Exists(left), pk__in=bulk, at__lt=before).delete()
    return gone
