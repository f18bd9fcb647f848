"""Schedules: nodes rest outside their working hours, by the database's clock."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from apps.common.errors import Refused
from apps.common.models import StateEvent
from apps.nodes.hours import hours_of
from apps.nodes.models import Node, Schedule
from apps.nodes.states import NODE_HOURS, Hours
from apps.nodes.words import HOURS_BEGIN, HOURS_OVER, NO_SCHEDULE, NOT_READABLE, WORKS_ON

logger = logging.getLogger(__name__)

ACTOR: Final = "coordinator"


def keep_hours(now: datetime) -> int:
    """Let nodes rest or work as their schedules say; return how many changed. Each change is an event.

    Outside its hours a node finishes what it has and takes nothing, unless an operator lets it work on.
    """
    free = Node.objects.filter(schedule=None, off_hours=True)
    changed = _set(free, Hours.WORKING, lambda _node: NO_SCHEDULE)
    for schedule in Schedule.objects.filter(nodes__isnull=False).distinct():
        changed += _keep(schedule, now)
    return changed


def _keep(schedule: Schedule, now: datetime) -> int:
    nodes = Node.objects.filter(schedule=schedule)
    works_on = Q(works_until__gt=now)
    named = {"schedule": schedule.name}
    begun = HOURS_BEGIN
    try:
        open_now = hours_of(schedule.timezone, schedule.windows).are_now(now)
    except Refused as refused:
        # A row that no form let in, or a time zone this machine has lost: rather work than rest by mistake.
        logger.error("schedule not readable", extra={"schedule": schedule.name, "why": str(refused)})
        open_now, begun = True, NOT_READABLE
    resting = nodes.filter(off_hours=True)
    if open_now:
        return _set(resting, Hours.WORKING, lambda _node: begun % named)
    woken = _set(
        resting.filter(works_on),
        Hours.WORKING,
        lambda node: WORKS_ON % {**named, "who": node.works_by or "–"},
    )
    working = nodes.exclude(works_on).filter(off_hours=False)
    return woken + _set(working, Hours.RESTING, lambda _node: HOURS_OVER % named)


def _set(nodes: QuerySet[Node], to: Hours, why: Callable[[Node], str]) -> int:
    """Let these nodes rest or work, each for its reason; return how many did not already."""
    if not nodes.exists():  # nearly always: a lock each second would be in the way of reports
        return 0
    with transaction.atomic():
        rows = list(nodes.order_by("pk").only("name", "works_by").select_for_update(no_key=True))
        Node.objects.filter(pk__in=[node.pk for node in rows]).update(off_hours=to == Hours.RESTING)
        StateEvent.objects.bulk_create(
            StateEvent(
                story=node.pk, machine=NODE_HOURS, subject=node.pk, to_state=to, actor=ACTOR, reason=why(node)
            )
            for node in rows
        )
    logger.info("working hours", extra={"nodes": [node.name for node in rows], "to": str(to)})
    return len(rows)
