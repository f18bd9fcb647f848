"""A graph as the search looks at it: live links with their types, and walks along them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

from workflows.catalogue import Inputs, InputSpec, ObjectInfo, types_of
from workflows.graph import Graph, is_link, linked_node, plain_value

MOST_WALKED: Final = 3000
"""No walk visits more nodes than this: a graph of thousands is searched near its outputs only."""
MOST_STEPS: Final = 100_000
"""All walks of one search together visit no more nodes than this: thousands of samplers share their ways."""
UNNAMED: Final = "UNKNOWN"
"""What ComfyUI's client calls a value of a class that nobody knows."""
SWITCHES: Final = frozenset({"ComfySwitchNode", "ComfySoftSwitchNode"})
BRANCHES: Final = ("on_true", "on_false")
"""Of a switch that is off, the first is left out; of one that is on, the second."""

Output = tuple[str, int]
"""A node's output: (node id, slot)."""
Place = tuple[str, str]
"""A node's input: (node id, input name)."""


class View:
    """Links whose origin is missing, and the branch that a switch leaves out, are not there."""

    def __init__(self, graph: Graph, object_info: ObjectInfo) -> None:
        self.graph = graph
        self.object_info = object_info
        self._inputs = Inputs(object_info)
        self._specs: dict[str, Mapping[str, InputSpec]] = {}
        self._links: dict[str, dict[str, Output]] = {}
        self._linked: dict[tuple[str, tuple[str, ...]], dict[str, Output]] = {}
        self._numbers: dict[str, tuple[str, ...]] = {}
        self._types: dict[Output, frozenset[str]] = {}
        self._steps = 0

    @property
    def is_exhausted(self) -> bool:
        """True once the walks have visited all they may: what is found later is found only nearby."""
        return self._steps > MOST_STEPS

    def step(self) -> bool:
        """Count a node that a walk visits; False if walks must end."""
        self._steps += 1
        return not self.is_exhausted

    def class_of(self, node: str) -> str:
        return str(self.graph[node].get("class_type"))

    def info(self, node: str) -> Mapping[str, Any]:
        """What the catalogue says about a node's class; empty for one that it lacks, or says nonsense of."""
        found: object = self.object_info.get(self.class_of(node))
        return found if isinstance(found, Mapping) and isinstance(found.get("input"), Mapping) else {}

    def outputs(self, node: str) -> list[object]:
        """The types a node gives, as its class declares them; empty for an unknown class."""
        declared = self.info(node).get("output")
        return list(declared) if isinstance(declared, list | tuple) else []

    def kinds_out(self, node: str) -> set[str]:
        return {str(kind) for kind in self.outputs(node)}

    def given(self, node: str) -> Mapping[str, Any]:
        inputs: Mapping[str, Any] = self.graph[node]["inputs"]
        return inputs

    def specs(self, node: str) -> Mapping[str, InputSpec]:
        if node not in self._specs:
            self._specs[node] = self._declared(node)
        return self._specs[node]

    def _declared(self, node: str) -> Mapping[str, InputSpec]:
        """A class whose inputs are declared in a way nobody can read has none."""
        try:
            return self._inputs.of(self.class_of(node), self.given(node)) if self.info(node) else {}
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return {}

    def named(self, node: str) -> str:
        """A node as sentences name it, after the word "node"."""
        return f"{node} ({self.class_of(node)})"

    def value(self, place: Place) -> Any:
        """What stands at an input; None for a link or nothing."""
        value = self.given(place[0]).get(place[1])
        return None if is_link(value) else plain_value(value)

    def links(self, node: str) -> Mapping[str, Output]:
        """The live links into a node, by input."""
        if node not in self._links:
            given = self.given(node).items()
            found = {name: link for name, value in given if (link := self._origin(value))}
            chosen = self.switched(node)
            if chosen is not None:
                found.pop(BRANCHES[chosen], None)
            self._links[node] = found
        return self._links[node]

    def switched(self, node: str) -> bool | None:
        """How a switch is set, here or by a primitive; None for other nodes, and where nobody can tell."""
        if self.class_of(node) not in SWITCHES:
            return None
        link = self._link(node, "switch")
        value = self.value((link[0], "value") if link else (node, "switch"))
        return value if isinstance(value, bool) else None

    def link(self, place: Place) -> Output | None:
        return self.links(place[0]).get(place[1])

    def types_out(self, output: Output) -> frozenset[str]:
        """The types an output gives; a node that hands on anything gives what it is given."""
        known = self._types.get(output)
        if known is None:
            known = self._types[output] = self._given_by(output)
        return known

    def _given_by(self, output: Output) -> frozenset[str]:
        for _ in range(20):
            slots = self.outputs(output[0])
            types = types_of(slots[output[1]]) if 0 <= output[1] < len(slots) else frozenset({"*"})
            if "*" not in types or not slots:
                return types
            through = [
                link for name, link in self.links(output[0]).items()
                if "*" in self.types_in((output[0], name))
            ]  # fmt: skip
            if not through:
                return types
            output = through[0]
        return frozenset({"*"})

    def types_in(self, place: Place) -> frozenset[str]:
        spec = self.specs(place[0]).get(place[1])
        return spec.types if spec else frozenset({"*"})

    def carries(self, place: Place, *types: str) -> bool:
        """True if the link at an input brings one of these types, by its giver or else by its taker."""
        link = self.link(place)
        if link is None:
            return False
        given = self.types_out(link)
        return bool((given if "*" not in given else self.types_in(place)) & frozenset(types))

    def linked(self, node: str, *types: str) -> Mapping[str, Output]:
        """The live links into a node that bring one of these types."""
        known = self._linked.get((node, types))
        if known is None:
            links = self.links(node)
            known = {name: link for name, link in links.items() if self.carries((node, name), *types)}
            self._linked[node, types] = known
        return known

    def slot_name(self, output: Output) -> str:
        names = self.info(output[0]).get("output_name")
        known: Sequence[Any] = names if isinstance(names, list | tuple) else ()
        return str(known[output[1]]) if 0 <= output[1] < len(known) else ""

    @cached_property
    def takers(self) -> Mapping[str, list[tuple[Place, Output]]]:
        """Node → every live link that leaves it, as (taking input, output)."""
        taken: dict[str, list[tuple[Place, Output]]] = {}
        for node in self.graph:
            for name, link in self.links(node).items():
                taken.setdefault(link[0], []).append(((node, name), link))
        return taken

    def above(self, start: Iterable[str]) -> dict[str, int]:
        """All nodes that these need, themselves included, with their distance: the nearest first."""
        distance = dict.fromkeys(start, 0)
        waiting = deque(distance)
        while waiting and len(distance) < MOST_WALKED:
            node = waiting.popleft()
            for origin, _ in self.links(node).values():
                if origin not in distance:
                    distance[origin] = distance[node] + 1
                    waiting.append(origin)
        return distance

    def back(self, start: Output, *types: str) -> Iterator[tuple[str, list[Output]]]:
        """Walk from an output back along links of these types: each node once, with its links of them."""
        seen = {start[0]}
        waiting = deque([start[0]])
        while waiting and len(seen) < MOST_WALKED and self.step():
            node = waiting.popleft()
            onward = list(self.linked(node, *types).values())
            yield node, onward
            for origin, _ in onward:
                if origin not in seen:
                    seen.add(origin)
                    waiting.append(origin)

    def number_inputs(self, node: str) -> Sequence[str]:
        """Inputs that hold a number, by the catalogue or else by what stands there."""
        if node not in self._numbers:
            self._numbers[node] = tuple(self._number_inputs(node))
        return self._numbers[node]

    def _number_inputs(self, node: str) -> Iterator[str]:
        specs = self.specs(node)
        for name, value in self.given(node).items():
            if name in specs:
                if specs[name].types & {"INT", "FLOAT"}:
                    yield name
            elif (isinstance(value, int | float) and not isinstance(value, bool)) or not specs:
                yield name

    def text_inputs(self, node: str) -> Iterator[str]:
        """Inputs that hold text a person may write: no choices, no file names."""
        specs = self.specs(node)
        for name, value in self.given(node).items():
            kinds = specs[name].types if name in specs else None
            if kinds is not None:
                if "STRING" in kinds:
                    yield name
            elif name != UNNAMED and (isinstance(value, str) or self.carries((node, name), "STRING")):
                yield name

    def _link(self, node: str, name: str) -> Output | None:
        return self._origin(self.given(node).get(name))

    def _origin(self, value: Any) -> Output | None:
        origin = linked_node(value)
        return (origin, value[1]) if origin is not None and origin in self.graph else None
