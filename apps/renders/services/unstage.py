"""Urgent work that finds every place taken asks for one that is only staged (design §6, Double buffer).

Nothing is decided here about the staged attempt: its node drops it if it has not begun, and says so.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from apps.nodes.models import Node
from apps.renders.models import Attempt, Priority
from apps.renders.scheduling.demand import Waiting
from apps.renders.scheduling.round import Round
from apps.renders.scheduling.supply import Held
from apps.renders.services import bus
from apps.renders.states import AttemptState

logger = logging.getLogger(__name__)

AGAIN: Final = timedelta(seconds=10)
"""A node that did not answer is asked again after this long."""


def make_way(this: Round) -> int:
    """Ask for as many staged places as urgent jobs are left without one; return how many were asked for."""
    asked: set[object] = set()
    for waiting in this.open_lanes:
        urgent = sum(head.rank >= Priority.URGENT for head in waiting.heads)
        for _place in range(urgent - _coming(this, waiting)):
            victim = _victim(this, waiting, asked)
            if victim is None:
                break
            asked.add(victim.attempt_id)
            _ask(victim, this)
    return len(asked)


def places_asked_for(nodes: Iterable[Node], now: datetime) -> dict[str, tuple[str, ...]]:
    """The attempts each node is asked to give up, as its next directives repeat it."""
    waits = (AttemptState.ACCEPTED, AttemptState.STAGED)
    asked = Attempt.objects.filter(node__in=list(nodes), state__in=waits, unstage_asked_at__gt=now - AGAIN)
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for key, node in asked.values_list("pk", "node__name"):
        found[node] += (str(key),)
    return found


def _coming(this: Round, waiting: Waiting) -> int:
    """Places asked for already on nodes that could run this lane."""
    able = this.supply.able(waiting)
    return sum(held.node_id in able and _asked_lately(held, this) for held in this.supply.held)


def _victim(this: Round, waiting: Waiting, asked: set[object]) -> Held | None:
    """The least urgent attempt that is staged behind another on a node that could run this lane."""
    able = this.supply.able(waiting)
    staged = [
        held
        for node_id in able
        if len(in_hand := this.supply.by_node[node_id]) > 1
        for held in in_hand
        if held.attempt_id not in asked and _may_yield(held, this)
    ]
    return min(staged, key=lambda held: (held.rank, str(held.attempt_id)), default=None)


def _may_yield(held: Held, this: Round) -> bool:
    waits = held.state in (AttemptState.DISPATCHED, AttemptState.ACCEPTED, AttemptState.STAGED)
    less = held.executing_at is None and held.rank < Priority.URGENT
    return waits and less and not _asked_lately(held, this)


def _asked_lately(held: Held, this: Round) -> bool:
    return held.unstage_asked_at is not None and this.now - held.unstage_asked_at < AGAIN


def _ask(held: Held, this: Round) -> None:
    Attempt.objects.filter(pk=held.attempt_id).update(unstage_asked_at=this.now)
    attempt = Attempt.objects.select_related("node").get(pk=held.attempt_id)
    logger.info("asked to make way for urgent work", extra={"attempt": str(held.attempt_id)})
    bus.send_unstage(attempt)
