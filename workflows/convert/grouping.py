"""What a group node of 2024 shows of the nodes in it: which inputs, widgets and outputs, by which names.

The client makes the names anew whenever it opens a file, node by node: what another node of the group gives
is not shown, a name met before gets the node's title before it, and widgets that had been made inputs
come last. Only so it is known which saved value of a group node belongs to which node in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from workflows.catalogue import ObjectInfo
from workflows.convert.declared import COMBO, Spec, specs_of
from workflows.convert.document import Node, Slot, node_of
from workflows.convert.panel import Panel
from workflows.convert.virtual import PRIMITIVE, REROUTES
from workflows.convert.widgets import MAKERS

MOST_IN_GROUP: Final = 500
"""Nodes in one group; nobody draws so many."""
SEEDS: Final = frozenset({"seed", "noise_seed"})

Wire = tuple[int, int, int, int, str]
"""A link inside a group: node and output it comes from, node and input it goes to, type."""


@dataclass(slots=True)
class Group:
    """What a group node shows of the nodes in it. ``inputs`` and ``widgets``: its name → node, input.

    ``declared`` are its inputs as a class would have them, ``shown`` its slots in the client's order.
    """

    name: str
    nodes: list[Node]
    wires: list[Wire]
    declared: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, tuple[int, Slot]] = field(default_factory=dict)
    widgets: dict[str, tuple[int, str]] = field(default_factory=dict)
    outputs: list[tuple[int, int, str]] = field(default_factory=list)
    shown: list[Slot] = field(default_factory=list)
    too_large: bool = False
    size: int = 0
    """Inputs, outputs and links in it, and inputs it shows."""


def read_group(name: str, described: Mapping[str, Any], object_info: ObjectInfo) -> Group:
    """Read a group as a file describes it; what is no node or link of it is left out."""
    rows = described.get("nodes")
    if isinstance(rows, list) and len(rows) > MOST_IN_GROUP:
        return Group(name, [], [], too_large=True)
    group = _Reader(name, described, object_info).group()
    panel = Panel(name)
    panel.add_all(specs_of(name, {"input": {"required": group.declared}}))
    group.shown = panel.slots
    inner = sum(len(node.inputs) + len(node.outputs) for node in group.nodes)
    group.size = inner + len(group.wires) + len(group.shown)
    return group


class _Reader:
    """Reads the description of one group, in the order in which the client names what it shows."""

    def __init__(self, name: str, described: Mapping[str, Any], object_info: ObjectInfo) -> None:
        self._object_info = object_info
        rows = described.get("nodes")
        self._rows = (
            [row if isinstance(row, Mapping) else {} for row in rows] if isinstance(rows, list) else []
        )
        nodes = [node_of({**row, "id": index}) for index, row in enumerate(self._rows)]
        self._group = Group(
            name,
            [replace(node, number=None) if node else _nothing(index) for index, node in enumerate(nodes)],
            list(_wires(described.get("links"), len(nodes))),
        )
        for node in self._group.nodes:
            for slot in node.inputs:
                slot.link = None
        self._config = described.get("config")
        self._from = {(origin, output) for origin, output, *_ in self._group.wires}
        self._into = {(target, slot) for _, _, target, slot, _ in self._group.wires}
        self._outside = set(_pairs(described.get("external")))
        self._seen: dict[str, int] = {}

    def group(self) -> Group:
        late: list[tuple[int, Spec]] = []
        for index, node in enumerate(self._group.nodes):
            specs, outputs = self._class(index, node)
            filled = {slot.name for at, slot in enumerate(node.inputs) if (index, at) in self._into}
            places = {slot.name: at for at, slot in enumerate(node.inputs) if slot.widget == slot.name}
            waiting: list[tuple[str, Spec]] = []
            loose: list[Spec] = []
            for spec in specs:
                if spec.widget_type not in MAKERS:
                    loose.append(spec)
                elif spec.name in places:
                    waiting.append((str(places[spec.name]), spec))
                else:
                    self._show(index, node, spec, spec.name)
            for spec in loose:
                own = spec.name if node.type not in REROUTES else (node.inputs[0].name if node.inputs else "")
                if own not in filled:
                    self._show(index, node, spec, own)
            late += [(index, spec) for _, spec in sorted(waiting, key=_first) if spec.name not in filled]
            self._give(index, outputs)
        for index, spec in late:
            self._show(index, self._group.nodes[index], spec, spec.name)
        return self._group

    def _class(self, index: int, node: Node) -> tuple[list[Spec], list[str]]:
        """The inputs and outputs of a node in the group; of browser-only ones, as what is linked to them."""
        known = self._object_info.get(node.type)
        if known is not None:
            outputs = known.get("output")
            types = [str(kind) if isinstance(kind, str) else COMBO for kind in outputs or []]
            return specs_of(node.type, known), types
        if node.type == PRIMITIVE:
            spec = self._target(index)
            return ([spec], [spec.type]) if spec else ([], [])
        if node.type in REROUTES:
            if {(index, 0)} <= self._into and (index, 0) in self._from and (index, 0) not in self._outside:
                return [], []
            kind = next((wire[4] for wire in self._group.wires if index in (wire[0], wire[2])), "*")
            return [Spec(kind, kind, {"forceInput": True}, [])], [kind]
        return [], []

    def _target(self, index: int) -> Spec | None:
        """The input that a primitive in the group writes to."""
        for origin, _, target, slot, _ in self._group.wires:
            node = self._group.nodes[target]
            if origin == index and slot < len(node.inputs) and node.type in self._object_info:
                name = node.inputs[slot].name
                for spec in specs_of(node.type, self._object_info[node.type]):
                    if spec.name == name:
                        facts = {**spec.facts, "control_after_generate": True}
                        return Spec("value", spec.type, facts, spec.options)
        return None

    def _show(self, index: int, node: Node, spec: Spec, own: str) -> None:
        name, visible = self._named(index, node, spec.name)
        group = self._group
        if spec.widget_type in MAKERS:
            group.widgets[name] = index, own
            group.inputs[name] = index, Slot(own, spec.type, None, own)
        elif visible:
            group.inputs[name] = index, Slot(own, spec.type)
        else:
            return
        seed = {"control_after_generate": True} if spec.name in SEEDS else {}
        group.declared[name] = [spec.options or spec.type, {**spec.facts, **seed}]

    def _named(self, index: int, node: Node, name: str) -> tuple[str, bool]:
        config = _at(_at(_at(self._config, index), "input"), name)
        rows = self._rows[index].get("inputs")
        labels = (
            [_at(row, "label") for row in rows if _at(row, "name") == name] if isinstance(rows, list) else []
        )
        shown = next((text for text in (_at(config, "name"), *labels[:1]) if isinstance(text, str)), name)
        key = shown
        if (node.type == PRIMITIVE and node.title) or shown in self._seen:
            prefix = f"{node.title or node.type} "
            key = shown = f"{prefix}{name}"
            if shown in self._seen:
                shown = f"{prefix}{self._seen[shown]} {name}"
        self._seen[key] = self._seen.get(key, 1) + 1
        return shown, _at(config, "visible") is not False

    def _give(self, index: int, outputs: list[str]) -> None:
        for slot, kind in enumerate(outputs):
            hidden = (index, slot) in self._from and (index, slot) not in self._outside
            wanted = _at(_at(_at(_at(self._config, index), "output"), slot), "visible")
            if (not hidden) if wanted is None else wanted:
                self._group.outputs.append((index, slot, kind))


def _first(pair: tuple[str, Spec]) -> str:
    return pair[0]


def _nothing(index: int) -> Node:
    return Node(str(index), None, "Note", 0, None, [], [], [], {})


def _at(value: object, key: str | int) -> Any:
    return value.get(str(key)) if isinstance(value, Mapping) else None


def _wires(rows: object, nodes: int) -> Iterator[Wire]:
    """The links between nodes of the group; those that enter it have no node they come from."""
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, list) or len(row) < 4 or not all(_counts(part) for part in row[:4]):
            continue
        if row[0] < nodes and row[2] < nodes:
            yield row[0], row[1], row[2], row[3], str(row[5]) if len(row) > 5 else "*"


def _pairs(rows: object) -> Iterator[tuple[int, int]]:
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, list) and len(row) > 1 and _counts(row[0]) and _counts(row[1]):
            yield row[0], row[1]


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
