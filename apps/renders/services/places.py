"""Places that staged work gives up: for urgent work, for a project below its share, for idle cards (ADR 32).

Nothing is decided here about the staged attempt: its node drops it if it has not begun, and says so.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from apps.nodes.models import Node
from apps.renders.models import Attempt, Lane, Priority
from apps.renders.scheduling.demand import Waiting, waiting_in
from apps.renders.scheduling.match import Match
from apps.renders.scheduling.round import Round, expected_seconds
from apps.renders.scheduling.supply import Held, Supply
from apps.renders.scheduling.warmth import LOAD_S, Warmth, Work
from apps.renders.services import bus
from apps.renders.states import AttemptState

logger = logging.getLogger(__name__)

AGAIN: Final = timedelta(seconds=10)
"""A node that did not answer is asked again after this long."""

UNSTAGES: Final = "unstage"

WORTHWHILE_S: Final = LOAD_S + 10.0
"""Work that goes on for less keeps what is staged behind it: loading a model elsewhere takes as long."""


def make_way(this: Round, match: Match) -> int:
    """Ask for staged places that urgent jobs, or projects far below their share, are left without.

    Returns how many were asked for. To be called when the round has given its seats away.
    """
    asked: set[UUID] = set()
    for waiting in this.open_lanes:
        urgent = match.still_wait(waiting) if _first(waiting) >= Priority.URGENT else 0
        for _place in range(urgent - _coming(this, waiting) if urgent else 0):
            victim = _victim(this, waiting, asked)
            if victim is None:
                break
            asked.add(victim.attempt_id)
            _ask(victim, this.now, "urgent work needs the place")
    return len(asked) + _even_out(this, match, asked)


def _even_out(this: Round, match: Match, asked: set[UUID]) -> int:
    """Let projects above their share give up staged places, as many as one below it is short of.

    Else who comes to a farm that another has filled would wait for two renders of the other's, not for one.
    """
    count = 0
    over = match.shares.over()
    for waiting in this.open_lanes if over else ():
        short = match.shares.short(waiting.project_id)
        if not short or not waiting.heads or waiting.lane.pk in match.withheld:
            continue
        for _place in range(min(short, match.still_wait(waiting)) - _coming(this, waiting)):
            givers = {project for project, seats in over.items() if seats > 0}
            victim = _victim(this, waiting, asked, of=givers)
            if victim is None or victim.rank > _first(waiting):
                break
            asked.add(victim.attempt_id)
            over[victim.project_id] -= 1
            match.shares.take(waiting.project_id)  # it will be theirs
            _ask(victim, this.now, "another project is below its share")
            count += 1
    return count


def share_out(supply: Supply, now: datetime) -> int:
    """Ask for what is staged behind long work while a card that should take it idles; return how many."""
    idle = [seat.node_id for seat in supply.capacity().open() if seat.idle]
    heeding = _heeding(supply) if idle else set()
    staged = [held for held in supply.held if held.node_id in heeding and _waits_in_line(held, supply, now)]
    if not staged:
        return 0
    lanes = {each.lane.pk: each for each in waiting_in(Lane.objects.filter(pk__in=_lanes(staged)))}
    work = Work(Counter(_lanes(staged)), expected_seconds(_lanes(supply.held)))
    warmth = Warmth(lanes.values(), _without(staged, supply), work=work, now=now)
    asked = 0
    for held in staged:
        lane = lanes.get(held.lane_id) if held.lane_id else None
        before = [one for one in supply.by_node[held.node_id] if one.executing_at] if held.node_id else []
        if lane is None or work.still_s(before, now) <= WORTHWHILE_S:
            continue
        taker = _taker(lane, idle, supply, warmth)
        if taker is not None:
            idle.remove(taker)
            _ask(held, now, "another card idles")
            asked += 1
    return asked


def _taker(lane: Waiting, idle: list[UUID], supply: Supply, warmth: Warmth) -> UUID | None:
    """The idle node that the dispatcher would give it to: with its models, else one to load them."""
    able = supply.able(lane)
    takers = sorted(filter(able.__contains__, idle), key=lambda node: not warmth.at(node, lane.models))
    if not takers or warmth.at(takers[0], lane.models):
        return next(iter(takers), None)
    return None if warmth.leaves(lane.models, able, lane.fit, hurried=False) else takers[0]


def _without(staged: Iterable[Held], supply: Supply) -> Supply:
    """The seats, were this given up."""
    given_up = {held.attempt_id for held in staged}
    left = [held for held in supply.held if held.attempt_id not in given_up]
    return Supply(supply.nodes, left, supply.blocks)


def _waits_in_line(held: Held, supply: Supply, now: datetime) -> bool:
    accepted = held.state in (AttemptState.ACCEPTED, AttemptState.STAGED)
    behind = held.node_id is not None and len(supply.by_node[held.node_id]) > 1
    return accepted and behind and _may_yield(held, now)


def _lanes(held: Iterable[Held]) -> list[UUID]:
    return [one.lane_id for one in held if one.lane_id is not None]


def places_asked_for(nodes: Iterable[Node], now: datetime) -> dict[str, tuple[str, ...]]:
    """The attempts each node is asked to give up, as its next directives repeat it."""
    waits = (AttemptState.ACCEPTED, AttemptState.STAGED)
    asked = Attempt.objects.filter(node__in=list(nodes), state__in=waits, unstage_asked_at__gt=now - AGAIN)
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for key, node in asked.values_list("pk", "node__name"):
        found[node] += (str(key),)
    return found


def _first(waiting: Waiting) -> int:
    """The class of a lane's next job."""
    return waiting.heads[0].rank if waiting.heads else Priority.LOW


def _coming(this: Round, waiting: Waiting) -> int:
    """Places asked for already on nodes that could run this lane."""
    able = this.supply.able(waiting)
    return sum(held.node_id in able and _asked_lately(held, this.now) for held in this.supply.held)


def _victim(
    this: Round, waiting: Waiting, asked: set[UUID], *, of: Collection[UUID] | None = None
) -> Held | None:
    """The least urgent attempt (``of`` these projects) staged behind another where this lane could run."""
    able = this.supply.able(waiting) & _heeding(this.supply)
    staged = [
        held
        for node_id in able
        if len(in_hand := this.supply.by_node[node_id]) > 1
        for held in in_hand
        if held.attempt_id not in asked and _may_yield(held, this.now)
        if of is None or held.project_id in of
    ]
    return min(staged, key=lambda held: (held.rank, str(held.attempt_id)), default=None)


def _heeding(supply: Supply) -> set[UUID]:
    """Nodes that know how to give a place up: one of an earlier version would be asked in vain for ever."""
    return {node.pk for node in supply.nodes if UNSTAGES in node.hears}


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
