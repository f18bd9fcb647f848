"""Which order goes on which road: pure arithmetic over free seats (design §6, Roads).

A node has two seats: one renders, one is staged behind it. An idle node listens to ``vram.t`` and
``vram.t.next`` of its tier and all below; a node that renders listens to ``.next`` only. Orders on
tier queues are not bound to a node, so they are counted against all nodes that could take them: for
every tier t, the orders outstanding on queues ≥ t never exceed the seats on nodes ≥ t.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
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
    """Free seats, less what is on its way. :meth:`take` hands out roads until none is left."""

    seats: list[Seat]
    outstanding_now: list[int] = field(default_factory=list)
    outstanding_next: list[int] = field(default_factory=list)

    @property
    def free(self) -> int:
        """How many more orders could be taken at all."""
        return (
            sum(seat.idle or seat.stageable for seat in self.seats)
            - len(self.outstanding_now)
            - len(self.outstanding_next)
        )

    def take(self, tier_gb: int, able: set[UUID]) -> Road | None:
        """Find a road for an order of this tier that the nodes in ``able`` can run; None if all are taken.

        The tier queue only if every node that listens to it is able; else the queue of one able node.
        """
        listeners = [seat for seat in self.seats if seat.tier_gb >= tier_gb]
        if listeners and all(seat.node_id in able for seat in listeners):
            return self._tier_road(tier_gb)
        return self._node_road(tier_gb, able)

    def _tier_road(self, tier_gb: int) -> Road | None:
        if self._fits(tier_gb, self.outstanding_now, [seat.tier_gb for seat in self.seats if seat.idle]):
            self.outstanding_now.append(tier_gb)
            return Road(queue_for(tier_gb))
        if self._fits(
            tier_gb, self.outstanding_next, [seat.tier_gb for seat in self.seats if seat.stageable]
        ):
            self.outstanding_next.append(tier_gb)
            return Road(next_queue_for(tier_gb))
        return None

    def _node_road(self, tier_gb: int, able: set[UUID]) -> Road | None:
        fitting = [seat for seat in self.seats if seat.node_id in able and seat.tier_gb >= tier_gb]
        for seat in sorted(fitting, key=lambda seat: (seat.held, seat.tier_gb)):
            if self._spare(seat):
                self.seats.remove(seat)
                self.seats.append(Seat(seat.node_id, seat.name, seat.epoch, seat.tier_gb, seat.held + 1))
                return Road(node_queue(seat.name, seat.epoch), seat.node_id)
        return None

    def _spare(self, seat: Seat) -> bool:
        """Tell whether this seat can be given away without starving an order already on a tier queue."""
        if not (seat.idle or seat.stageable):
            return False
        rest = [other.tier_gb for other in self.seats if other is not seat and other.held == seat.held]
        orders = self.outstanding_now if seat.idle else self.outstanding_next
        return _all_seated(orders, rest)

    @staticmethod
    def _fits(tier_gb: int, orders: list[int], seats: list[int]) -> bool:
        return _all_seated([*orders, tier_gb], seats)


def _all_seated(orders: Iterable[int], seats: Iterable[int]) -> bool:
    """Tell whether every order finds a seat of its tier or above (Hall's condition, largest first)."""
    free = sorted(seats, reverse=True)
    wanted = sorted(orders, reverse=True)
    return len(wanted) <= len(free) and all(seat >= order for order, seat in zip(wanted, free, strict=False))
