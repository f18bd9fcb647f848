"""Schedules: nodes rest outside their working hours, by the database's clock."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db.models import Q

from apps.common.errors import Refused
from apps.nodes.hours import hours_of
from apps.nodes.models import Node, Schedule

logger = logging.getLogger(__name__)


def keep_hours(now: datetime) -> int:
    """Let nodes rest or work as their schedules say; return how many changed.

    Outside its hours a node finishes what it has and takes nothing, unless an operator lets it work on.
    """
    changed = Node.objects.filter(schedule=None, off_hours=True).update(off_hours=False)
    for schedule in Schedule.objects.filter(nodes__isnull=False).distinct():
        changed += _keep(schedule, now)
    return changed


def _keep(schedule: Schedule, now: datetime) -> int:
    nodes = Node.objects.filter(schedule=schedule)
    works_on = Q(works_until__gt=now)
    try:
        open_now = hours_of(schedule.timezone, schedule.windows).are_now(now)
    except Refused as refused:
        # A row that no form let in, or a time zone this machine has lost: rather work than rest by mistake.
        logger.error("schedule not readable", extra={"schedule": schedule.name, "why": str(refused)})
        open_now = True
    if open_now:
        return nodes.filter(off_hours=True).update(off_hours=False)
    woken = nodes.filter(works_on, off_hours=True).update(off_hours=False)
    sent_to_rest = nodes.exclude(works_on).filter(off_hours=False).update(off_hours=True)
    if woken or sent_to_rest:
        logger.info("working hours", extra={"schedule": schedule.name, "rest": sent_to_rest, "work": woken})
    return woken + sent_to_rest
