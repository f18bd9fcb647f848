"""Which model file of which content lies on which node. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.core.cache import cache
from django.db.models import Count

from apps.nodes.models import Node, NodeFile

File = tuple[str, str]
"""A ComfyUI folder, and a name with ``/``."""

CONFLICTS_S: Final = 15
"""How long what was found of conflicts is good enough for pages that are drawn every two seconds."""

MOST_CONFLICTS: Final = 500
MOST_NAMED: Final = 4


@dataclass(frozen=True)
class Conflict:
    """Files of one name and different content: renders would differ. ``nodes``: by hash, who has it."""

    folder: str
    name: str
    nodes: Mapping[str, tuple[str, ...]]

    @property
    def path(self) -> str:
        """Folder and name."""
        return f"{self.folder}/{self.name}"


def conflict_drift(node: str, found: Iterable[Conflict]) -> list[dict[str, Any]]:
    """The conflicts a node is part of, as differences (apps.nodes.words says them)."""
    told = []
    for one in found:
        mine = next((sha256 for sha256, names in one.nodes.items() if node in names), None)
        if mine is None:
            continue
        others = [name for sha256, names in one.nodes.items() if sha256 != mine for name in names]
        shown = ", ".join(others[:MOST_NAMED]) + (", …" if len(others) > MOST_NAMED else "")
        told.append({"code": "model_differs", "params": {"name": one.path, "others": shown}})
    return told


def files_of(nodes: Iterable[Node], wanted: Sequence[File] | None = None) -> dict[UUID, dict[File, NodeFile]]:
    """Return what these nodes told of their files, or of the wanted ones among them."""
    rows = NodeFile.objects.filter(node__in=[node.pk for node in nodes])
    if wanted is not None:
        rows = rows.filter(name__in={name for _folder, name in wanted})
    found: dict[UUID, dict[File, NodeFile]] = defaultdict(dict)
    for row in rows:
        found[row.node_id][row.folder, row.name] = row
    return found


def conflicts() -> list[Conflict]:
    """List files whose content is not the same on all nodes that have hashed them."""
    hashed = NodeFile.objects.exclude(sha256="").order_by("folder", "name").values("folder", "name")
    several = hashed.annotate(contents=Count("sha256", distinct=True)).filter(contents__gt=1)
    pairs = {(row["folder"], row["name"]) for row in several[:MOST_CONFLICTS]}
    if not pairs:
        return []
    by_hash: dict[File, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    rows = NodeFile.objects.exclude(sha256="").filter(name__in={name for _folder, name in pairs})
    for folder, name, sha256, node in rows.order_by("node__name").values_list(
        "folder", "name", "sha256", "node__name"
    ):
        if (folder, name) in pairs:
            by_hash[folder, name][sha256].append(node)
    return [
        Conflict(folder, name, {sha256: tuple(nodes) for sha256, nodes in by_hash[folder, name].items()})
        for folder, name in sorted(by_hash)
    ]


def conflicts_lately() -> list[Conflict]:
    """The same, at most CONFLICTS_S old."""
    found: list[Conflict] | None = cache.get("model-conflicts")
    if found is None:
        found = conflicts()
        cache.set("model-conflicts", found, CONFLICTS_S)
    return found
