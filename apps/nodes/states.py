"""A node's observed state, and what is desired of it."""

from __future__ import annotations

from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.common.machines import Machine


class Observed(models.TextChoices):
    """What reports say, or what their absence means."""

    STARTING = "starting", _("starting")
    IDLE = "idle", _("idle")
    BUSY = "busy", _("busy")
    DEAF = "deaf", _("deaf")
    SICK = "sick", _("sick")
    OFFLINE = "offline", _("offline")


class Desired(models.TextChoices):
    """What an operator or a schedule wants."""

    ACTIVE = "active", _("active")
    DRAINING = "draining", _("draining")
    PAUSED = "paused", _("paused")


class Health(models.TextChoices):
    """What the coordinator concludes of a node, whatever the node says of itself."""

    WELL = "well", _("well")
    SICK = "sick", _("sick")
    DEAF = "deaf", _("deaf")


class SoftwareState(models.TextChoices):
    """Whether a node's software is what was accepted, and what its pool has."""

    SAME = "same", _("as accepted")
    DRIFTED = "drifted", _("drifted")


class Hours(models.TextChoices):
    """What its schedule means for a node now; told in events of machine NODE_HOURS, kept as ``off_hours``."""

    WORKING = "working", _("works")
    RESTING = "resting", _("rests")


NODE_HOURS: Final = "node_hours"

SERVING: Final = (Observed.IDLE, Observed.BUSY)
"""States in which a node may be given work."""

_ALL = frozenset(str(state) for state in Observed)
_WISHES = frozenset(str(wish) for wish in Desired)
NODE: Final = Machine(
    name="node", field="observed", moves={"": _ALL, **{str(state): _ALL - {str(state)} for state in Observed}}
)
DESIRED: Final = Machine(
    name="node_desired",
    field="desired",
    moves={"": frozenset({Desired.ACTIVE}), **{str(wish): _WISHES - {str(wish)} for wish in Desired}},
)
"""The operator's intent beside it. Every node begins active, without a word."""

HEALTH: Final = Machine(
    name="node_health",
    field="health",
    moves={
        "": frozenset({Health.WELL}),
        Health.WELL: frozenset({Health.SICK, Health.DEAF}),
        Health.SICK: frozenset({Health.WELL, Health.DEAF}),
        Health.DEAF: frozenset({Health.WELL, Health.SICK}),
    },
)
"""What failures and silence let the coordinator conclude. Every node begins well, without a word."""

SOFTWARE: Final = Machine(
    name="node_software",
    field="software_state",
    moves={
        "": frozenset({SoftwareState.SAME}),
        SoftwareState.SAME: frozenset({SoftwareState.DRIFTED}),
        SoftwareState.DRIFTED: frozenset({SoftwareState.SAME}),
    },
)
"""Whether its software drifted. Every node begins as it is, without a word."""
