"""An input that a node needs and does not have: which outputs of the same graph it could take."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workflows.catalogue import ObjectInfo, inputs_of
from workflows.graph import Graph, is_link
from workflows.judging import Bench
from workflows.validate import title_of

ABSENT: Final = "required_input_missing"
MOST_OFFERED: Final = 50


@dataclass(frozen=True, slots=True)
class Source:
    """An output: which node, which of its outputs, what it gives. ``used``: some input takes it already."""

    node: str
    slot: int
    title: str
    type: str
    used: bool

    @property
    def key(self) -> str:
        """How a form names it."""
        return f"{self.slot}:{self.node}"

    def __str__(self) -> str:
        return f"{self.node} {self.title} · {self.type}"


@dataclass(frozen=True, slots=True)
class Offer:
    """An absent input and what it could take, what nobody uses yet first."""

    node: str
    input: str
    sources: Sequence[Source]


def offers(
    graph: Graph, object_info: ObjectInfo, inputs: Iterable[tuple[str | None, str | None]]
) -> list[Offer]:
    """The outputs that each of these absent inputs (node and name) could take; inputs without any aside."""
    found = []
    for node, name in inputs:
        if node is not None and name is not None and node in graph and name not in graph[node]["inputs"]:
            sources = sorted(_sources(graph, object_info, node, name), key=lambda one: one.used)
            if sources:
                found.append(Offer(node, name, sources[:MOST_OFFERED]))
    return found


def connected(graph: Graph, offer: Offer, source: Source) -> Graph:
    """The graph with this input taking that output."""
    made: Any = copy.deepcopy(graph)
    made[offer.node]["inputs"][offer.input] = [source.node, source.slot]
    return made  # type: ignore[no-any-return]


def _sources(graph: Graph, object_info: ObjectInfo, node: str, name: str) -> Iterator[Source]:
    class_type = str(graph[node]["class_type"])
    known = object_info.get(class_type)
    spec = inputs_of(known, graph[node]["inputs"]).get(name) if known else None
    if spec is None:
        return
    bench = Bench(graph, object_info, None, tuple)
    used = {(link[0], link[1]) for one in graph.values() for link in one["inputs"].values() if is_link(link)}
    behind = _behind(graph, node)
    for other, facts in graph.items():
        given = object_info.get(str(facts["class_type"]), {}).get("output", ())
        for slot, kind in enumerate(given if other not in behind else ()):
            if bench.input_finding(class_type, spec, [other, slot]) is None:
                shown = kind if isinstance(kind, str) else "COMBO"
                yield Source(other, slot, title_of(graph, other), shown, (other, slot) in used)


def _behind(graph: Graph, node: str) -> set[str]:
    """The node, and all that need it: to take something of theirs would lead in a circle."""
    takers: Mapping[str, set[str]] = {key: set() for key in graph}
    for key, facts in graph.items():
        for link in facts["inputs"].values():
            if is_link(link) and link[0] in takers:
                takers[link[0]].add(key)
    found, waiting = {node}, [node]
    while waiting:
        new = takers[waiting.pop()] - found
        found |= new
        waiting += new
    return found
