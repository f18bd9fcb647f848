"""What runs on a node, and how that differs from what was accepted and from what its pool has. Pure.

Software is ``{"comfyui", "pytorch", "python", "classes", "custom_nodes": {name: hash}, "models": [path]}``:
``classes`` is how many node classes there are. A difference is a code and facts, as in ``Node.drift``;
apps.nodes.words says them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from farm.contracts import Capabilities, ComfyFact, canonical

Software = Mapping[str, Any]
Difference = dict[str, Any]

MOST_TOLD: Final = 30
"""Differences told of one node; what is beyond is counted."""
VERSIONS: Final = ("comfyui", "pytorch", "python")


def software_of(comfy: ComfyFact, capabilities: Capabilities) -> dict[str, Any]:
    """Sum up what a node told of itself."""
    return {
        **versions_of(comfy),
        "classes": len(capabilities.classes),
        "custom_nodes": dict(capabilities.custom_nodes),
        "models": sorted(
            f"{folder}/{name}" for folder, names in capabilities.models.items() for name in names
        ),
    }


def versions_of(comfy: ComfyFact) -> dict[str, Any]:
    """The versions a reachable ComfyUI tells with every report."""
    return {"comfyui": comfy.version, "pytorch": comfy.pytorch, "python": comfy.python}


def mark_of(software: Software) -> str:
    """A short hash, equal for equal software; "" for none."""
    return hashlib.sha256(canonical(dict(software))).hexdigest()[:16] if software else ""


class Census:
    """What the nodes of one pool have, counted once; software that is not known yet counts as none."""

    def __init__(self, everyone: Iterable[Software]) -> None:
        known = [software for software in everyone if software]
        self.count = len(known)
        self.versions = {name: Counter(one[name] for one in known) for name in VERSIONS}
        self.custom_nodes = Counter(pair for one in known for pair in one["custom_nodes"].items())
        self.custom_names = Counter(name for one in known for name in one["custom_nodes"])
        self.models = Counter(name for one in known for name in one["models"])


def drift(own: Software, baseline: Software, census: Census) -> list[Difference]:
    """List how a node's software differs from its baseline, and from most others of its pool.

    The census counts the node itself too.
    """
    if not own:
        return []
    found = [*_since(own, baseline), *_beside(own, census)]
    if len(found) > MOST_TOLD:
        return [*found[: MOST_TOLD - 1], _told("more", count=len(found) - MOST_TOLD + 1)]
    return found


def _since(own: Software, baseline: Software) -> Iterator[Difference]:
    """What changed since somebody accepted it."""
    if not baseline:
        return
    for name in VERSIONS:
        if own[name] != baseline.get(name):
            yield _told("version_changed", what=name, has=own[name], was=baseline.get(name) or "–")
    mine, theirs = own["custom_nodes"], baseline.get("custom_nodes", {})
    yield from (_told("custom_node_came", name=name) for name in sorted(mine.keys() - theirs.keys()))
    yield from (_told("custom_node_went", name=name) for name in sorted(theirs.keys() - mine.keys()))
    for name in sorted(mine.keys() & theirs.keys()):
        if mine[name] != theirs[name]:
            yield _told("custom_node_changed", name=name)
    if not mine and not theirs and own["classes"] != baseline.get("classes"):
        yield _told("classes_changed", has=own["classes"], was=baseline.get("classes") or 0)
    had, has = set(baseline.get("models", ())), set(own["models"])
    yield from (_told("model_went", name=name) for name in sorted(had - has))
    yield from (_told("model_came", name=name) for name in sorted(has - had))


def _beside(own: Software, census: Census) -> Iterator[Difference]:
    """What more than half of the others have, and this node has otherwise or not at all.

    What it lacks is in no count of its own, so the counts are those of the others.
    """
    of = census.count - 1
    for name in VERSIONS:
        for usual, count in _usual(census.versions[name], of):
            if own[name] != usual:
                yield _told("pool_version", what=name, has=own[name], pool=usual, count=count, of=of)
    mine = own["custom_nodes"]
    for name, count in _usual(census.custom_names, of):
        if name not in mine:
            yield _told("pool_has_custom_node", name=name, count=count, of=of)
    for (name, mark), count in _usual(census.custom_nodes, of):
        if name in mine and mine[name] != mark:
            yield _told("pool_has_other_custom_node", name=name, count=count, of=of)
    has = set(own["models"])
    for name, count in _usual(census.models, of):
        if name not in has:
            yield _told("pool_has_model", name=name, count=count, of=of)


def _usual(counted: Counter[Any], of: int) -> list[tuple[Any, int]]:
    return sorted((what, count) for what, count in counted.items() if 2 * count > of)


def _told(code: str, **params: Any) -> Difference:
    return {"code": code, "params": params}
