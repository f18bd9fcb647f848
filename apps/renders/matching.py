"""Which order goes on which road: pure arithmetic over free seats (design §6, Roads).

A node has two seats: one renders, one is staged behind it. An idle node listens to ``vram.t`` of its tier
and all below, then to ``vram.t.next``; a node that renders listens to ``.next`` only. Orders on tier queues
are not bound to a node, so they are counted against all nodes that could take them: for every tier t, the
orders outstanding on queues ≥ t never exceed the seats on nodes ≥ t.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from uuid import UUID

from farm.tiers import next_queue_for, node_queue, queue_for


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


@dataclass
class Capacity:
    """Free seats, less what is on its way. :meth:`give` hands out roads until none is left."""

    seats: list[Seat]
    outstanding_now: list[int] = field(default_factory=list)
    outstanding_next: list[int] = field(default_factory=list)

    @property
    def free(self) -> int:
        """How many more orders could be taken at all."""
        places = sum(max(0, 2 - seat.held) for seat in self.seats)
        return max(0, places - len(self.outstanding_now) - len(self.outstanding_next))

    def open(self) -> list[Seat]:
        """Seats that may be given away, idle ones first, then the smallest card."""
        seats = [seat for seat in self.seats if seat.idle or seat.stageable]
        return sorted(seats, key=lambda seat: (seat.held, seat.tier_gb, seat.name))

    def give(self, seat: Seat, tier_gb: int, *, shared: bool) -> Road | None:
        """Find an order of this tier its road to ``seat``; None if orders on their way need every place.

        ``shared``: whoever listens may have it, so it takes the tier's queue; else the node's own.
        """
        if not shared:
            return self._own_road(seat)
        return self._road_to_start(tier_gb) or self._road_to_stage(tier_gb)

    def _road_to_start(self, tier_gb: int) -> Road | None:
        if not _all_seated([*self.outstanding_now, tier_gb], self._idle()):
            return None
        if not self._all_placed(tier_gb):
            return None
        self.outstanding_now.append(tier_gb)
        return Road(queue_for(tier_gb))

    def _road_to_stage(self, tier_gb: int) -> Road | None:
        if not self._all_placed(tier_gb):
            return None
        self.outstanding_next.append(tier_gb)
        return Road(next_queue_for(tier_gb))

    def _own_road(self, seat: Seat) -> Road | None:
        taken = replace(seat, held=seat.held + 1)
        rest = [taken if other is seat else other for other in self.seats]
        if not _all_seated(self.outstanding_now, [other.tier_gb for other in rest if other.idle]):
            return None
        if not _all_seated(self._outstanding(), _places(rest)):
            return None
        self.seats = rest
        return Road(node_queue(seat.name, seat.epoch), seat.node_id)

    def _all_placed(self, tier_gb: int) -> bool:
        return _all_seated([*self._outstanding(), tier_gb], _places(self.seats))

    def _outstanding(self) -> list[int]:
        return self.outstanding_now + self.outstanding_next

    def _idle(self) -> list[int]:
        return [seat.tier_gb for seat in self.seats if seat.idle]


def _places(seats: Iterable[Seat]) -> list[int]:
    """Every place for an order: an idle node has two, one that renders has one."""
    return [seat.tier_gb for seat in seats for _ in range(2 - min(seat.held, 2))]


def _all_seated(orders: Iterable[int], seats: Iterable[int]) -> bool:
    """Tell whether every order finds a seat of its tier or above (Hall's condition, largest first)."""
    free = sorted(seats, reverse=True)
    wanted = sorted(orders, reverse=True)
    return len(wanted) <= len(free) and all(seat >= order for order, seat in zip(wanted, free, strict=False))
