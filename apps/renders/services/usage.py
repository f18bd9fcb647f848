"""GPU seconds by project and hour: what a fair share is judged by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from django.db.models import F

from apps.common.clock import database_now
from apps.renders.models import Usage
from apps.renders.scheduling.round import USE_WINDOW


def charge(used: Iterable[tuple[UUID, float]]) -> None:
    """Add GPU seconds to projects, in the present hour. Nothing is written for nothing."""
    totals: dict[UUID, float] = defaultdict(float)
    for project_id, seconds in used:
        if seconds > 0:
            totals[project_id] += seconds
    if not totals:
        return
    hour = database_now().replace(minute=0, second=0, microsecond=0)
    for project_id in sorted(totals):  # in one order everywhere, so that nobody waits for each other
        rows = Usage.objects.filter(project_id=project_id, hour=hour)
        if not rows.update(gpu_seconds=F("gpu_seconds") + totals[project_id]):
            Usage.objects.bulk_create([Usage(project_id=project_id, hour=hour)], ignore_conflicts=True)
            rows.update(gpu_seconds=F("gpu_seconds") + totals[project_id])


def forget_old() -> int:
    """Delete hours that no window reaches any more; return how many rows."""
    return Usage.objects.filter(hour__lt=database_now() - 2 * USE_WINDOW).delete()[0]
