"""What a graph would be without a role: which nodes go with it, and what is led elsewhere then.

The node that reads the role's file goes. What cannot do without it is passed by, as ComfyUI passes a bypassed
node by: who took its output takes the input of the same type instead; where there is none, it goes too. At
last go those that worked for the gone alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from workflows.catalogue import ObjectInfo, inputs_of, types_of
from workflows.graph import Graph, linked_node
from workflows.manifest import Without

_Output = tuple[str, int]
_MOST_PASSED = 200
"""Nodes that a link is led past, one behind the other."""


def leaving(
    graph: Graph, object_info: ObjectInfo, readers: Collection[str], needed: Collection[str]
) -> Without | None:
    """Say what becomes of the graph when these nodes have nothing to read.

    None where one of ``needed`` (the nodes that save, and the samplers) would go with them: then the role
    must be given. A sampler that is passed by would leave a picture of nothing.
    """
    walk = _Walk(graph, object_info, {node for node in readers if node in graph})
    walk.run()
    if walk.gone & set(needed) or not walk.gone:
        return None
    relink = dict(walk.relinked())
    walk.sweep(relink, needed)
    return Without(
        remove=tuple(node for node in graph if node in walk.gone),
        relink={place: to for place, to in relink.items() if place[0] not in walk.gone},
    )


class _Walk:
    def __init__(self, graph: Graph, object_info: ObjectInfo, gone: set[str]) -> None:
        self.graph, self.object_info, self.gone = graph, object_info, gone
        self._takers: dict[str, set[str]] = {}
        for node, _name, (giver, _slot) in _links(graph):
            self._takers.setdefault(giver, set()).add(node)

    def run(self) -> None:
        """Let every node go that would lose an input which it must have.

        Whom a link was led to may go later, so those that stay are asked once more until nobody goes.
        """
        waiting = list(self.gone)
        while waiting:
            while waiting:
                waiting += self._let_go(self._takers.get(waiting.pop(), ()))
            waiting += self._let_go({taker for node in self.gone for taker in self._takers.get(node, ())})

    def relinked(self) -> Iterator[tuple[tuple[str, str], _Output]]:
        """The inputs of those that stay which are led past those that go."""
        for node, name, (giver, slot) in _links(self.graph):
            if node not in self.gone and giver in self.gone and (to := self._past((giver, slot))):
                yield (node, name), to

    def sweep(self, relink: Mapping[tuple[str, str], _Output], needed: Collection[str]) -> None:
        """Let those go that only the gone took anything from."""
        wanted = {giver for giver, _slot in relink.values()}
        waiting = list(self.gone)
        while waiting:
            for value in self.graph[waiting.pop()]["inputs"].values():
                giver = linked_node(value)
                if giver is None or giver not in self.graph or giver in self.gone | wanted | set(needed):
                    continue
                if self._takers[giver] <= self.gone:
                    self.gone.add(giver)
                    waiting.append(giver)

    def _let_go(self, takers: Iterable[str]) -> list[str]:
        going = [taker for taker in takers if taker not in self.gone and self._lacks(taker)]
        self.gone.update(going)
        return going

    def _lacks(self, node: str) -> bool:
        body = self.graph[node]
        known = self.object_info.get(body["class_type"])
        specs = inputs_of(known, body["inputs"]) if known else {}
        for name, value in body["inputs"].items():
            needed = name not in specs or specs[name].required
            if needed and linked_node(value) in self.gone and self._past((value[0], value[1])) is None:
                return True
        return False

    def _past(self, output: _Output) -> _Output | None:
        """Where an output of a node that goes comes from when that is passed by; None if from nowhere."""
        for _step in range(_MOST_PASSED):
            if output[0] not in self.gone:
                return output
            before = self._handed_through(*output)
            if before is None or before[0] not in self.graph:
                return None
            output = before
        return None

    def _handed_through(self, node: str, slot: int) -> _Output | None:
        """The linked input that stands for an output: that of its number if the type fits, else the first."""
        body = self.graph[node]
        known = self.object_info.get(body["class_type"])
        outputs = known.get("output", ()) if known else ()
        if known is None or not 0 <= slot < len(outputs):
            return None
        given = types_of(outputs[slot])
        specs = inputs_of(known, body["inputs"])
        sockets = [name for name in specs if linked_node(body["inputs"].get(name)) is not None]
        fitting = [name for name in sockets if specs[name].types & given]
        same = sockets[slot : slot + 1]
        name = next((name for name in [*same, *fitting] if name in fitting), None)
        return None if name is None else (body["inputs"][name][0], body["inputs"][name][1])


def _links(graph: Graph) -> Iterator[tuple[str, str, _Output]]:
    for node, body in graph.items():
        for name, value in body["inputs"].items():
            giver: Any = linked_node(value)
            if giver is not None and giver in graph:
                yield node, name, (giver, value[1])
