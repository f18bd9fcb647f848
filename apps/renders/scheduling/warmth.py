"""Which models are loaded where, and whether loading them once more is worth it (ADR 32).

Two rules, both about work of one class. An idle node *leaves* work to the nodes that hold its models if they
will have begun all of it within a few times what loading takes. A node that has work for what it holds
*changes* to other work only if that, with its help, would still end clearly later than what it leaves.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Final
from uuid import UUID

from django.conf import settings

from apps.nodes.models import Node
from apps.renders.scheduling.demand import Waiting
from apps.renders.scheduling.supply import Held, Supply

Models = frozenset[str]
"""Files (``folder/name``) that are loaded together."""

LOAD_S: Final = float(settings.MODEL_LOAD_SECONDS)
"""Seconds a model takes to load."""

MOST_LOADS: Final = 6
"""Work is left to n nodes that hold its models for n times LOAD_S, but no more than this: the more they are,
the less one more would help."""

CLEARLY: Final = 1.1
"""What ends later by less than a tenth does not make a node change: durations are not known better."""

UNKNOWN_S: Final = 60.0
"""What a render is taken to last while none of its kind was seen."""


@dataclass
class Work:
    """How much waits, and how long it takes. ``depth``: a lane's jobs of its best class that may start;
    ``seconds``: what one render of a lane takes, where any was seen.
    """

    depth: Mapping[UUID, int]
    seconds: Mapping[UUID, float]

    def known(self, waiting: Waiting) -> bool:
        """Whether a render of this lane's kind was ever seen."""
        return waiting.lane.pk in self.seconds

    def one_s(self, lane_id: UUID | None) -> float:
        """Seconds of one render of a lane."""
        return UNKNOWN_S if lane_id is None else self.seconds.get(lane_id, UNKNOWN_S)

    def jobs(self, waiting: Waiting) -> int:
        """How many jobs of a lane wait."""
        return self.depth.get(waiting.lane.pk, len(waiting.heads))

    def still_s(self, hand: Iterable[Held], now: datetime) -> float:
        """Seconds until a node has rendered what it has in hand, as far as one can know."""
        return sum(
            max(
                0.0,
                self.one_s(held.lane_id)
                - ((now - held.executing_at).total_seconds() if held.executing_at else 0.0),
            )
            for held in hand
        )


class Warmth:
    """Where models are loaded, or will be, and how long those nodes need for what waits for them."""

    def __init__(self, lanes: Iterable[Waiting], supply: Supply, *, work: Work, now: datetime) -> None:
        self._holds = {node.pk: _held_models(node, supply) for node in supply.nodes}
        self._hand_s = {node.pk: work.still_s(supply.by_node.get(node.pk, ()), now) for node in supply.nodes}
        loose = (held.lane_id for held in supply.held if held.node_id is None)
        self._loose = Counter(supply.models_of(lane_id) for lane_id in loose if lane_id is not None)
        self._left_s: dict[Models, float] = defaultdict(float)
        jobs: Counter[Models] = Counter()
        for lane in lanes:
            self._left_s[lane.models] += work.jobs(lane) * work.one_s(lane.lane.pk)
            jobs[lane.models] += work.jobs(lane)
        self._one_s = {models: left_s / max(1, jobs[models]) for models, left_s in self._left_s.items()}
        self._nodes: Counter[Models] = Counter()
        self._busy_s: dict[Models, float] = defaultdict(float)
        for models in self._left_s:
            for node_id, holds in self._holds.items():
                if models <= holds:
                    self._nodes[models] += 1
                    self._busy_s[models] += self._hand_s[node_id]
        self._begun: dict[Models, dict[Hashable, tuple[int, float]]] = {}

    @property
    def one_model(self) -> bool:
        """Whether all that waits needs the same models, or none."""
        return sum(bool(models) for models in self._left_s) == 1

    def at(self, node_id: UUID, models: Models) -> bool:
        """Whether a node holds these, or will once it has rendered what it has in hand."""
        return models <= self._holds.get(node_id, frozenset())

    def busy_for_s(self, node_id: UUID) -> float:
        """Seconds until this node has rendered what it has in hand."""
        return self._hand_s[node_id]

    def ends_in_s(self, models: Models, *, more: int = 0) -> float:
        """Seconds until all that waits for these is done, by ``more`` nodes that load them first, or less."""
        nodes = self._nodes[models] + self._loose[models] + more
        if nodes <= 0:
            return inf
        return (self._left_s[models] + self._busy_s[models] + max(0, more) * LOAD_S) / nodes

    def leaves(self, models: Models, able: Collection[UUID], fit: Hashable, *, hurried: bool) -> bool:
        """Whether an idle node leaves this work to the nodes that hold its models, of those that can do it.

        ``fit``: what ``able`` follows from. ``hurried``: only if that is no later than to load them here.
        """
        nodes = self._nodes[models]
        if not nodes or self._poured_s(models, nodes, self._busy_s[models]) > MOST_LOADS * LOAD_S:
            return False
        found = self._begun.setdefault(models, {})
        if fit not in found:
            found[fit] = self._begins_in_s(models, [key for key in able if models <= self._holds[key]])
        nodes, begins_in_s = found[fit]
        return begins_in_s <= (LOAD_S if hurried else patience_s(nodes))

    def changes(self, kept: Models, other: Models) -> bool:
        """Whether a node that holds ``kept``, for which work waits, does better to load ``other``."""
        return self.ends_in_s(other, more=1) > CLEARLY * self.ends_in_s(kept, more=-1) + LOAD_S

    def take(self, node_id: UUID | None, models: Models, seconds: float) -> None:
        """Count a job that was given away: this node, or some node if none is named, will hold its models."""
        self._left_s[models] -= seconds
        self._begun.pop(models, None)
        if node_id is None:
            if models:
                self._loose[models] += 1
                self._busy_s[models] += seconds
            return
        before, hand_s = self._holds[node_id], self._hand_s[node_id]
        after = self._holds[node_id] = models or before
        self._hand_s[node_id] = hand_s + seconds
        for each in self._left_s:
            had, has = each <= before, each <= after
            if had or has:
                self._nodes[each] += has - had
                self._busy_s[each] += has * (hand_s + seconds) - had * hand_s
                self._begun.pop(each, None)

    def _begins_in_s(self, models: Models, holders: list[UUID]) -> tuple[int, float]:
        """How many nodes hold these, and seconds until they have begun all that waits for them."""
        if not holders:
            return 0, inf
        hands = [self._hand_s[node_id] for node_id in holders]
        return len(hands), max(min(hands), self._poured_s(models, len(hands), sum(hands)))

    def _poured_s(self, models: Models, nodes: int, busy_s: float) -> float:
        """The same, as if work were water."""
        return (self._left_s[models] + busy_s) / nodes - self._one_s[models]


def patience_s(nodes: int) -> float:
    """Seconds for which work is left to so many nodes that hold its models."""
    return LOAD_S * min(nodes, MOST_LOADS)


def _held_models(node: Node, supply: Supply) -> Models:
    """The models a node holds once it has rendered what it has in hand."""
    in_hand = (supply.models_of(held.lane_id) for held in reversed(supply.by_node[node.pk]) if held.lane_id)
    return next(filter(None, in_hand), frozenset(node.resident))
