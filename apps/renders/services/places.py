"""Places that staged work gives up: for urgent work, for a project below its share, for idle cards (ADR 32).

Nothing is decided here about the staged attempt: its node drops it if it has not begun, and says so.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final
from uuid import UUID

from apps.nodes.models import Node
from apps.renders.holding import holds
from apps.renders.models import Attempt, Lane, Priority
from apps.renders.scheduling.demand import Waiting, waiting_in
from apps.renders.scheduling.match import Match
from apps.renders.scheduling.round import Round, holds_on, seconds_of_lanes
from apps.renders.scheduling.supply import Held, Supply
from apps.renders.scheduling.warmth import LOAD_S, Warmth, Work
from apps.renders.services import bus
from apps.renders.states import AttemptState

logger = logging.getLogger(__name__)

AGAIN: Final = timedelta(seconds=10)
"""A node that did not answer is asked again after this long."""

UNSTAGES: Final = "unstage"

MOST_ASKED: Final = 50
"""Places asked for in one round: each is a trip to the broker, and meanwhile the leader sends no orders."""

WORTHWHILE_S: Final = LOAD_S + 10.0
"""Work that goes on for less keeps what is staged behind it: loading a model elsewhere takes as long."""


def make_way(this: Round, match: Match) -> int:
    """Ask for staged places that urgent jobs, or projects far below their share, are left without.

    Returns how many were asked for. To be called when the round has given its seats away.
    """
    asking = _Asking(this, match)
    asking.for_urgent_work()
    asking.to_even_out()
    return asking.ask()


class _Asking:
    """The staged places that one round asks for, MOST_ASKED at most; the next one goes on."""

    def __init__(self, this: Round, match: Match) -> None:
        self._this = this
        self._match = match
        self._why: dict[UUID, str] = {}
        self._lately = [held for held in this.supply.held if _asked_lately(held, this.now)]

    @cached_property
    def _heeding(self) -> set[UUID]:
        return _heeding(self._this.supply)

    def for_urgent_work(self) -> None:
        """Ask where urgent jobs could run, of whoever is least urgent there."""
        for waiting in self._this.open_lanes:
            if _first(waiting) < Priority.URGENT:
                continue
            for _place in range(self._lacks(waiting, self._match.still_wait(waiting))):
                victim = self._victim(waiting)
                if victim is None:
                    break
                self._take(victim, waiting, "urgent work needs the place")

    def to_even_out(self) -> None:
        """Let projects above their share give up staged places, as many as one below it is short of.

        Else who comes to a farm that another has filled would wait for two renders of the other's, not for
        one.
        """
        shares = self._match.shares
        over = shares.over()
        for waiting in self._this.open_lanes if over else ():
            short = shares.short(waiting.project_id)
            if not short or not waiting.heads or waiting.lane.pk in self._match.withheld:
                continue
            for _place in range(self._lacks(waiting, min(short, self._match.still_wait(waiting)))):
                victim = self._victim(waiting, of={project for project, seats in over.items() if seats > 0})
                if victim is None or victim.rank > _first(waiting):
                    break
                over[victim.project_id] -= 1
                shares.take(waiting.project_id)  # it will be theirs
                self._take(victim, waiting, "another project is below its share")

    def ask(self) -> int:
        """Ask the nodes; return for how many places."""
        _ask(self._why, self._this.now)
        return len(self._why)

    def _lacks(self, waiting: Waiting, jobs: int) -> int:
        """Places to ask for, less those that are coming already."""
        able = self._this.supply.able(waiting)
        coming = sum(held.node_id in able for held in self._lately)
        return min(jobs - coming, MOST_ASKED - len(self._why))

    def _victim(self, waiting: Waiting, *, of: Collection[UUID] | None = None) -> Held | None:
        """The least urgent attempt (``of`` these projects) staged behind another where this lane could run.

        Where a limit lets no more of the lane through, only one that stands under it as well makes room.
        """
        supply, limits = self._this.supply, self._this.limits
        full = limits.full_ones(waiting.template_id)
        staged = [
            held
            for node_id in supply.able(waiting) & self._heeding
            if len(in_hand := supply.by_node[node_id]) > 1
            for held in in_hand
            if held.attempt_id not in self._why and _may_yield(held, self._this.now)
            if of is None or held.project_id in of
            if full.issubset(limits.of.get(held.template_id, ()))
        ]
        return min(staged, key=lambda held: (held.rank, str(held.attempt_id)), default=None)

    def _take(self, victim: Held, waiting: Waiting, why: str) -> None:
        self._why[victim.attempt_id] = why
        self._this.limits.give_back(victim.template_id)
        self._this.limits.take(waiting.template_id)


def share_out(supply: Supply, now: datetime) -> int:
    """Ask for what is staged behind long work while a card that should take it idles; return how many."""
    idle = [seat.node_id for seat in supply.capacity().open() if seat.idle]
    heeding = _heeding(supply) if idle else set()
    staged = [held for held in supply.held if held.node_id in heeding and _waits_in_line(held, supply, now)]
    if not staged:
        return 0
    lanes = {each.lane.pk: each for each in waiting_in(Lane.objects.filter(pk__in=_lanes(staged)))}
    for key in holds_on(lanes.values(), holds()):
        del lanes[key]  # what a node has goes on; given up, it would wait for whoever paused it
    work = Work(Counter(_lanes(staged)), seconds_of_lanes(_lanes(supply.held)))
    warmth = Warmth(lanes.values(), _without(staged, supply), work=work, now=now)
    asked: dict[UUID, str] = {}
    for held in staged:
        lane = lanes.get(held.lane_id) if held.lane_id else None
        before = [one for one in supply.by_node[held.node_id] if one.executing_at] if held.node_id else []
        if lane is None or work.still_s(before, now) <= WORTHWHILE_S:
            continue
        taker = _taker(lane, idle, supply, warmth)
        if taker is not None and len(asked) < MOST_ASKED:
            idle.remove(taker)
            asked[held.attempt_id] = "another card idles"
    _ask(asked, now)
    return len(asked)


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
    return Supply(supply.nodes, left, supply.blocks, proven=supply.proven)


def _waits_in_line(held: Held, supply: Supply, now: datetime) -> bool:
    accepted = held.state in (AttemptState.ACCEPTED, AttemptState.STAGED) and not held.held_back
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


def _heeding(supply: Supply) -> set[UUID]:
    """Nodes that know how to give a place up: one of an earlier version would be asked in vain for ever."""
    return {node.pk for node in supply.nodes if UNSTAGES in node.hears}


def _may_yield(held: Held, now: datetime) -> bool:
    waits = held.state in (AttemptState.DISPATCHED, AttemptState.ACCEPTED, AttemptState.STAGED)
    less = held.executing_at is None and held.rank < Priority.URGENT
    return waits and less and not _asked_lately(held, now)


def _asked_lately(held: Held, now: datetime) -> bool:
    return held.unstage_asked_at is not None and now - held.unstage_asked_at < AGAIN


def _ask(why: Mapping[UUID, str], now: datetime) -> None:
    """Ask for the places of these attempts, each for its reason."""
    if not why:
        return
    attempts = Attempt.objects.filter(pk__in=why)
    attempts.update(unstage_asked_at=now)
    for attempt in attempts.select_related("node").only("node__worker"):
        told = {"attempt": str(attempt.pk), "why": why[attempt.pk]}
        logger.info("asked to give its place up", extra=told)
        bus.send_unstage(attempt)
