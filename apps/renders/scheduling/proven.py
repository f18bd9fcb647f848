"""What golden renders say to the dispatcher: which nodes have rendered a version, and which could not.

A preference among nodes that fit, no more. It is read now and then: it changes seldom, and a tick is short.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from apps.nodes.models import Node
from apps.renders.models import Proof
from apps.renders.proofs import verdicts
from apps.workflows.models import WorkflowTemplateVersion

LOOK_AGAIN: Final = timedelta(seconds=10)

_NOBODY: Final = frozenset[UUID]()


@dataclass(frozen=True)
class Proven:
    """By version: the nodes that have rendered it, and those whose try failed for good."""

    yes: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)
    no: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Iterable[tuple[UUID, UUID, bool]]) -> Proven:
        """Gather verdicts: version, node, whether it can."""
        nodes: dict[bool, dict[UUID, set[UUID]]] = {True: defaultdict(set), False: defaultdict(set)}
        for version, node, can in told:
            nodes[can][version].add(node)
        yes, no = ({key: frozenset(some) for key, some in nodes[can].items()} for can in (True, False))
        return cls(yes, no)

    @property
    def says_anything(self) -> bool:
        """Whether any version is proven anywhere."""
        return bool(self.yes)

    def can(self, version: UUID) -> frozenset[UUID]:
        """Nodes that have rendered it, with what they have now."""
        return self.yes.get(version, _NOBODY)

    def cannot(self, version: UUID) -> frozenset[UUID]:
        """Nodes on which it failed, and would again."""
        return self.no.get(version, _NOBODY)


NOTHING_PROVEN: Final = Proven()


class _Memory:
    """What was read last: of which versions, when, and which golden render was the newest then."""

    def __init__(self) -> None:
        self._proven = NOTHING_PROVEN
        self._versions: frozenset[UUID] = frozenset()
        self._newest: tuple[object, ...] = ()
        self._at: datetime | None = None

    def of(self, versions: frozenset[UUID], newest: tuple[object, ...], now: datetime) -> Proven:
        """What is known of these versions, read anew where it is old."""
        is_old = self._at is None or not timedelta() <= now - self._at < LOOK_AGAIN
        if is_old or self._newest != newest or not versions <= self._versions:
            self._proven, self._versions, self._newest, self._at = _read(versions), versions, newest, now
        return self._proven


_memory: Final = _Memory()


def read_proven(versions: Collection[UUID], now: datetime) -> Proven:
    """Read what golden renders say of these versions: one short query, and a few every LOOK_AGAIN."""
    newest = Proof.objects.order_by("-pk").values_list("pk", "state").first()
    if newest is None or not versions:
        return NOTHING_PROVEN
    return _memory.of(frozenset(versions), newest, now)


def _read(versions: frozenset[UUID]) -> Proven:
    tried = Proof.objects.filter(version__in=versions).values("node")
    nodes = Node.objects.filter(pk__in=tried).only("software", "models_by_folder")
    rows = WorkflowTemplateVersion.objects.filter(pk__in=versions).defer("graph", "manifest")
    return Proven.of(verdicts(list(nodes), list(rows)))
