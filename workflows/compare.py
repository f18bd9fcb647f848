"""What differs between two graphs, or two manifests: node by node, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.graph import Graph


@dataclass(frozen=True, slots=True)
class InputChange:
    """One input. ``before``/``after`` are values or links as they stand; ``kind`` is "added", "removed",
    "value" (value → value), "link" (link → link), "linked" (value → link) or "unlinked" (link → value)."""

    input: str
    kind: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class NodeChange:
    """One node. ``before``/``after`` are its ids (None where it is not), different when renumbered.

    ``kind`` is "added", "removed", "changed" or "renumbered" (another id, all else the same or in
    ``inputs``). ``class_before``/``class_after`` differ where the node under this id became another class.
    """

    kind: str
    before: str | None
    after: str | None
    class_before: str
    class_after: str
    title: str
    inputs: tuple[InputChange, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphDiff:
    """All that differs; ``unchanged`` counts the nodes that do not."""

    nodes: tuple[NodeChange, ...]
    unchanged: int

    def of_kind(self, kind: str) -> tuple[NodeChange, ...]:
        return tuple(node for node in self.nodes if node.kind == kind)

    def __bool__(self) -> bool:
        return bool(self.nodes)

    def text(self) -> str:
        """The difference in lines a person reads; "" if there is none."""
        return ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a manifest by its path ("bindings.seed.targets", "defaults.steps"); None: not there."""

    path: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class ManifestDiff:
    """Fields that differ, in the manifest's order."""

    fields: tuple[FieldChange, ...]

    def __bool__(self) -> bool:
        return bool(self.fields)

    def text(self) -> str:
        """The difference in lines a person reads; "" if there is none."""
        return ""


def compare(before: Graph, after: Graph) -> GraphDiff:
    """Return what differs between two graphs in API format; titles are shown, but never compared."""
    return GraphDiff((), 0)


def compare_manifests(before: Mapping[str, Any], after: Mapping[str, Any]) -> ManifestDiff:
    """Return what differs between two manifest documents: roles, defaults, models, VRAM rows, all else."""
    return ManifestDiff(())
