"""Which models are loaded where, and whether loading them once more is worth it (ADR 34).

One rule: a node changes its models only if the other work, with it, would still be done more than PATIENCE_S
later than what it leaves. Work that nobody holds the models of is always worth it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.conf import settings

from apps.nodes.models import Node
from apps.renders.scheduling.demand import Waiting
from apps.renders.scheduling.supply import Held, Supply

Models = frozenset[str]

LOAD_S: Final = float(settings.MODEL_LOAD_SECONDS)
"""Seconds a model takes to load."""

PATIENCE_S: Final = 3 * LOAD_S


class Warmth:
    def __init__(self, supply: Supply, left_s: Mapping[Models, float], in_hand_s: Mapping[UUID, float]) -> None:
        self._holds = {node.pk: held_models(node, supply) for node in supply.nodes}
        self._hand_s = defaultdict(float, in_hand_s)
        self.left_s = defaultdict(float, left_s)
        loose = (held.lane_id for held in supply.held if held.node_id is None)
        self.loose = Counter(supply.models_of(lane_id) for lane_id in loose if lane_id is not None)
        self.nodes: Counter[Models] = Counter()
        self.busy_s: dict[Models, float] = defaultdict(float)
        for models in self.left_s:
            for node_id, holds in self._holds.items():
                if models <= holds:
                    self.nodes[models] += 1
                    self.busy_s[models] += self._hand_s[node_id]
        self.nodes += self.loose

    def at(self, node_id: UUID, models: Models) -> bool:
        return models <= self._holds.get(node_id, frozenset())

    def done_in_s(self, models: Models, *, more: int = 0, loading_s: float = 0.0) -> float:
        nodes = self.nodes[models] + more
        if nodes <= 0:
            return float("inf")
        return (self.left_s[models] + self.busy_s[models] + loading_s) / nodes

    def begun_in_s(self, models: Models, mean_s: float) -> float:
        return self.done_in_s(models) - mean_s

    def with_one_more_s(self, models: Models) -> float:
        return self.done_in_s(models, more=1, loading_s=LOAD_S)

    def take(self, node_id: UUID | None, models: Models, seconds: float) -> None:
        self.left_s[models] -= seconds
        if not models:
            return
        if node_id is None:
            self.loose[models] += 1
            self.nodes[models] += 1
            self.busy_s[models] += seconds
            return
        hand_s = self._hand_s[node_id]
        for group in self.left_s:
            before, after = group <= self._holds[node_id], group <= models
            self.nodes[group] += after - before
            self.busy_s[group] += after * (hand_s + seconds) - before * hand_s
        self._hand_s[node_id] = hand_s + seconds
        self._holds[node_id] = models


def held_models(node: Node, supply: Supply) -> Models:
    """The models a node holds once it has rendered what it has in hand."""
    in_hand = (supply.models_of(held.lane_id) for held in reversed(supply.by_node[node.pk]) if held.lane_id)
    return next(filter(None, in_hand), frozenset(node.resident))
