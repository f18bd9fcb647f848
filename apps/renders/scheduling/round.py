"""What one round of the dispatcher sees: lanes and what holds them back, nodes, limits, shares, work."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from django.db.models import F, Sum

from apps.projects.models import Project
from apps.renders.models import Hold, Limit, NeedTier, Usage
from apps.renders.scheduling.demand import Waiting, active_lanes, depths, read_heads
from apps.renders.scheduling.fronts import Turns
from apps.renders.scheduling.match import Limits, Match
from apps.renders.scheduling.proven import read_proven
from apps.renders.scheduling.shares import Shares
from apps.renders.scheduling.supply import Supply, read_supply
from apps.renders.scheduling.warmth import Work

MOST_HEADS: Final = 400
"""Jobs read per round, over all lanes; at least one of each."""

USE_WINDOW: Final = timedelta(hours=24)
"""How far back use counts against a project. A night's renders are forgotten the next night."""

Reason = tuple[str, dict[str, Any]]
"""A code of renders.waiting and its facts."""


@dataclass
class Round:
    """Everything read once, so that choice and explanation rest on the same facts."""

    now: datetime
    lanes: list[Waiting]
    supply: Supply
    limits: Limits
    most: dict[str, int]
    holds: dict[UUID, Reason] = field(default_factory=dict)
    """Lanes that somebody holds back, and why."""
    paused: Collection[str] = ()
    """Scopes of the holds there are."""
    _cut: list[Waiting] = field(default_factory=list)
    """Lanes that hold more than was read."""

    @cached_property
    def open_lanes(self) -> list[Waiting]:
        """Lanes that nobody holds back."""
        return [each for each in self.lanes if each.lane.pk not in self.holds]

    def read_heads(self) -> None:
        """Read the front of each open lane: as many as there are places, within reason."""
        free = self.supply.capacity().free
        fair = MOST_HEADS // max(1, len(self.open_lanes))
        most = max(1, min(free, fair))
        read_heads(self.open_lanes, most=most)
        self._cut = [each for each in self.open_lanes if len(each.heads) == most]

    @property
    def has_more(self) -> bool:
        """Whether a lane was emptied of which only the front had been read: another round may send more."""
        return any(not each.heads for each in self._cut)

    def match(self, turns: Turns | None = None) -> Match:
        """Set out to give this round's seats away."""
        fronts = [each for each in self.open_lanes if each.heads]
        return Match(
            fronts,
            self.supply,
            shares=self._shares(fronts),
            limits=self.limits,
            work=_work(fronts, self.supply),
            now=self.now,
            turns=turns,
        )

    def _shares(self, fronts: Sequence[Waiting]) -> Shares:
        flying = self.supply.in_flight()
        demanding = {each.project_id for each in fronts}
        projects = Project.objects.filter(pk__in=demanding | set(flying))
        return Shares(
            weights={key: float(weight) for key, weight in projects.values_list("pk", "weight")},
            used=used_lately(self.now) if len(demanding | set(flying)) > 1 else {},
            in_flight=flying,
            demanding=demanding,
            seats=2 * len(self.supply.nodes),
        )


def read_round(now: datetime, *, with_words: bool = False) -> Round:
    """Read lanes, holds, nodes and limits: a constant number of queries."""
    # What is in hand is read before what waits: an experiment that ends between the two still counts as under
    # way. The other way round it could be begun anew by what was allowed before it ran out of memory.
    supply = read_supply(now)
    lanes = active_lanes(with_words=with_words)
    supply.proven = read_proven({each.lane.template_version_id for each in lanes}, now)
    limits, most = _limits(supply)
    paused = {hold.scope: hold for hold in Hold.objects.all()} if lanes else {}
    return Round(now, lanes, supply, limits, most, holds_on(lanes, paused), paused)


def used_lately(now: datetime) -> dict[UUID, float]:
    """GPU seconds of each project within the window."""
    rows = Usage.objects.filter(hour__gte=now - USE_WINDOW).values("project_id")
    return {row["project_id"]: row["total"] for row in rows.annotate(total=Sum("gpu_seconds")).order_by()}


def seconds_of_lanes(lane_ids: Iterable[UUID]) -> dict[UUID, float]:
    """Mean seconds of execution of each lane's kind of render; those of a kind never seen are missing."""
    rows = NeedTier.objects.filter(need__lanes__in=set(lane_ids), successes__gt=0).values("need__lanes")
    sums = rows.annotate(n=Sum("successes"), total=Sum(F("successes") * F("seconds_mean"))).order_by()
    return {row["need__lanes"]: row["total"] / row["n"] for row in sums}


def _work(fronts: Sequence[Waiting], supply: Supply) -> Work:
    waiting = [each.lane.pk for each in fronts]
    in_hand = (held.lane_id for held in supply.held if held.lane_id is not None)
    return Work(_Depths(waiting), seconds_of_lanes([*waiting, *in_hand]))


class _Depths(Mapping[UUID, int]):
    """How many jobs of each lane may start. Counted when asked for: with every place taken nobody asks."""

    def __init__(self, lane_ids: Sequence[UUID]) -> None:
        self._lane_ids = lane_ids

    @cached_property
    def _counted(self) -> dict[UUID, int]:
        return depths(self._lane_ids)

    def __getitem__(self, lane_id: UUID) -> int:
        return self._counted[lane_id]

    def __iter__(self) -> Iterator[UUID]:
        return iter(self._counted)

    def __len__(self) -> int:
        return len(self._counted)


def holds_on(lanes: Iterable[Waiting], rows: Mapping[str, Hold]) -> dict[UUID, Reason]:
    """Say which of these lanes a pause of the farm, a tier or a project holds back. ``rows``: by scope."""
    farm = rows.get(Hold.FARM)
    found: dict[UUID, Reason] = {}
    for each in lanes:
        project, tier = each.lane.project, rows.get(str(each.tier_gb))
        if farm:
            found[each.lane.pk] = "farm_paused", {"by": farm.by, "reason": farm.reason}
        elif tier:
            found[each.lane.pk] = (
                "tier_paused",
                {"tier": each.tier_gb, "by": tier.by, "reason": tier.reason},
            )
        elif project.paused:
            found[each.lane.pk] = "project_paused", {"by": project.paused_by}
    return found


def _limits(supply: Supply) -> tuple[Limits, dict[str, int]]:
    limits, most = Limits(), {}
    flying = supply.in_flight_of()
    for limit in Limit.objects.prefetch_related("templates"):
        templates = [template.pk for template in limit.templates.all()]
        most[limit.name] = limit.most
        limits.left[limit.name] = limit.most - sum(flying[template] for template in templates)
        for template in templates:
            limits.of[template].append(limit.name)
    return limits, most
