"""Let go of activity that is too old to be asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from apps.ledger.models import Activity, Batch

AT_ONCE: Final = 5_000


def trim(before: datetime) -> int:
    """Delete activity from before this moment, and bulk changes of which nothing is left; return how many.

    In pieces, so that nobody waits for one long transaction. What was trimmed is neither restored nor undone.
    """
    gone = 0
    while keys := list(Activity.objects.filter(at__lt=before).order_by("id").values_list("pk")[:AT_ONCE]):
        gone += Activity.objects.filter(pk__in=[key for (key,) in keys]).delete()[0]
    Batch.objects.filter(at__lt=before, activities=None).delete()
    return gone
