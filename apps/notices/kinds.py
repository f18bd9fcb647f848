"""What can be told: each kind of notice, and the state changes it comes of."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.models import StateEvent
from apps.nodes.states import HEALTH, NODE, Health, Observed
from apps.productions.automations import EVENTS as AUTOMATIONS
from apps.productions.automations import NOTIFIED
from apps.renders.states import CLOSED, JOB, OPEN, JobState

FARM: Final = UUID(int=0)
"""What a notice about nodes is about: all of them, so that a power cut is one notice, not five hundred."""


class Kind(models.TextChoices):
    """A kind of notice. The value is the event's name in a webhook's body."""

    BATCH_DONE = "batch.done", _("a batch is done")
    BATCH_FAILED = "batch.failed", _("a batch ended with failed jobs")
    JOB_DONE = "job.done", _("a job is done")
    JOB_FAILED = "job.failed", _("a job failed")
    JOB_QUARANTINED = "job.quarantined", _("a job was quarantined")
    NODE_SICK = "node.sick", _("a node is sick")
    NODE_DEAF = "node.deaf", _("a node is deaf")
    NODE_OFFLINE = "node.offline", _("a node went offline")
    NODE_BACK = "node.back", _("a node is back")
    SHOT_AUTOMATION = "shot.automation", _("an automation tells of a shot")
    PING = "ping", _("a test")


OF_BATCHES: Final = frozenset({Kind.BATCH_DONE, Kind.BATCH_FAILED})
"""Each end of a batch is a notice of its own. All other kinds add up."""
OF_NODES: Final = frozenset({Kind.NODE_SICK, Kind.NODE_DEAF, Kind.NODE_OFFLINE, Kind.NODE_BACK})
"""They belong to no project: an operator's."""
OFFERED: Final = tuple((kind.value, kind.label) for kind in Kind if kind is not Kind.PING)

_JOB: Final[dict[str, Kind]] = {
    JobState.SUCCEEDED: Kind.JOB_DONE,
    JobState.FAILED: Kind.JOB_FAILED,
    JobState.QUARANTINED: Kind.JOB_QUARANTINED,
}
_NODE: Final[dict[str, Kind]] = {
    Observed.SICK: Kind.NODE_SICK,
    Observed.DEAF: Kind.NODE_DEAF,
    Observed.OFFLINE: Kind.NODE_OFFLINE,
}
_AWAY: Final = (Observed.SICK, Observed.OFFLINE)
_HEALTH: Final[dict[str, Kind]] = {Health.SICK: Kind.NODE_SICK, Health.DEAF: Kind.NODE_DEAF}


def kind_of(event: StateEvent) -> Kind | None:
    """Return which kind of notice a state change is, None if it is none."""
    if event.machine == JOB.name:
        return _JOB.get(event.to_state)
    if event.machine == AUTOMATIONS:
        return Kind.SHOT_AUTOMATION if event.to_state == NOTIFIED else None
    if event.machine == HEALTH.name:  # what the coordinator concludes, whatever the node says of itself
        well_again = Kind.NODE_BACK if event.from_state == Health.SICK else None
        return _HEALTH.get(event.to_state, well_again)
    if event.machine != NODE.name:
        return None
    if told := _NODE.get(event.to_state):
        return told
    return Kind.NODE_BACK if event.from_state in _AWAY else None


def closes_job(event: StateEvent) -> bool:
    """Tell whether a job closed, so that its batch may have ended."""
    return event.machine == JOB.name and event.to_state in CLOSED


def opens_job(event: StateEvent) -> bool:
    """Tell whether a job that was closed is open again, so that its batch goes on."""
    return event.machine == JOB.name and event.from_state in CLOSED and event.to_state in OPEN
