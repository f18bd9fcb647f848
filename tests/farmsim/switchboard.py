"""Who listens to what: one blocking read for all nodes, and yet no busy node ever takes a tier order.

A read names every node's own queue, and those tier queues that some node listens to. It ends with each
order, so the next one is asked for with the lists as they are then. Where a node stops listening for another
reason, the read in flight is ended (CLIENT UNBLOCK); an order that came between goes back where it lay.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from farm.tiers import NO_VRAM, TIERS_GB, next_queue_for, queue_for

if TYPE_CHECKING:
    from tests.farmsim.node import SimNode

TIERS: Final = (*reversed(TIERS_GB), NO_VRAM)
_TIER_OF: Final = {queue_for(tier): (tier, "both") for tier in TIERS} | {
    next_queue_for(tier): (tier, "next") for tier in TIERS
}


class Switchboard:
    """Nodes by what they listen to, those first that have listened longest: so a broker serves them."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._groups: dict[tuple[int, str], dict[SimNode, int]] = {
            (tier, kind): {} for tier in TIERS for kind in ("both", "next")
        }
        self._turn = itertools.count()
        self._placed: dict[SimNode, tuple[int, str]] = {}
        self._own: dict[str, SimNode] = {}
        self._own_of: dict[SimNode, str] = {}

    def place(self, node: SimNode) -> None:
        """Follow a node's state."""
        changed = self._place_own(node)
        kind = node.tier_kind
        place = (node.tier_gb, kind) if kind else None
        before = self._placed.get(node)
        if place != before:
            if before is not None:
                del self._groups[before][node]
                del self._placed[node]
            if place is not None:
                self._groups[place][node] = next(self._turn)
                self._placed[node] = place
            changed = True
        if changed:
            self._changed()

    def _place_own(self, node: SimNode) -> bool:
        hears = node.alive and not (node.frozen and node.took_frozen)
        queue = node.own_queue if hears else ""
        before = self._own_of.get(node, "")
        if queue == before:
            return False
        self._own.pop(before, None)
        self._own_of[node] = queue
        if queue:
            self._own[queue] = node
        return True

    def queues(self) -> tuple[str, ...]:
        """Name the queues to read now, in order: own ones, then tiers from the largest."""
        names = list(self._own)
        for tier in TIERS:
            idle, busy = self._listen(tier, "both"), self._listen(tier, "next")
            if idle:
                names.append(queue_for(tier))
            if idle or busy:
                names.append(next_queue_for(tier))
        return tuple(names)

    def taker(self, queue: str) -> SimNode | None:
        """The node that takes an order from this queue now; None if none listens to it any more."""
        if queue in self._own:
            return self._own[queue]
        if queue not in _TIER_OF:
            return None
        tier, kind = _TIER_OF[queue]
        kinds = ("both",) if kind == "both" else ("both", "next")
        first = [next(iter(group.items())) for each in kinds for group in self._listening(tier, each)]
        return min(first, key=lambda listener: listener[1])[0] if first else None

    def every_queue(self) -> tuple[str, ...]:
        """All queues that orders may lie in, listened to or not."""
        return (*self._own, *_TIER_OF)

    def owner(self, queue: str) -> SimNode | None:
        """The node whose own queue this is."""
        return self._own.get(queue)

    def _listen(self, tier: int, kind: str) -> bool:
        return any(self._listening(tier, kind))

    def _listening(self, tier: int, kind: str) -> list[dict[SimNode, int]]:
        """The groups that reach a tier and are not empty."""
        return [group for each in TIERS if each >= tier and (group := self._groups[each, kind])]
