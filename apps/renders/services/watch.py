"""The leader looks after its nodes, once a second: hours, blocks, ears, health, golden renders, software."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db.models import Q

from apps.nodes.models import Node
from apps.nodes.services import keep_hours, recover, watch_software
from apps.nodes.states import Health
from apps.nodes.words import NOT_PROBED
from apps.renders.services.breaker import put_on_trial
from apps.renders.services.canaries import watch_ears
from apps.renders.services.proof_bounds import give_up_late, make_way
from apps.renders.services.proofs import expire, send_waiting

ACTOR: Final = "coordinator"
PROBES: Final = "probe"
SOFTWARE_EVERY: Final = 10
"""Seconds between two looks at software: when a farm starts, every node tells its own within moments."""


def watch_nodes(now: datetime) -> None:
    """Keep what the coordinator concludes of nodes up to date."""
    keep_hours(now)
    put_on_trial(now)
    watch_ears(now)
    _ask_for_probes(now)
    expire(now)
    make_way()
    give_up_late(now)
    send_waiting(now)
    if now.second % SOFTWARE_EVERY == 0:
        watch_software()


def _ask_for_probes(now: datetime) -> None:
    """Ask SICK nodes for a probe again; who knows no probes may try work again after a while."""
    due = Q(probe_asked_at=None) | Q(probe_asked_at__lte=now - timedelta(seconds=settings.PROBE_SECONDS))
    Node.objects.filter(due, health=Health.SICK).update(probe_asked_at=now)
    patience = timedelta(seconds=settings.SICK_SECONDS)
    for node in Node.objects.filter(health=Health.SICK, sick_since__lte=now - patience).only("name", "hears"):
        if PROBES not in node.hears:
            reason = NOT_PROBED % {"minutes": round(settings.SICK_SECONDS / 60)}
            recover(node, actor=ACTOR, reason=reason, from_=(Health.SICK,))
