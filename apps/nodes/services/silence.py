"""A node that says nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from apps.common.machines import move
from apps.nodes.models import Node
from apps.nodes.states import NODE, Observed


def mark_silent_nodes_offline(now: datetime) -> list[Node]:
    """Conclude OFFLINE for nodes without a report for OFFLINE_SECONDS; return them."""
    silent = Node.objects.exclude(observed=Observed.OFFLINE).filter(
        reported_at__lt=now - timedelta(seconds=settings.OFFLINE_SECONDS)
    )
    reason = f"no report for {settings.OFFLINE_SECONDS:.0f} s"
    return [
        node
        for node in silent.only("observed", "reported_at", "name")
        if move(
            NODE,
            node,
            from_=(node.observed,),
            to=Observed.OFFLINE,
            actor="sweep",
            reason=reason,
            where={"reported_at": node.reported_at},
            changes={"reason": reason, "observed_since": now, "resident": []},
        )
    ]
