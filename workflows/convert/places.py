"""Unfold a document: every node in every place where it stands, subgraphs within subgraphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflows.catalogue import ObjectInfo
from workflows.convert.declared import MATCHED
from workflows.convert.document import (
    BORDER_IN,
    BORDER_OUT,
    BYPASS,
    NEVER,
    Border,
    Document,
    Graph,
    Link,
    LinkId,
    Node,
    Slot,
)
from workflows.convert.filling import Panels
from workflows.convert.panel import Panel
from workflows.convert.saying import Findings, named, shown, too_large
from workflows.convert.virtual import SETTERS, VIRTUAL
from workflows.convert.widgets import widgets_of_unknown
from workflows.errors import CannotConvert
from workflows.graph import MOST_INPUTS, MOST_NODES
from workflows.problems import Problem
from workflows.wording import Said
from workflows.wording import said as _

MOST_STEPS: Final = 1_000_000
"""Inputs looked at to follow the links of a file: wide nodes in deep subgraphs ask for them over and over."""
DEEPEST: Final = 100
"""How deep subgraphs may stand in subgraphs."""


@dataclass(slots=True, eq=False)
class Place:
    """A node where it stands: ``id`` is its path, ``68:8`` for node 8 in the subgraph of node 68.

    Its panel is shared by all places of the node, for a subgraph's copies share their values.
    """

    id: str
    node: Node
    graph: Graph
    host: Place | None
    panel: Panel
    definition: Graph | None = None

    @property
    def slots(self) -> list[Slot]:
        return self.panel.slots

    @property
    def idle(self) -> bool:
        """True for a muted or bypassed node."""
        return self.node.mode in {NEVER, BYPASS}

    @property
    def title(self) -> str:
        return self.node.title or (self.definition.name if self.definition else self.node.type)

    @property
    def named(self) -> Said:
        return named(self.id, self.title)


class Places:
    """All places of a document by id. ``panels`` are filled once per node."""

    def __init__(self, document: Document, object_info: ObjectInfo, findings: Findings) -> None:
        self.document = document
        self.object_info = object_info
        self.by_id: dict[str, Place] = {}
        self._findings = findings
        self._panels = Panels(object_info)
        self._made: dict[Node, Panel] = {}
        self._named: dict[Graph, dict[str | None, str]] = {}
        self._at_borders: dict[Graph, dict[tuple[str, int], Link]] = {}
        self._steps = 0
        self._unfold()

    def step(self, place: Place, count: int) -> None:
        """Count inputs of ``place`` that are looked at. Raises CannotConvert for more than anybody needs."""
        self._steps += count
        if self._steps > MOST_STEPS:
            told = _(
                "%(node)s: its links, and those before, take too many steps to follow; split the graph.",
                node=place.named,
            )
            raise CannotConvert([Problem(place.id, None, "too_large", told)])

    def near(self, place: Place, node_id: str) -> Place | None:
        """The place of a node in the same graph as ``place``."""
        prefix = f"{place.host.id}:" if place.host else ""
        return self.by_id.get(prefix + node_id)

    def inside(self, host: Place, node_id: str) -> Place | None:
        """The place of a node of the subgraph that stands at ``host``."""
        return self.by_id.get(f"{host.id}:{node_id}")

    def inner_links(self, definition: Graph, slot: int) -> Iterator[Link]:
        """The links that enter a definition by its input ``slot``."""
        return self._border_links(definition, definition.inputs[slot], BORDER_IN, slot)

    def outgoing_links(self, definition: Graph, slot: int) -> Iterator[Link]:
        """The links that leave a definition by its output ``slot``; the first one counts."""
        return self._border_links(definition, definition.outputs[slot], BORDER_OUT, slot)

    def known_class(self, place: Place) -> Mapping[str, Any] | None:
        """The catalogue's entry of a node's class; None for a subgraph, a virtual or an unknown node."""
        if place.definition is not None or place.node.type in VIRTUAL:
            return None
        return self.object_info.get(place.node.type)

    def outputs_of(self, place: Place) -> int:
        """How many outputs a node has: those of its class or subgraph, or more if a class's node has more."""
        if place.definition is not None:
            return len(place.definition.outputs)
        return max(len(self._outputs(place)), len(place.node.outputs))

    def declared_output(self, place: Place, output: int) -> str:
        """The type of an output as its class declares it, else as the file has it, else ``*``."""
        declared = self._outputs(place)
        if 0 <= output < len(declared):
            kind = declared[output]
            return "COMBO" if isinstance(kind, list) else "*" if kind == MATCHED else str(kind)
        saved = place.node.outputs
        return saved[output].type if 0 <= output < len(saved) else "*"

    def matched_output(self, place: Place, output: int) -> str | None:
        """The group of inputs whose type an output follows; None if it has a type of its own."""
        known = self.known_class(place)
        groups = known.get("output_matchtypes") if known else None
        return groups[output] if isinstance(groups, list) and 0 <= output < len(groups) else None

    def setter_for(self, getter: Place) -> Place | None:
        """The node that sets the name ``getter`` gets, in its graph or in one around it."""
        graph: Place | None = getter
        while graph is not None:
            found = self._setters(graph).get(_first_text(getter.node))
            if found is not None:
                return self.near(graph, found)
            graph = graph.host
        return None

    def _setters(self, place: Place) -> dict[str | None, str]:
        if place.graph not in self._named:
            setters = [node for node in place.graph.nodes if node.type in SETTERS]
            self._named[place.graph] = {_first_text(node): node.id for node in reversed(setters)}
        return self._named[place.graph]

    def _outputs(self, place: Place) -> list[Any]:
        known = self.known_class(place)
        outputs = known.get("output") if known else None
        return outputs if isinstance(outputs, list) else []

    def _border_links(self, definition: Graph, border: Border, side: str, slot: int) -> Iterator[Link]:
        """A border's links; one that is gone stands for the first that is there at the same slot."""
        for link_id in border.links:
            link = definition.links.get(link_id) or self._at_border(definition).get((side, slot))
            if link is not None:
                yield link

    def _at_border(self, definition: Graph) -> dict[tuple[str, int], Link]:
        if definition not in self._at_borders:
            found: dict[tuple[str, int], Link] = {}
            for link in definition.links.values():
                found.setdefault((link.origin, link.origin_slot), link)
                found.setdefault((link.target, link.target_slot), link)
            self._at_borders[definition] = found
        return self._at_borders[definition]

    def _unfold(self) -> None:
        waiting: list[tuple[Graph, Place | None, tuple[str, ...]]] = [(self.document.root, None, ())]
        inputs = 0
        while waiting:
            graph, host, within = waiting.pop()
            for node in graph.nodes:
                place = self._place(node, graph, host)
                inputs += len(place.slots)
                if len(self.by_id) >= MOST_NODES or inputs > MOST_INPUTS:
                    self._findings.add("too_large", too_large(unfolded=True))
                    return
                if place.id in self.by_id:
                    other = shown(self.by_id[place.id].title)
                    told = _("%(node)s unfolds to the id of %(other)s.", node=place.named, other=other)
                    self._findings.add("duplicate_node_id", told, place.id)
                self.by_id[place.id] = place
                if place.definition is None or (host is None and place.idle):
                    continue
                if place.definition.id in within:
                    told = _(
                        "%(node)s stands in itself: it is in subgraph %(name)s.",
                        node=place.named,
                        name=shown(place.definition.name),
                    )
                    self._findings.add("self_containing_subgraph", told, place.id)
                elif len(within) >= DEEPEST:
                    told = _(
                        "%(node)s stands deeper than %(most)s subgraphs.", node=place.named, most=DEEPEST
                    )
                    self._findings.add("too_large", told, place.id)
                else:
                    waiting.append((place.definition, place, (*within, place.definition.id)))

    def _place(self, node: Node, graph: Graph, host: Place | None) -> Place:
        definition = self.document.definitions.get(node.type)
        place_id = f"{host.id}:{node.id}" if host else node.id
        return Place(place_id, node, graph, host, self._panel(node, graph, definition), definition)

    def _panel(self, node: Node, graph: Graph, definition: Graph | None) -> Panel:
        if node not in self._made:
            self._made[node] = self._new_panel(node, graph.links, definition)
        return self._made[node]

    def _new_panel(self, node: Node, links: dict[LinkId, Link], definition: Graph | None) -> Panel:
        if definition is None and node.type in self.object_info and node.type not in VIRTUAL:
            return self._panels.filled(node, links)
        panel = Panel(node.type)
        if definition is None:
            panel.slots = node.inputs
            if node.type not in VIRTUAL:
                panel.widgets = widgets_of_unknown(node.values)
        else:
            saved = {slot.name: slot for slot in node.inputs}
            for border in definition.inputs:
                own = saved.get(border.name)
                panel.slots.append(Slot(border.name, border.type, own.link if own else None))
        return panel


def _first_text(node: Node) -> str | None:
    first = node.values[0] if isinstance(node.values, list) and node.values else None
    return first if isinstance(first, str) else None
