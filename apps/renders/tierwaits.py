"""How long a job would wait that joined a tier's line now: the forecast of a job's page, for nobody's job.

It is of normal priority, stands behind all that waits at that priority or a higher one, and may go to any
node of the tier that is open to all. Nothing of it is about one film: what is ahead is only counted.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.core.cache import cache
from django.utils.translation import gettext as _

from apps.common.counting import CountAtMost
from apps.renders.eta import Between
from apps.renders.forecast import FEWEST, Line, Span, expect_turns
from apps.renders.models import Hold, Lane, Priority
from apps.renders.outlook import MOST_AHEAD
from apps.renders.reading import Reading
from apps.renders.waiting import startable
from farm.tiers import NO_VRAM

SOON_S: Final = 1.0
"""Shorter waits are none."""

WAITS_S: Final = 5
"""How long what was played is good enough for a page that is drawn every two seconds, by many."""


class Untold(StrEnum):
    """Why no wait is told."""

    PAUSED = "paused"  # the farm, or the tier
    NO_NODE = "no_node"  # none of the tier, or above it, may be given work
    NOBODY = "nobody"  # there are nodes, and none can take what waits for the tier
    FEW = "few"  # what is ahead, or in hand, was seen less than three times


@dataclass(frozen=True)
class TierWait:
    """``seconds`` from ``now``, nine times in ten; None: ``untold`` says why. ``endless``: more is ahead than
    was counted, so that only the earliest holds.
    """

    now: datetime
    seconds: Span | None = None
    untold: Untold | None = None
    endless: bool = False

    @property
    def start(self) -> Between | None:
        """By the clock."""
        if self.seconds is None:
            return None
        latest = None if self.endless else self.now + timedelta(seconds=self.seconds.latest)
        return Between(self.now + timedelta(seconds=self.seconds.earliest), latest)

    @property
    def words(self) -> str:
        """A few translated words: at once; up to 3 min; 5 min to 1 h 10 min; why it is not known."""
        if self.seconds is None:
            return self._why()
        if self.endless:
            return _("more than %(time)s") % {"time": length_text(self.seconds.earliest)}
        if self.seconds.latest < SOON_S:
            return _("at once")
        least, most = length_text(self.seconds.earliest), length_text(self.seconds.latest)
        if least == most:
            return _("about %(time)s") % {"time": most}
        if self.seconds.earliest < SOON_S:
            return _("up to %(time)s") % {"time": most}
        return _("%(least)s to %(most)s") % {"least": least, "most": most}

    def as_json(self) -> dict[str, Any]:
        """For tools: seconds, times, or why there are none."""
        start, seconds = self.start, self.seconds
        return {
            "least_s": None if seconds is None else round(seconds.earliest, 1),
            "most_s": None if seconds is None or self.endless else round(seconds.latest, 1),
            "start": None if start is None else start.as_json(),
            "unknown": "" if self.untold is None else str(self.untold),
            "words": self.words,
        }

    def _why(self) -> str:
        words = {
            Untold.PAUSED: _("paused"),
            Untold.NO_NODE: _("no node of this tier may be given work"),
            Untold.NOBODY: _("no node can take what waits"),
            Untold.FEW: _("not known yet: fewer than %(few)d such renders were seen") % {"few": FEWEST},
        }
        return words[self.untold] if self.untold else ""


def length_text(seconds: float) -> str:
    """Say about how long: 40 s, 12 min, 2 h 5 min, 3 d 4 h."""
    if seconds < 59.5:
        return _("%(n)d s") % {"n": round(seconds)}
    minutes = round(seconds / 60)
    if minutes < 60:
        return _("%(n)d min") % {"n": minutes}
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return _("%(h)d h %(n)d min") % {"h": hours, "n": minutes} if minutes else _("%(n)d h") % {"n": hours}
    return _("%(d)d d %(h)d h") % {"d": hours // 24, "h": hours % 24}


def tier_waits(tiers: Iterable[int | None], paused: Container[str]) -> dict[int | None, TierWait]:
    """The wait in each of these tiers' lines; None is the line of what fits no card.

    ``paused``: scopes of the holds there are. The queries do not grow with tiers, nodes or jobs.
    """
    return _Lines().waits(tiers, paused)


def tier_waits_lately(tiers: Iterable[int | None], paused: Iterable[str]) -> dict[int | None, TierWait]:
    """The same, at most WAITS_S old."""
    tiers, paused = list(tiers), sorted(paused)
    key = ":".join(["tier-waits", *map(str, tiers), *paused])
    found: dict[int | None, TierWait] | None = cache.get(key)
    if found is None:
        found = tier_waits(tiers, paused)
        cache.set(key, found, WAITS_S)
    return found


class _Depth(NamedTuple):
    """Jobs of a lane that may start: those that go before one of normal priority; and whether any may."""

    before: int
    any: int


class _Lines(Reading):
    """A reading of the farm for whoever would come last in the line of a tier."""

    def waits(self, tiers: Iterable[int | None], paused: Container[str]) -> dict[int | None, TierWait]:
        found, lines = dict[int | None, TierWait](), dict[int | None, Line[UUID]]()
        for tier in tiers:
            able = self._open_nodes(tier)
            untold = self._untold(tier, able, paused)
            if untold is None:
                lines[tier] = Line(able, self.here(self._ahead_of(able), able))
            else:
                found[tier] = TierWait(self.now, untold=untold)
        seats = {node: self.hands.before(node) for line in lines.values() for node in line.seats}
        for tier, seconds in expect_turns(seats, lines).items():
            if seconds is None:
                found[tier] = TierWait(self.now, untold=Untold.FEW)
            else:
                most = max(self._ahead_of(set(lines[tier].seats)).values(), default=0.0)
                found[tier] = TierWait(self.now, seconds, endless=most >= MOST_AHEAD)
        return found

    def _untold(self, tier_gb: int | None, able: set[UUID], paused: Container[str]) -> Untold | None:
        if Hold.FARM in paused or str(tier_gb) in paused:
            return Untold.PAUSED
        if not able:
            return Untold.NO_NODE
        theirs = [self.lanes[key] for key, depth in self._depths.items() if depth.any]
        theirs = [each for each in theirs if each.tier_gb == tier_gb]
        return Untold.NOBODY if theirs and not any(map(self.supply.able, theirs)) else None

    def _ahead_of(self, able: set[UUID]) -> dict[UUID, float]:
        """Who goes first, by lane, where the lane's work meets these nodes."""
        return {key: float(depth.before) for key, depth in self._depths.items() if self.part(key, able)}

    def _open_nodes(self, tier_gb: int | None) -> set[UUID]:
        """Nodes that any project's job of this tier may go to, if they have what it needs."""
        if tier_gb is None:
            return set()
        return {
            node.pk
            for node in self.supply.nodes
            if (node.tier_gb or NO_VRAM) >= tier_gb and not self.supply.kind_of[node.pk].dedicated
        }

    @cached_property
    def _depths(self) -> dict[UUID, _Depth]:
        lanes = Lane.objects.filter(pk__in=[each.lane.pk for each in self.round.open_lanes])
        first = startable().filter(rank__gte=Priority.NORMAL)
        rows = lanes.annotate(
            before=CountAtMost(first, "lane", most=MOST_AHEAD), any=CountAtMost(startable(), "lane", most=1)
        )
        return {key: _Depth(*depth) for key, *depth in rows.values_list("pk", "before", "any")}
