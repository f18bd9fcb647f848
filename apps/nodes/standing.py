"""How a node stands, in words: its state, what is wished, what is concluded, and why."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.common.errors import Refused
from apps.common.show import badge, moment, state_badge
from apps.nodes.hours import hours_of
from apps.nodes.models import Node, Schedule
from apps.nodes.states import Desired, Health, SoftwareState
from apps.nodes.words import reason_in_words

MISHEARD_FOR: Final = timedelta(minutes=2)
"""How long it is shown that something was not taken: a node that goes on saying it does so every 20 s."""


def badges(node: Node, *, empty: bool | None = None) -> SafeString:
    """Show a node's state and whatever else decides whether it gets work.

    ``empty``: whether it has nothing in hand, if that is known: a draining node is drained then.
    """
    shown = [state_badge(node.observed, node.get_observed_display())]
    if node.desired == Desired.DRAINING and empty:
        shown.append(badge(_("drained"), "amber"))
    elif node.desired != Desired.ACTIVE:
        shown.append(state_badge(node.desired, node.get_desired_display()))
    if node.health != Health.WELL:
        shown.append(badge(_("concluded: %(health)s") % {"health": node.get_health_display()}, "red"))
    if node.off_hours:
        shown.append(badge(_("off hours"), "blue"))
    if node.software_state == SoftwareState.DRIFTED:
        shown.append(badge(_("drift"), "amber"))
    return format_html_join(" ", "{}", ((one,) for one in shown))


def reasons(node: Node, now: datetime) -> list[str]:
    """Say why it gets no work, or less than it could: one sentence each."""
    told = []
    if node.health != Health.WELL:
        since = moment(node.sick_since) if node.sick_since else "–"
        told.append(
            _("%(health)s since %(since)s: %(reason)s")
            % {
                "health": node.get_health_display(),
                "since": since,
                "reason": reason_in_words(node.sick_reason),
            }
        )
    if node.desired != Desired.ACTIVE and node.desired_by:
        by = _("%(desired)s by %(who)s") % {"desired": node.get_desired_display(), "who": node.desired_by}
        told.append(f"{by}: {node.desired_reason}" if node.desired_reason else by)
    if node.schedule is not None and node.off_hours:
        told.append(_rest(node.schedule, now))
    if node.schedule is not None and node.works_until is not None and node.works_until > now:
        told.append(
            _("works until %(until)s by %(who)s’s wish (schedule %(schedule)s)")
            % {
                "until": moment(node.works_until),
                "who": node.works_by or "–",
                "schedule": node.schedule.name,
            }
        )
    if misheard := misheard_words(node, now):
        told.append(misheard)
    if node.reason:
        told.append(reason_in_words(node.reason))
    return told


def misheard_words(node: Node, now: datetime) -> str:
    """Say why what came lately under its name was not taken; "" if all was."""
    lately = node.misheard_at is not None and now - node.misheard_at < MISHEARD_FOR
    return reason_in_words(node.misheard) if lately else ""


@lru_cache(maxsize=256)
def _change(zone: str, windows: str, minute: datetime) -> datetime | None:
    """When a schedule's hours change next; asked for every node of a page, found once a minute."""
    try:
        return hours_of(zone, json.loads(windows)).change_after(minute)
    except Refused:
        return None


def _rest(schedule: Schedule, now: datetime) -> str:
    until = _change(schedule.timezone, json.dumps(schedule.windows), now.replace(second=0, microsecond=0))
    if until is None:
        return _("rests (schedule %(schedule)s)") % {"schedule": schedule.name}
    soon = (until - now).total_seconds() < 24 * 3600
    return _("rests until %(until)s (schedule %(schedule)s)") % {
        "until": f"{timezone.localtime(until):%H:%M}" if soon else moment(until),
        "schedule": schedule.name,
    }
