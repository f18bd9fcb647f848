"""A saved workflow as typed nodes, links and subgraphs; nothing here knows what a class does.

Both forms of a link occur, ``[12, 5, 0, 7, 1, "MODEL"]`` and an object of the same six fields, and
subgraph definitions may hold definitions of their own. What cannot be read becomes a problem, and the
rest is read on, so a person sees everything at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from workflows.convert.saying import Findings, named, shown, too_many_inputs
from workflows.graph import MOST_INPUTS_OF_ONE
from workflows.wording import said as _

NEVER: Final = 2
"""Mode of a muted node: it does not run and gives nothing."""
BYPASS: Final = 4
"""Mode of a bypassed node: it does not run and hands its inputs through."""

BORDER_IN: Final = "-10"
"""Where links come from that enter a subgraph."""
BORDER_OUT: Final = "-20"
"""Where links go that leave it."""

MOST: Final = 2**53

LinkId = int | str


@dataclass(slots=True, eq=False)
class Slot:
    """An input as the file has it, or as a class declares it. ``widget`` names the widget it stands for."""

    name: str
    type: str
    link: LinkId | None = None
    widget: str | None = None

    def twin(self) -> Slot:
        return Slot(self.name, self.type, self.link, self.widget)


@dataclass(frozen=True, slots=True)
class Output:
    type: str
    links: tuple[LinkId, ...]


@dataclass(slots=True, eq=False)
class Node:
    """One saved node. ``id`` is its text; ``number`` is None for an id that is none."""

    id: str
    number: int | None
    type: str
    mode: int
    title: str | None
    inputs: list[Slot]
    outputs: list[Output]
    values: list[Any] | dict[str, Any]
    properties: Mapping[str, Any]


@dataclass(slots=True, eq=False)
class Link:
    id: LinkId
    origin: str
    origin_slot: int
    target: str
    target_slot: int


@dataclass(frozen=True, slots=True)
class Border:
    """An input or output of a subgraph definition, with the links inside it."""

    name: str
    type: str
    links: tuple[LinkId, ...]


@dataclass(slots=True, eq=False)
class Graph:
    """The root graph, or one subgraph definition."""

    id: str
    name: str
    nodes: list[Node]
    links: dict[LinkId, Link]
    inputs: list[Border] = field(default_factory=list)
    outputs: list[Border] = field(default_factory=list)
    by_id: dict[str, Node] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Document:
    """``last_number`` is the highest node number the file says was ever given."""

    root: Graph
    definitions: dict[str, Graph]
    last_number: int


def read(document: Mapping[str, Any], findings: Findings) -> Document:
    """Read a document in UI format; what is wrong with it goes to ``findings``."""
    root = _graph(document, "", "", findings)
    definitions: dict[str, Graph] = {}
    waiting = deque(_definitions(document))
    while waiting:
        row = waiting.popleft()
        definition_id, name = row.get("id"), row.get("name")
        if not isinstance(definition_id, str) or definition_id in definitions:
            told = _(
                "Subgraph %(name)s has the id %(id)s; each needs its own.",
                name=shown(name),
                id=shown(definition_id),
            )
            findings.add("unreadable", told)
            continue
        name = name if isinstance(name, str) and name else definition_id
        definitions[definition_id] = _graph(row, definition_id, name, findings)
        waiting += _definitions(row)
    return Document(root, definitions, _last_number(document))


def _definitions(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    part = document.get("definitions")
    for row in _rows(part.get("subgraphs") if isinstance(part, Mapping) else None):
        if isinstance(row, Mapping):
            yield row


def _last_number(document: Mapping[str, Any]) -> int:
    state = document.get("state")
    counted = [document.get("last_node_id"), state.get("lastNodeId") if isinstance(state, Mapping) else 0]
    return max((number for number in map(_number, counted) if number is not None), default=0)


def _graph(row: Mapping[str, Any], graph_id: str, name: str, findings: Findings) -> Graph:
    within = shown(name) if graph_id else ""
    nodes = []
    for index, saved in enumerate(_rows(row.get("nodes"))):
        node = node_of(saved)
        if node is None:
            what = _inside(f"nodes[{index}]", within)
            findings.add("unreadable", _("%(what)s is no node; it needs an id and a type.", what=what))
        else:
            nodes.append(node)
            if len(node.inputs) > MOST_INPUTS_OF_ONE:
                whose = _inside(named(node.id, node.title or node.type), within)
                findings.add("too_large", too_many_inputs(whose, len(node.inputs)), node.id)
    graph = Graph(
        graph_id,
        name,
        nodes,
        _links(row.get("links"), within, findings),
        [_border(slot) for slot in _rows(row.get("inputs"))] if graph_id else [],
        [_border(slot) for slot in _rows(row.get("outputs"))] if graph_id else [],
    )
    if max(len(graph.inputs), len(graph.outputs)) > MOST_INPUTS_OF_ONE:
        told = _(
            "Subgraph %(name)s has more than %(most)s inputs, or outputs.",
            name=within,
            most=MOST_INPUTS_OF_ONE,
        )
        findings.add("too_large", told)
    _index(graph, within, findings)
    return graph


def _inside(what: str, subgraph: str) -> str:
    """Say in which subgraph something is; "" for the root graph."""
    return _("%(what)s of subgraph %(name)s", what=what, name=subgraph) if subgraph else what


def _index(graph: Graph, within: str, findings: Findings) -> None:
    for node in graph.nodes:
        first = graph.by_id.setdefault(node.id, node)
        if first is not node:
            told = _(
                "%(node)s has the id of %(other)s; give each node its own.",
                node=_inside(named(node.id, node.title or node.type), within),
                other=shown(first.title or first.type),
            )
            findings.add("duplicate_node_id", told, node.id)


def node_of(saved: object) -> Node | None:
    """Read one saved node; None if it has no id or type."""
    if not isinstance(saved, Mapping):
        return None
    node_id, kind = _text_id(saved.get("id")), saved.get("type")
    if node_id is None or not isinstance(kind, str) or not kind:
        return None
    title, values, properties = saved.get("title"), saved.get("widgets_values"), saved.get("properties")
    return Node(
        id=node_id,
        number=_number(saved.get("id")),
        type=kind,
        mode=_number(saved.get("mode")) or 0,
        title=title if isinstance(title, str) and title else None,
        inputs=[slot for slot in map(_slot, _rows(saved.get("inputs"))) if slot is not None],
        outputs=[_output(slot) for slot in _rows(saved.get("outputs"))],
        values=values if isinstance(values, list | dict) else [],
        properties=properties if isinstance(properties, Mapping) else {},
    )


def _slot(saved: object) -> Slot | None:
    if not isinstance(saved, Mapping):
        return None
    name, widget = saved.get("name"), saved.get("widget")
    widget_name = widget.get("name") if isinstance(widget, Mapping) else None
    return Slot(
        name if isinstance(name, str) else "",
        _type(saved.get("type")),
        _link_id(saved.get("link")),
        widget_name if isinstance(widget_name, str) else None,
    )


def _output(saved: object) -> Output:
    row = saved if isinstance(saved, Mapping) else {}
    links = (_link_id(link) for link in _rows(row.get("links")))
    return Output(_type(row.get("type")), tuple(link for link in links if link is not None))


def _border(saved: object) -> Border:
    row = saved if isinstance(saved, Mapping) else {}
    name = row.get("name")
    links = (_link_id(link) for link in _rows(row.get("linkIds")))
    return Border(
        name if isinstance(name, str) else "",
        _type(row.get("type")),
        tuple(dict.fromkeys(link for link in links if link is not None)),
    )


def _links(saved: object, within: str, findings: Findings) -> dict[LinkId, Link]:
    links: dict[LinkId, Link] = {}
    for index, row in enumerate(saved.values() if isinstance(saved, Mapping) else _rows(saved)):
        if row is None:
            continue
        link = _link(row)
        if link is None:
            what = _inside(f"links[{index}]", within)
            findings.add("unreadable", _("%(what)s is no link: %(row)s.", what=what, row=shown(row)))
        else:
            links[link.id] = link
    return links


def _link(row: object) -> Link | None:
    match row:
        case [link, origin, origin_slot, target, target_slot, *_]:
            pass
        case {
            "id": link,
            "origin_id": origin,
            "origin_slot": origin_slot,
            "target_id": target,
            "target_slot": target_slot,
        }:
            pass
        case _:
            return None
    link_id, source, out = _link_id(link), _text_id(origin), _number(origin_slot)
    if link_id is None or source is None or out is None:
        return None
    sink, into = _text_id(target), _number(target_slot)
    return Link(link_id, source, out, sink or "", -1 if into is None else into)


def _rows(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _type(value: object) -> str:
    """A slot's type; early files hold the choices themselves instead of the word COMBO."""
    if isinstance(value, list):
        return "COMBO"
    return value if isinstance(value, str) and value else "*"


def _number(value: object) -> int | None:
    """A whole number that a browser can hold exactly."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MOST < value < MOST:
        return None
    return int(value) if value == int(value) else None


def _text_id(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    number = _number(value)
    return None if number is None else str(number)


def _link_id(value: object) -> LinkId | None:
    return value if isinstance(value, str) else _number(value)
