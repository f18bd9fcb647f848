"""An input that a node needs and does not have: which outputs of the same graph it could take."""

from __future__ import annotations

import copy
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from workflows.catalogue import ObjectInfo, inputs_of
from workflows.graph import Graph, linked_node
from workflows.judging import Bench
from workflows.validate import title_of

ABSENT: Final = "required_input_missing"
MOST_OFFERED: Final = 50
MOST_ABSENT: Final = 50
"""Absent inputs that are looked at: when the first are connected, the next are shown."""


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
    """The outputs that each of these absent inputs (node and name) could take; inputs without any aside.

    Of very many, the first MOST_ABSENT.
    """
    absent = (
        (node, name)
        for node, name in inputs
        if node is not None and name is not None and node in graph and name not in graph[node]["inputs"]
    )
    links = [link for one in graph.values() for link in one["inputs"].values() if linked_node(link)]
    used = {(link[0], link[1]) for link in links}
    found = []
    for node, name in islice(absent, MOST_ABSENT):
        fitting = sorted(_fitting(graph, object_info, node, name), key=used.__contains__)
        if fitting:
            few = fitting[:MOST_OFFERED]
            found.append(Offer(node, name, [_source(graph, object_info, one, used) for one in few]))
    return found


def connected(graph: Graph, offer: Offer, source: Source) -> Graph:
    """The graph with this input taking that output."""
    made: Any = copy.deepcopy(graph)
    made[offer.node]["inputs"][offer.input] = [source.node, source.slot]
    return made  # type: ignore[no-any-return]  # graphs are read-only in type; this copy was written to


def _fitting(graph: Graph, object_info: ObjectInfo, node: str, name: str) -> Iterator[tuple[str, int]]:
    class_type = str(graph[node]["class_type"])
    known = object_info.get(class_type)
    spec = inputs_of(known, graph[node]["inputs"]).get(name) if known else None
    if spec is None:
        return
    bench = Bench(graph, object_info, None, tuple)
    behind = _behind(graph, node)
    fits: dict[tuple[str, int], bool] = {}
    for other, facts in graph.items():
        giver = str(facts["class_type"])
        given = object_info.get(giver, {}).get("output", ())
        for slot in range(len(given) if other not in behind else 0):
            if (giver, slot) not in fits:
                fits[giver, slot] = bench.input_finding(class_type, spec, [other, slot]) is None
            if fits[giver, slot]:
                yield other, slot


def _source(
    graph: Graph, object_info: ObjectInfo, place: tuple[str, int], used: Container[tuple[str, int]]
) -> Source:
    node, slot = place
    kind = object_info[str(graph[node]["class_type"])]["output"][slot]
    shown = kind if isinstance(kind, str) else "COMBO"
    return Source(node, slot, title_of(graph, node), shown, place in used)


def _behind(graph: Graph, node: str) -> set[str]:
    """The node, and all that need it: to take something of theirs would lead in a circle."""
    takers: Mapping[str | None, set[str]] = {key: set() for key in graph}
    for key, facts in graph.items():
        for link in facts["inputs"].values():
            if (source := linked_node(link)) in takers:
                takers[source].add(key)
    found, waiting = {node}, [node]
    while waiting:
        new = takers[waiting.pop()] - found
        found |= new
        waiting += new
    return found
