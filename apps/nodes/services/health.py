"""What failures and silence let the coordinator conclude of a node: SICK, DEAF, well again."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings

from apps.common.clock import database_now
from apps.common.machines import Move, move, move_each, write_each
from apps.nodes.models import Node
from apps.nodes.states import HEALTH, Health
from apps.nodes.words import FAILED

logger = logging.getLogger(__name__)

ACTOR: Final = "coordinator"
REMEMBERED: Final = 20
"""Failed jobs remembered of one node."""


@dataclass(frozen=True, kw_only=True)
class Blamed:
    """A failure that may be the node's own fault. ``job``: its code, ``words``: what went wrong."""

    node_id: UUID
    job_id: UUID
    job: str
    words: str


def blame(failures: Sequence[Blamed], *, rendered: Collection[UUID]) -> list[Node]:
    """Count failures in a row and return who is SICK now. A success ends the row (``rendered``: whose).

    Failures of SICK_JOBS different jobs in a row make a node SICK. A constant number of statements.
    """
    if rendered:
        lucky = Node.objects.filter(pk__in=rendered, failures_in_a_row__gt=0)
        lucky.update(failures_in_a_row=0, failed_jobs=[])
    if not failures:
        return []
    by_node: dict[UUID, list[Blamed]] = {}
    for one in failures:
        by_node.setdefault(one.node_id, []).append(one)
    nodes = Node.objects.filter(pk__in=by_node).order_by("pk").select_for_update(no_key=True)
    sick: dict[Node, str] = {}
    counted: dict[UUID, dict[str, object]] = {}
    for node in nodes.only("name", "health", "failures_in_a_row", "failed_jobs"):
        mine = by_node[node.pk]
        jobs = [*dict.fromkeys([*node.failed_jobs, *(str(one.job_id) for one in mine)])][-REMEMBERED:]
        in_a_row = node.failures_in_a_row + len(mine)
        counted[node.pk] = {"failures_in_a_row": in_a_row, "failed_jobs": jobs}
        if node.health != Health.SICK and len(jobs) >= settings.SICK_JOBS:
            last = mine[-1]
            words = {"count": in_a_row, "jobs": len(jobs), "job": last.job, "failure": last.words}
            sick[node] = FAILED % words
    write_each(Node, counted)
    return conclude(sick, to=Health.SICK, now=database_now())


def conclude(reasons: Mapping[Node, str], *, to: Health, now: datetime) -> list[Node]:
    """Conclude SICK or DEAF of nodes, each for its reason; return those of which that was new.

    They are given no work; what they have goes on. A SICK one is asked for a probe with its next report.
    """
    from_ = tuple(health for health in Health if health != to)
    moves = [
        Move(
            row=node,
            actor=ACTOR,
            reason=reason,
            changes={
                "sick_since": now,
                "sick_reason": reason,
                "probe_asked_at": now if to == Health.SICK else None,
            },
        )
        for node, reason in reasons.items()
    ]
    moved = move_each(HEALTH, moves, from_=from_, to=to)
    concluded = [node for node in reasons if node.pk in moved]
    for node in concluded:
        logger.warning("node concluded %s", to, extra={"node": node.name, "why": reasons[node]})
    return concluded


def recover(
    node: Node, *, actor: str, reason: str, from_: tuple[str, ...] = (Health.SICK, Health.DEAF)
) -> bool:
    """Call a node well again; False if it is already. Its failures are forgotten."""
    well = move(
        HEALTH,
        node,
        from_=from_,
        to=Health.WELL,
        actor=actor,
        reason=reason,
        changes={
            "sick_since": None,
            "sick_reason": "",
            "probe_asked_at": None,
            "failures_in_a_row": 0,
            "failed_jobs": [],
            "canary_missed": 0,
        },
    )
    if well:
        logger.info("node is well again", extra={"node": node.name, "why": reason})
    return well


def probe_for(node: Node) -> str:
    """The id of the probe this node is to render; "" for none."""
    if node.health != Health.SICK or node.probe_asked_at is None:
        return ""
    return node.probe_asked_at.isoformat()
