"""A card one tier smaller than a render is known to need tries it, while it has nothing else to do.

At most one such attempt at a time on the whole farm. If memory runs out, the job waits where it was.
"""

from __future__ import annotations

from collections import defaultdict

from apps.renders.matching import Seat
from apps.renders.scheduling.demand import Waiting
from apps.renders.scheduling.match import Match, Pick
from apps.renders.scheduling.round import Round
from farm.tiers import TIERS_GB


def explore(this: Round, match: Match) -> list[Pick]:
    """Choose one job for one idle seat a tier below its own, or none."""
    if any(held.explores for held in this.supply.held):
        return []
    untried: dict[int | None, list[Waiting]] = defaultdict(list)
    for waiting in this.open_lanes:
        if waiting.heads:
            untried[waiting.lane.need.explore_gb].append(waiting)
    for seat in match.capacity.open():
        if seat.idle and seat.tier_gb in TIERS_GB:
            for waiting in untried.get(seat.tier_gb, ()):
                if pick := _pick(this, match, seat, waiting):
                    return [pick]
    return []


def _pick(this: Round, match: Match, seat: Seat, waiting: Waiting) -> Pick | None:
    lane = waiting.lane
    if lane.floor_gb > seat.tier_gb or this.limits.full(waiting.template_id):
        return None
    if str(seat.tier_gb) in this.paused:
        return None
    if seat.node_id not in this.supply.suited(waiting) or not this.supply.may_try(waiting, seat.node_id):
        return None
    road = match.capacity.give(seat, seat.tier_gb, shared=False)
    if road is None:
        return None
    limited = waiting.template_id in this.limits.of
    return Pick(
        waiting, waiting.heads[0], seat, road, seat.tier_gb, warm=False, explores=True, limited=limited
    )
