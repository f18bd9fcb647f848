"""Which order goes on which road: pure arithmetic over free seats (design §6, Roads).

A node has two seats: one renders, one is staged behind it. An idle node listens to ``vram.t`` of its tier
and all below, then to ``vram.t.next``; a node that renders listens to ``.next`` only. Orders on tier queues
are not bound to a node, so they are counted against all nodes that could take them: for every tier t, the
orders outstanding on queues ≥ t never exceed the seats on nodes ≥ t.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate
from uuid import UUID

from farm.tiers import NO_VRAM, TIERS_GB, next_queue_for, node_queue, queue_for


@dataclass(frozen=True)
class Seat:
    """A node that may be given work. ``held``: its seats taken, 0 to 2."""

    node_id: UUID
    name: str
    epoch: str
    tier_gb: int
    held: int

    @property
    def idle(self) -> bool:
        """Nothing renders here."""
        return self.held == 0

    @property
    def stageable(self) -> bool:
        """One renders, and nothing is staged behind it."""
        return self.held == 1


@dataclass(frozen=True)
class Road:
    """The queue an order takes; ``node_id`` when it is bound to one node."""

    queue: str
    node_id: UUID | None = None


class Capacity:
    """Free seats, less what is on its way. :meth:`give` hands out roads until none is left.

    ``outstanding_now``, ``outstanding_next``: the tiers of orders on ``vram.t`` and ``vram.t.next`` queues.
    """

    def __init__(
        self,
        seats: Iterable[Seat],
        outstanding_now: Iterable[int] = (),
        outstanding_next: Iterable[int] = (),
    ) -> None:
        self._seats = {seat.node_id: seat for seat in seats}
        self.outstanding_now = list(outstanding_now)
        self.outstanding_next = list(outstanding_next)
        self._to_start = _Room()
        self._to_stage = _Room()
        for seat in self._seats.values():
            self._count(seat, 1)
        for tier in self.outstanding_now:
            self._to_start.spare[tier] -= 1
        for tier in self.outstanding_now + self.outstanding_next:
            self._to_stage.spare[tier] -= 1

    @property
    def seats(self) -> list[Seat]:
        """Every node, as full as it is by now."""
        return list(self._seats.values())

    @property
    def free(self) -> int:
        """How many more orders could be taken at all."""
        return max(0, self._to_stage.total)

    def open(self) -> list[Seat]:
        """Seats that may be given away, idle ones first, then the smallest card."""
        seats = [seat for seat in self._seats.values() if seat.idle or seat.stageable]
        return sorted(seats, key=lambda seat: (seat.held, seat.tier_gb, seat.name))

    def give(self, seat: Seat, tier_gb: int, *, shared: bool) -> Road | None:
        """Find an order of this tier its road to ``seat``; None if orders on their way need every place.

        ``shared``: whoever listens may have it, so it takes the tier's queue; else the node's own.
        """
        if not shared:
            return self._own_road(seat)
        if not self._to_stage.take(tier_gb):
            return None
        if self._to_start.take(tier_gb):
            self.outstanding_now.append(tier_gb)
            return Road(queue_for(tier_gb))
        self.outstanding_next.append(tier_gb)
        return Road(next_queue_for(tier_gb))

    def _own_road(self, seat: Seat) -> Road | None:
        fuller = replace(seat, held=seat.held + 1)
        self._count(seat, -1)
        self._count(fuller, 1)
        if not (self._to_start.suffices and self._to_stage.suffices):
            self._count(fuller, -1)
            self._count(seat, 1)
            return None
        self._seats[seat.node_id] = fuller
        return Road(node_queue(seat.name, seat.epoch), seat.node_id)

    def _count(self, seat: Seat, times: int) -> None:
        """An idle node has a place to start and one to stage, one that renders the latter."""
        self._to_start.spare[seat.tier_gb] += times * int(seat.idle)
        self._to_stage.spare[seat.tier_gb] += times * (2 - min(seat.held, 2))


class _Room:
    """Places less orders, by tier. It suffices while for every tier t those ≥ t come to no less than 0."""

    def __init__(self) -> None:
        self.spare = dict.fromkeys((*reversed(TIERS_GB), NO_VRAM), 0)

    @property
    def total(self) -> int:
        """Places left over, of any tier."""
        return sum(self.spare.values())

    @property
    def suffices(self) -> bool:
        """Whether every order finds a place of its tier or above (Hall's condition, largest first)."""
        return all(left >= 0 for left in accumulate(self.spare.values()))

    def take(self, tier_gb: int) -> bool:
        """Count one more order, if it finds a place beside the others."""
        self.spare[tier_gb] -= 1
        if self.suffices:
            return True
        self.spare[tier_gb] += 1
        return False
