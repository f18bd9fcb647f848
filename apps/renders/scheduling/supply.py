"""Who could work: serving nodes, the seats they have, and what is on its way to them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from apps.nodes.models import Node
from apps.renders.matching import Capacity, Seat
from apps.renders.models import NodeBlock, Proof
from apps.renders.scheduling.demand import Fit, Waiting, models_of
from apps.renders.scheduling.fit import keyless, lacking, unknown_to
from apps.renders.scheduling.proven import NOTHING_PROVEN, Proven
from apps.renders.scheduling.roster import serving_nodes
from apps.renders.selectors import slots_in_use
from apps.renders.states import PROOF_ON_WAY, BlockState
from farm.tiers import NO_VRAM, next_queue_for


@dataclass(frozen=True)
class Kind:
    """What decides whether a node fits: nodes of one kind can run the same work."""

    capabilities_of: str
    tier_gb: int
    pool_id: UUID | None
    dedicated: bool
    tags: frozenset[str]
    keys: frozenset[str]
    hears: frozenset[str]


class Held(NamedTuple):
    """An attempt that takes a seat, or will. ``node_id`` None: it is on a tier's queue.

    ``held_back``: its job, or its batch, is paused; what a node has goes on all the same.
    """

    attempt_id: UUID
    node_id: UUID | None
    queue: str
    tier_gb: int
    state: str
    explores: bool
    unstage_asked_at: datetime | None
    executing_at: datetime | None
    lane_id: UUID | None
    rank: int
    project_id: UUID
    template_id: UUID
    held_back: bool = False


@dataclass
class Supply:
    """Serving nodes and what holds their seats, as one tick sees them."""

    nodes: list[Node]
    held: list[Held]
    blocks: dict[UUID, set[UUID]] = field(default_factory=dict)
    """Template → the nodes that are not given it."""
    trials: dict[UUID, set[UUID]] = field(default_factory=dict)
    """Template → the nodes that are given it again after a row of failures: one order, whose end decides."""
    models_of: Callable[[UUID], frozenset[str]] = models_of
    """The files that a lane's jobs load."""
    proving: frozenset[UUID] = frozenset()
    """Nodes that have a golden render in hand: one of their seats is taken."""
    proven: Proven = NOTHING_PROVEN
    """What golden renders say of nodes and versions."""

    def __post_init__(self) -> None:
        self._tried = {
            (held.node_id, held.template_id)
            for held in self.held
            if held.node_id in self.trials.get(held.template_id, ())
        }
        self.kind_of = {node.pk: kind_of(node) for node in self.nodes}
        self._able: dict[Fit, set[UUID]] = {}
        self._suited: dict[Fit, set[UUID]] = {}
        self._all_able: dict[Fit, bool] = {}
        self._members: dict[Kind, list[Node]] = defaultdict(list)
        for node in self.nodes:
            self._members[self.kind_of[node.pk]].append(node)

    @cached_property
    def by_node(self) -> dict[UUID, list[Held]]:
        """What each node has in hand or bound to it, the oldest first."""
        found: dict[UUID, list[Held]] = defaultdict(list)
        for held in self.held:
            if held.node_id is not None:
                found[held.node_id].append(held)
        return found

    def capacity(self) -> Capacity:
        """The seats, less what is on its way."""
        loose = [held for held in self.held if held.node_id is None]
        staged = [held.tier_gb for held in loose if held.queue == next_queue_for(held.tier_gb)]
        started = [held.tier_gb for held in loose if held.queue != next_queue_for(held.tier_gb)]
        seats = [
            Seat(node.pk, node.name, node.epoch, node.tier_gb or NO_VRAM, self._taken(node.pk))
            for node in self.nodes
        ]
        return Capacity(seats, started, staged)

    def _taken(self, node_id: UUID) -> int:
        return len(self.by_node[node_id]) + (node_id in self.proving)

    def able(self, waiting: Waiting) -> set[UUID]:
        """The serving nodes that can run this lane's jobs, busy or not."""
        if waiting.fit not in self._able:
            able = self._those_that(fits, waiting)
            # Where only such nodes are left they are given it: something may have changed that nobody sees.
            self._able[waiting.fit] = able - self.proven.cannot(_version(waiting)) or able
        return self._able[waiting.fit]

    def passed_over(self, waiting: Waiting) -> frozenset[UUID]:
        """Nodes that are not given it: their golden render of this version failed, and others are there."""
        return self.proven.cannot(_version(waiting)) - self.able(waiting)

    def is_proven(self, waiting: Waiting, node_id: UUID) -> bool:
        """Whether this node has rendered this very version."""
        return node_id in self.proven.can(_version(waiting))

    def suited(self, waiting: Waiting) -> set[UUID]:
        """The serving nodes that could run this lane's jobs but for their memory."""
        if waiting.fit not in self._suited:
            self._suited[waiting.fit] = self._those_that(suits, waiting)
        return self._suited[waiting.fit]

    def _those_that(self, can: Callable[[Kind, Waiting, Node], bool], waiting: Waiting) -> set[UUID]:
        lane, blocked = waiting.lane, self.blocks.get(waiting.template_id, set())
        return {
            node.pk
            for kind, members in self._members.items()
            if can(kind, waiting, members[0])
            for node in members
            if node.pk not in blocked and lane.pinned_to_id in (None, node.pk)
            if node.name not in lane.avoided
        }

    def all_able(self, waiting: Waiting) -> bool:
        """Tell whether every node that listens to this lane's queue can run any number of its jobs."""
        if waiting.fit not in self._all_able:
            tier = waiting.tier_gb or NO_VRAM
            able = self.able(waiting) - self.trials.get(waiting.template_id, set())
            self._all_able[waiting.fit] = all(
                node.pk in able for node in self.nodes if (node.tier_gb or NO_VRAM) >= tier
            )
        return self._all_able[waiting.fit]

    def may_try(self, waiting: Waiting, node_id: UUID) -> bool:
        """Tell whether a node is given one more order of a template, for all that its failures say."""
        return not self._tried or (node_id, waiting.template_id) not in self._tried

    def tries(self, waiting: Waiting, node_id: UUID | None) -> None:
        """Count an order to this node."""
        if node_id in self.trials.get(waiting.template_id, ()):
            self._tried.add((node_id, waiting.template_id))

    def in_flight(self) -> Counter[UUID]:
        """Seats taken by each project."""
        return Counter(held.project_id for held in self.held)

    def in_flight_of(self) -> Counter[UUID]:
        """Seats taken by each template."""
        return Counter(held.template_id for held in self.held)


