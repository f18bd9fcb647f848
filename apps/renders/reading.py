"""One reading of the farm: what waits, who could take it, what is in hand, how long such work took so far.

Who could take what, who has a turn and what is held back are the dispatcher's own rules (renders.scheduling),
so that nobody has a second opinion.
"""

from __future__ import annotations

from uuid import UUID

from apps.common.clock import database_now
from apps.renders.forecast import Ahead, Durations
from apps.renders.inhand import Experience, Hands
from apps.renders.scheduling.demand import Waiting
from apps.renders.scheduling.round import read_round
from apps.renders.scheduling.supply import read_supply


class Reading:
    """What forecasts rest on, read once; its queries do not grow with the backlog."""

    def __init__(self) -> None:
        self.now = database_now()
        self.round = read_round(self.now)
        self.supply = self.round.supply if self.round.lanes else read_supply(self.now)
        self.lanes = {each.lane.pk: each for each in self.round.lanes}
        self.experience = Experience()
        self.experience.read(each.lane.need_id for each in self.round.lanes)
        self.hands = Hands(self.supply, self.experience, self.now)

    def here(self, ahead: dict[UUID, float], able: set[UUID]) -> list[Ahead]:
        """What of that meets the nodes that could take the job, with the orders that are on their way."""
        found = [
            Ahead(jobs * self.part(key, able), self.takes(self.lanes[key])) for key, jobs in ahead.items()
        ]
        for lane, takes in self.hands.on_their_way():
            if takes.known:
                found.append(Ahead(self.part(lane, able), takes))
        return found

    def part(self, lane: UUID | None, able: set[UUID]) -> float:
        """Which part of a lane's work meets these nodes; a lane asleep is taken to meet them all."""
        if lane is None or lane not in self.lanes:
            return 1.0
        theirs = self.supply.able(self.lanes[lane])
        return len(theirs & able) / len(theirs) if theirs else 0.0

    def takes(self, each: Waiting) -> Durations:
        return self.experience.of(each.lane.need_id)
