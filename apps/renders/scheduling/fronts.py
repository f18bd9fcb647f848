"""The best job of lanes that a seat is given alike, and whether it is the turn of those that starve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heapify, heappop, heapreplace
from typing import Final, NamedTuple
from uuid import UUID

from apps.renders.models import Priority
from apps.renders.scheduling.demand import Head, Waiting

STARVATION: Final = timedelta(hours=4)
"""Who waited longer counts as more than high, whatever its class; urgent work still goes first."""
STARVING_RANK: Final = Priority.HIGH + 1
STARVING_SHARE: Final = 4
"""At most every fourth seat goes to them, else an old backlog would undo all priorities."""


@dataclass
class Turns:
    """Whose turn it is, those that starve or their betters; kept from one round to the next.

    Most rounds give one seat away: a share of each round alone would be all of it.
    """

    betters: int = STARVING_SHARE - 1
    """Seats given away since one that starved got its own."""
    left_since: dict[UUID, datetime] = field(default_factory=dict)
    """Jobs that were left to nodes which hold their models, although another was free: since when."""

    @property
    def of_starving(self) -> bool:
        """Whether the next seat may go to a job because it waits so long."""
        return self.betters >= STARVING_SHARE - 1

    def take(self, *, starving: bool) -> None:
        """Count one more seat."""
        self.betters = 0 if starving else min(self.betters + 1, STARVING_SHARE - 1)

    def left_for(self, job_id: UUID, now: datetime) -> timedelta:
        """How long this job has been left to others by now; the first call begins to count."""
        return now - self.left_since.setdefault(job_id, now)

    def forget_all_but(self, waiting: Iterable[UUID]) -> None:
        """Only these still wait."""
        if self.left_since:
            still = set(waiting)
            self.left_since = {key: since for key, since in self.left_since.items() if key in still}

    def copy(self) -> Turns:
        """The same, for a round that is only played."""
        return Turns(self.betters, dict(self.left_since))


class Front(NamedTuple):
    """The next job of a group, the class it counts as, and its lane."""

    rank: int
    head: Head
    lane: Waiting


Standing = tuple[int, datetime, UUID]


class Group:
    """Lanes that differ in nothing a seat is chosen by: of them only the best job is looked at."""

    def __init__(self, lane: Waiting) -> None:
        self.like = lane
        self.lanes: list[Waiting] = []
        self._heaps: dict[bool, list[tuple[Standing, int]]] = {}

    def front(self, now: datetime, *, of_starving: bool) -> Front | None:
        """The best of its jobs; None once all are given away.

        Jobs given away leave worse ones in front of their lane: what stands in the heap is checked.
        """
        if of_starving not in self._heaps:
            self._heaps[of_starving] = [
                (_standing(_front(lane, now, of_starving=of_starving)), index)
                for index, lane in enumerate(self.lanes)
                if lane.heads
            ]
            heapify(self._heaps[of_starving])
        heap = self._heaps[of_starving]
        while heap:
            stood, index = heap[0]
            if not self.lanes[index].heads:
                heappop(heap)
                continue
            front = _front(self.lanes[index], now, of_starving=of_starving)
            if (stands := _standing(front)) == stood:
                return front
            heapreplace(heap, (stands, index))
        return None


def _standing(front: Front) -> Standing:
    return (-front.rank, front.head.ready_at, front.head.job_id)


def _front(lane: Waiting, now: datetime, *, of_starving: bool) -> Front:
    """The lane's next job and the class it counts as."""
    best, oldest = lane.heads[0], lane.oldest
    may = of_starving and best.rank < STARVING_RANK
    if may and oldest is not None and now - oldest.ready_at > STARVATION:
        return Front(STARVING_RANK, oldest, lane)
    return Front(best.rank, best, lane)
