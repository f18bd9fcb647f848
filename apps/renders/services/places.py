"""Places that staged work gives up: for urgent work, and for a card that has nothing to do (ADR 32).

Nothing is decided here about the staged attempt: its node drops it if it has not begun, and says so.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from apps.nodes.models import Node
from apps.nodes.selectors import serving
from apps.renders.models import Attempt, Lane, Priority
from apps.renders.scheduling.demand import Waiting, waiting_in
from apps.renders.scheduling.match import LOAD_S, UNKNOWN_S
from apps.renders.scheduling.round import Round, expected_seconds
from apps.renders.scheduling.supply import Held, Supply
from apps.renders.services import bus
from apps.renders.states import AttemptState

logger = logging.getLogger(__name__)

AGAIN: Final = timedelta(seconds=10)
"""A node that did not answer is asked again after this long."""

UNSTAGES: Final = "unstage"

WORTHWHILE_S: Final = LOAD_S + 10.0
"""Work that goes on for less keeps what is staged behind it: loading a model elsewhere takes as long."""


def make_way(this: Round) -> int:
    """Ask for as many staged places as urgent jobs are left without one; return how many were asked for."""
    asked: set[object] = set()
    for waiting in this.open_lanes:
        urgent = sum(head.rank >= Priority.URGENT for head in waiting.heads)
        for _place in range(urgent - _coming(this, waiting) if urgent else 0):
            victim = _victim(this, waiting, asked)
            if victim is None:
                break
            asked.add(victim.attempt_id)
            _ask(victim, this.now, "urgent work needs the place")
    return len(asked)


def share_out(supply: Supply, now: datetime) -> int:
    """Ask for what is staged behind long work while a card that could take it idles; return how many."""
    idle = [seat.node_id for seat in supply.capacity().open() if seat.idle]
    heeding = _heeding() if idle else set()
    staged = [held for held in supply.held if held.node_id in heeding and _waits_in_line(held, supply, now)]
    lanes = (
        {each.lane.pk: each for each in waiting_in(Lane.objects.filter(pk__in=_lanes(staged)))}
        if staged
        else {}
    )
    seconds = expected_seconds(lanes.values())
    asked = 0
    for held in staged:
        lane = lanes.get(held.lane_id) if held.lane_id else None
        taker = next((node for node in idle if lane is not None and node in supply.able(lane)), None)
        if taker is not None and _left_s(held, supply, seconds, now) > WORTHWHILE_S:
            idle.remove(taker)
            _ask(held, now, "another card idles")
            asked += 1
    return asked


def _waits_in_line(held: Held, supply: Supply, now: datetime) -> bool:
    accepted = held.state in (AttemptState.ACCEPTED, AttemptState.STAGED)
    behind = held.node_id is not None and len(supply.by_node[held.node_id]) > 1
    return accepted and behind and _may_yield(held, now)


def _lanes(held: Iterable[Held]) -> set[UUID]:
    return {one.lane_id for one in held if one.lane_id is not None}


def _left_s(held: Held, supply: Supply, seconds: Mapping[UUID, float], now: datetime) -> float:
    """How long what renders before it will still take, as far as one can know."""
    before = [one for one in supply.by_node[held.node_id] if one.executing_at] if held.node_id else []
    return sum(
        max(0.0, seconds.get(one.lane_id, UNKNOWN_S) - (now - one.executing_at).total_seconds())
        for one in before
        if one.lane_id is not None and one.executing_at is not None
    )


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
    return sum(held.node_id in able and _asked_lately(held, this.now) for held in this.supply.held)


def _victim(this: Round, waiting: Waiting, asked: set[object]) -> Held | None:
    """The least urgent attempt that is staged behind another on a node that could run this lane."""
    able = this.supply.able(waiting)
    staged = [
        held
        for node_id in able & _heeding()
        if len(in_hand := this.supply.by_node[node_id]) > 1
        for held in in_hand
        if held.attempt_id not in asked and _may_yield(held, this.now)
    ]
    return min(staged, key=lambda held: (held.rank, str(held.attempt_id)), default=None)


def _heeding() -> set[UUID]:
    """Nodes that know how to give a place up: one of an earlier version would be asked in vain for ever."""
    return {key for key, hears in serving().values_list("pk", "hears") if UNSTAGES in hears}


def _may_yield(held: Held, now: datetime) -> bool:
    waits = held.state in (AttemptState.DISPATCHED, AttemptState.ACCEPTED, AttemptState.STAGED)
    less = held.executing_at is None and held.rank < Priority.URGENT
    return waits and less and not _asked_lately(held, now)


def _asked_lately(held: Held, now: datetime) -> bool:
    return held.unstage_asked_at is not None and now - held.unstage_asked_at < AGAIN


def _ask(held: Held, now: datetime, why: str) -> None:
    Attempt.objects.filter(pk=held.attempt_id).update(unstage_asked_at=now)
    attempt = Attempt.objects.select_related("node").get(pk=held.attempt_id)
    logger.info("asked to give its place up", extra={"attempt": str(held.attempt_id), "why": why})
    bus.send_unstage(attempt)
