"""Which node of one graph is which node of another: by id, else by class and neighbourhood."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from workflows.convert.saying import DEEPEST_VALUE, fault_of
from workflows.graph import Graph, is_link, linked_node

ROUNDS: Final = 3
MOST_TWINS: Final = 200
"""More nodes that look the same as others are paired in their order at once."""
MOST_TIED: Final = 50
"""Of more nodes that look the same, nobody can say which is which; they are paired in their order."""

_SORTED: Final = json.JSONEncoder(sort_keys=True, default=repr)

Labels = Mapping[str, str]


def match(before: Graph, after: Graph) -> dict[str, str]:
    """Return before's id → after's id for every node that is in both, renumbered or not."""
    pairs: dict[str, str] = {}
    ways = Around(before), Around(after)

    def alike(rounds: int, *, values: bool) -> None:
        _by_labels(pairs, labels(before, rounds, values=values), labels(after, rounds, values=values), ways)

    steps: tuple[Callable[[], None], ...] = (
        lambda: _by_id(before, after, pairs, _equal),
        lambda: alike(ROUNDS, values=True),
        lambda: _by_id(before, after, pairs, _same_class),
        lambda: alike(2, values=False),
        lambda: alike(1, values=False),
        lambda: _by_neighbours(before, after, pairs),
    )
    for step in steps:
        if len(pairs) == min(len(before), len(after)):
            break  # nothing is left on one side
        step()
    return pairs


def labels(graph: Graph, rounds: int, *, values: bool) -> dict[str, str]:
    """A text per node that is the same for nodes of the same class and the same surroundings.

    ``rounds`` is how many links far one looks, both ways; with ``values`` what stands at inputs counts.
    """
    found = {node: _own(graph[node], values=values) for node in graph}
    edges = list(_edges(graph))
    for _ in range(rounds):
        around: dict[str, list[str]] = {node: [] for node in graph}
        for taker, name, giver, slot in edges:
            around[taker].append(f"<{name}:{slot}:{found[giver]}")
            around[giver].append(f">{name}:{slot}:{found[taker]}")
        found = {node: _digest(repr([found[node], *sorted(around[node])])) for node in graph}
    return found


def equal(one: Any, other: Any, depth: int = 0) -> bool:
    """Equal as JSON: true is not 1, what is no number is itself; nesting without end is equal to nothing."""
    if depth > DEEPEST_VALUE:
        return False
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(one[key], other[key], depth + 1) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(equal(a, b, depth + 1) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    plain = (str, int, float, type(None))
    return isinstance(one, plain) and isinstance(other, plain) and bool(one == other)


def _by_id(before: Graph, after: Graph, pairs: dict[str, str], alike: Callable[[Any, Any], bool]) -> None:
    taken = set(pairs.values())
    for node in before:
        if node not in pairs and node not in taken and node in after and alike(before[node], after[node]):
            pairs[node] = node


def _by_labels(pairs: dict[str, str], before: Labels, after: Labels, ways: tuple[Around, Around]) -> None:
    """Pair what looks the same where there are as many on both sides; twins by what is beside them."""
    taken = set(pairs.values())
    olds, news = _groups(before, pairs.keys()), _groups(after, taken)
    tied: list[tuple[list[str], list[str]]] = []
    for label, nodes in olds.items():
        others = news.get(label, [])
        if len(nodes) == len(others) == 1:
            pairs[nodes[0]] = others[0]
        elif len(nodes) == len(others):
            tied.append((nodes, others))
    if sum(len(nodes) for nodes, _others in tied) <= MOST_TWINS:
        _untie(pairs, tied, ways)
    for nodes, others in tied:
        pairs.update(zip(nodes, others, strict=True))


def _untie(
    pairs: dict[str, str], tied: list[tuple[list[str], list[str]]], ways: tuple[Around, Around]
) -> None:
    """Pair twins whose neighbours are paired; where nothing tells them apart, the first two, and look again.

    What is paired leaves the groups.
    """
    while any(nodes for nodes, _others in tied):
        back = {new: old for old, new in pairs.items()}
        settled = False
        for nodes, others in tied:
            here = _beside(nodes, ways[0], {old: old for old in pairs})
            there = _beside(others, ways[1], back)
            for key, twins in here.items():
                if key and len(twins) == 1 and len(there.get(key, [])) == 1:
                    settled = True
                    _settle(pairs, nodes, others, twins[0], there[key][0])
        if not settled:
            nodes, others = next(group for group in tied if group[0])
            _settle(pairs, nodes, others, nodes[0], others[0])


def _settle(pairs: dict[str, str], nodes: list[str], others: list[str], old: str, new: str) -> None:
    pairs[old] = new
    nodes.remove(old)
    others.remove(new)


def _beside(
    nodes: list[str], around: Around, names: Mapping[str, str]
) -> dict[tuple[tuple[str, str], ...], list[str]]:
    """Nodes by which paired ones stand beside them, and how; ``names``: what those are called before."""
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for node in nodes:
        key = sorted((way, names[other]) for way, other in around[node] if other in names)
        found.setdefault(tuple(key), []).append(node)
    return found


class Around:
    """The links of each node, both ways, gathered when first asked for."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._links: dict[str, list[tuple[str, str]]] | None = None

    def __getitem__(self, node: str) -> list[tuple[str, str]]:
        if self._links is None:
            self._links = {}
            for taker, name, giver, slot in _edges(self._graph):
                self._links.setdefault(taker, []).append((f"<{name}:{slot}", giver))
                self._links.setdefault(giver, []).append((f">{name}:{slot}", taker))
        return self._links.get(node, [])


def _by_neighbours(before: Graph, after: Graph, pairs: dict[str, str]) -> None:
    """Pair what is left by class, and by how many links lead to nodes that are paired already."""
    taken = set(pairs.values())
    olds = _groups({node: _own(before[node], values=False) for node in before}, pairs.keys())
    news = _groups({node: _own(after[node], values=False) for node in after}, taken)
    for label, nodes in olds.items():
        others = news.get(label, [])
        if not others or max(len(nodes), len(others)) > MOST_TIED:
            continue
        scored = sorted(
            ((_shared(before[old], after[new], pairs), old, new) for old in nodes for new in others),
            key=lambda row: -row[0],
        )
        used: set[str] = set()
        for score, old, new in scored:
            if score and old not in pairs and new not in used:
                pairs[old] = new
                used.add(new)


def _shared(old: Mapping[str, Any], new: Mapping[str, Any], pairs: Mapping[str, str]) -> int:
    """How many links of two nodes come from what is the same node in both graphs."""
    inputs = new["inputs"]
    return sum(
        1
        for name, value in old["inputs"].items()
        if (giver := linked_node(value)) in pairs
        and is_link(inputs.get(name))
        and linked_node(inputs[name]) == pairs[giver or ""]
    )


def _groups(found: Labels, without: Any) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for node, label in found.items():
        if node not in without:
            groups.setdefault(label, []).append(node)
    return groups


def _edges(graph: Graph) -> Iterator[tuple[str, str, str, int]]:
    for node, content in graph.items():
        for name, value in content["inputs"].items():
            giver = linked_node(value)
            if giver is not None and giver in graph:
                yield node, str(name), giver, value[1]


def _own(node: Mapping[str, Any], *, values: bool) -> str:
    given = node["inputs"].items() if values else ()
    own = {str(name): fault_of(value) or value for name, value in given if not is_link(value)}
    return _digest(_SORTED.encode([node["class_type"], own]))


def _equal(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return _same_class(one, other) and equal(one["inputs"], other["inputs"])


def _same_class(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return bool(one["class_type"] == other["class_type"])


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