def read_supply(now: datetime) -> Supply:
    """Read nodes, seats, blocks and golden renders: four queries, whatever waits."""
    blocks: dict[UUID, set[UUID]] = defaultdict(set)
    trials: dict[UUID, set[UUID]] = defaultdict(set)
    for node_id, template_id, is_blocked in shut_pairs(now):
        (blocks if is_blocked else trials)[template_id].add(node_id)
    return Supply(serving_nodes(), _held(), blocks, trials, proving=_proving())


def _version(waiting: Waiting) -> UUID:
    return waiting.lane.template_version_id


def shut_pairs(now: datetime, nodes: Iterable[Node] | None = None) -> Iterator[tuple[UUID, UUID, bool]]:
    """Each node and template that do not go together freely: True if not at all, False if it is on trial."""
    rows = NodeBlock.objects.exclude(state=BlockState.CLEAR)
    if nodes is not None:
        rows = rows.filter(node__in=[node.pk for node in nodes])
    for node_id, template_id, until in rows.values_list("node_id", "template_id", "until"):
        yield node_id, template_id, until is not None and until > now


def fits(kind: Kind, waiting: Waiting, one: Node) -> bool:
    """Tell whether nodes of this kind, of which ``one`` is one, can run a lane's jobs."""
    large = waiting.tier_gb is not None and kind.tier_gb >= waiting.tier_gb
    return large and suits(kind, waiting, one)


def suits(kind: Kind, waiting: Waiting, one: Node) -> bool:
    """Tell whether they could but for their memory."""
    lane = waiting.lane
    return (
        in_pool(kind, lane.pool_id)
        and tags_of(lane.tags) <= kind.tags
        and not keyless(one, waiting.template)
        and not unknown_to(one, waiting.template)
        and not lacking(one, waiting.template, lane.precision, lane.lora_files)
    )


def in_pool(kind: Kind, wanted: UUID | None) -> bool:
    """A job that asks for a pool goes there; one that does not goes anywhere but to a dedicated pool."""
    return kind.pool_id == wanted if wanted else not kind.dedicated


def tags_of(text: str) -> frozenset[str]:
    """The words of a ``tags`` column."""
    return frozenset(filter(None, text.split("\n")))


def kind_of(node: Node) -> Kind:
    """What decides whether this node fits."""
    dedicated = node.pool is not None and node.pool.dedicated
    return Kind(
        node.capabilities_of,
        node.tier_gb or NO_VRAM,
        node.pool_id,
        dedicated,
        tags_of(node.tags),
        frozenset(node.keys),
        frozenset(node.hears),
    )


def _proving() -> frozenset[UUID]:
    return frozenset(Proof.objects.filter(state__in=PROOF_ON_WAY).values_list("node_id", flat=True))


def _held() -> list[Held]:
    rows: Iterable[tuple[object, ...]] = (
        slots_in_use()
        .order_by("accepted_at", "pk")
        .values_list(
            "pk",
            "node_id",
            "queue",
            "tier_gb",
            "state",
            "explores",
            "unstage_asked_at",
            "executing_at",
            "job__lane_id",
            "job__rank",
            "job__project_id",
            "job__template_version__template_id",
            "job__held",
        )
    )
    return [Held._make(row) for row in rows]  # in the order of its fields
