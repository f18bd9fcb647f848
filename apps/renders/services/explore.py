"""A card one tier smaller than a render is known to need tries it, while it has nothing else to do.

At most one such attempt at a time on the whole farm. If memory runs out, the job waits where it was.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from apps.renders.matching import Seat
from apps.renders.models import Need, NeedTier
from apps.renders.scheduling.demand import Waiting
from apps.renders.scheduling.match import Match, Pick
from apps.renders.scheduling.round import Round
from farm.tiers import TIERS_GB

ENOUGH: Final = 4
"""Successes without an OOM after which a tier is known to do."""


def explore(this: Round, match: Match) -> list[Pick]:
    """Choose one job for one idle seat a tier below its own, or none."""
    if any(held.explores for held in this.supply.held):
        return []
    idle = [seat for seat in match.capacity.open() if seat.idle and seat.tier_gb in TIERS_GB]
    lanes = [each for each in this.open_lanes if each.heads]
    open_needs = _open_needs(lanes) if idle and lanes else set()
    for seat in idle:
        for waiting in lanes:
            if (waiting.lane.need_id, seat.tier_gb) in open_needs and (
                pick := _pick(this, match, seat, waiting)
            ):
                return [pick]
    return []


def _pick(this: Round, match: Match, seat: Seat, waiting: Waiting) -> Pick | None:
    lane = waiting.lane
    if lane.floor_gb > seat.tier_gb or this.limits.full(waiting.template_id):
        return None
    if not this.supply.could(waiting, seat.node_id):
        return None
    road = match.capacity.give(seat, seat.tier_gb, shared=False)
    if road is None:
        return None
    return Pick(waiting, waiting.heads[0], seat, road, seat.tier_gb, warm=False, explores=True)


def _open_needs(lanes: list[Waiting]) -> set[tuple[UUID, int]]:
    """Pairs of need and the tier one rung below it where nothing speaks against trying."""
    rungs = {
        each.lane.need_id: TIERS_GB[TIERS_GB.index(each.tier_gb) - 1]
        for each in lanes
        if each.tier_gb in TIERS_GB[1:] and each.tier_gb is not None
    }
    open_pairs: set[tuple[UUID, int]] = set()
    for rung in set(rungs.values()):
        settled = Q(ooms__gt=0, tier_gb__gte=rung) | Q(successes__gte=ENOUGH, tier_gb=rung)
        told = NeedTier.objects.filter(settled, need=OuterRef("pk"))
        needs = Need.objects.filter(pk__in=[need for need, below in rungs.items() if below == rung])
        open_pairs |= {(need, rung) for need in needs.exclude(Exists(told)).values_list("pk", flat=True)}
    return open_pairs
