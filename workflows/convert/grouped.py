"""Group nodes of 2024, which subgraphs have replaced: each becomes a subgraph of its own.

A file describes a group once, under ``extra.groupNodes``: nodes that know each other by their place in a
list. What its nodes do not give each other stands on the group node, under names made anew where two are
alike, and so do all widgets: their values are the group node's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from workflows.catalogue import ObjectInfo
from workflows.convert.document import (
    BORDER_IN,
    BORDER_OUT,
    Border,
    Document,
    Graph,
    Link,
    Node,
    Output,
    Slot,
)
from workflows.convert.filling import Panels
from workflows.convert.grouping import Group, read_group
from workflows.convert.places import Place, Places
from workflows.convert.saying import Findings, too_large
from workflows.convert.virtual import PRIMITIVE
from workflows.convert.widgets import UNSET
from workflows.graph import MOST_INPUTS, MOST_NODES

PREFIXES: Final = ("workflow/", "workflow>")


@dataclass(frozen=True, slots=True)
class GroupNode:
    """A group node that has become a subgraph, and the group it is one of."""

    node: Node
    group: Group


def ungroup(
    saved: Mapping[str, Any], document: Document, object_info: ObjectInfo, findings: Findings
) -> list[GroupNode]:
    """Make the root graph's group nodes subgraphs; those that the file does not describe stay as they are."""
    extra = saved.get("extra")
    described = extra.get("groupNodes") if isinstance(extra, Mapping) else None
    if not isinstance(described, Mapping):
        return []
    groups: dict[str, Group] = {}
    hosts: list[tuple[Node, Group]] = []
    for node in document.root.nodes:
        name = node.type[len(PREFIXES[0]) :]
        if node.type.startswith(PREFIXES) and isinstance(described.get(name), Mapping):
            if name not in groups:
                groups[name] = read_group(name, described[name], object_info)
            hosts.append((node, groups[name]))
    unfolded = sum(1 + len(group.nodes) for _, group in hosts)
    inputs = sum(group.size for _, group in hosts)
    if unfolded > MOST_NODES or inputs > MOST_INPUTS or any(group.too_large for group in groups.values()):
        findings.add("too_large", too_large(unfolded=True))
        return []
    made = [GroupNode(replace(node), group) for node, group in hosts]
    for node, group in hosts:
        node.type = f"{node.type}#{node.id}"
        document.definitions[node.type] = _definition(node.type, group, node)
    return made


def fill_groups(places: Places, made: list[GroupNode]) -> None:
    """Give the nodes in groups the values that stand on their group nodes."""
    panels = Panels({one.node.type: {"input": {"required": one.group.declared}} for one in made})
    for one in made:
        host, group = places.by_id[one.node.id], one.group
        for widget in panels.filled(one.node, {}).widgets:
            shown, _, rest = widget.name.partition(".")
            index, name = group.widgets.get(widget.name) or group.widgets.get(shown, (-1, ""))
            inner = places.inside(host, str(index))
            if inner is not None and widget.value is not UNSET and widget.value is not None:
                whole = widget.name in group.widgets
                _put(inner, name if whole else f"{name}.{rest}", widget.value)


def _put(inner: Place, name: str, value: Any) -> None:
    if inner.node.type == PRIMITIVE:
        inner.node.values = [value]
        return
    widget = inner.panel.widget(name)
    if widget is not None:
        inner.panel.put(widget, value, inner.graph.links)


def _definition(key: str, group: Group, host: Node) -> Graph:
    """The group as a subgraph for one group node, whose links enter and leave by the names it shows."""
    nodes = [replace(node, inputs=[slot.twin() for slot in node.inputs]) for node in group.nodes]
    links: dict[int | str, Link] = {}

    def link(origin: str, output: int, target: str, slot: int) -> int:
        number = len(links) + 1
        links[number] = Link(number, origin, output, target, slot)
        return number

    leaving: dict[tuple[int, int], list[int]] = {}
    for origin, output, target, into, _ in group.wires:
        if into < len(nodes[target].inputs):
            number = link(str(origin), output, str(target), into)
            nodes[target].inputs[into].link = number
            leaving.setdefault((origin, output), []).append(number)
    for index, node in enumerate(nodes):
        node.outputs = [
            Output(out.type, tuple(leaving.get((index, place), ()))) for place, out in enumerate(node.outputs)
        ]
    inputs, linked = [], {slot.name for slot in host.inputs if slot.link is not None}
    for number, slot in enumerate(group.shown):
        entering: tuple[int, ...] = ()
        if slot.name in group.inputs and slot.name in linked:
            index, inner = group.inputs[slot.name]
            own = _slot_of(nodes[index], inner)
            entering = (link(BORDER_IN, number, str(index), nodes[index].inputs.index(own)),)
            own.link = entering[0]
        inputs.append(Border(slot.name, slot.type, entering))
    outputs = [
        Border(kind, kind, (link(str(index), output, BORDER_OUT, number),))
        for number, (index, output, kind) in enumerate(group.outputs)
    ]
    by_id = {node.id: node for node in nodes}
    return Graph(key, group.name, nodes, links, inputs, outputs, by_id)


def _slot_of(node: Node, wanted: Slot) -> Slot:
    for slot in node.inputs:
        if slot.name == wanted.name:
            return slot
    node.inputs.append(wanted.twin())
    return node.inputs[-1]
