"""What differs between two graphs, or two manifests: node by node, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workflows.convert.saying import shown
from workflows.graph import Graph, is_link, linked_node
from workflows.matching import equal, match

SIGNS: Final = {"added": "+", "removed": "-", "changed": "~", "renumbered": "="}
KEYS: Final = ("folder", "name", "role", "node", "input", "precision", "max_pixels", "max_frames", "expert")
"""Fields that tell one row of a manifest's list from another."""


@dataclass(frozen=True, slots=True)
class InputChange:
    """One input. ``before``/``after`` are values or links as they stand; ``kind`` is "added", "removed",
    "value" (value → value), "link" (link → link), "linked" (value → link) or "unlinked" (link → value)."""

    input: str
    kind: str
    before: object
    after: object

    def __str__(self) -> str:
        return f"{shown(self.input, quoted=False)}: {said(self.before)} -> {said(self.after)}"


@dataclass(frozen=True, slots=True)
class NodeChange:
    """One node. ``before``/``after`` are its ids (None where it is not), different when renumbered.

    ``kind`` is "added", "removed", "changed" or "renumbered" (another id, all else the same or in
    ``inputs``). ``class_before``/``class_after`` differ where the node under this id became another class.
    An added or removed node lists its inputs, too.
    """

    kind: str
    before: str | None
    after: str | None
    class_before: str
    class_after: str
    title: str
    inputs: tuple[InputChange, ...] = ()

    @property
    def class_type(self) -> str:
        return self.class_after or self.class_before

    def __str__(self) -> str:
        node = shown(self.after if self.after is not None else self.before, quoted=False)
        became = self.class_before and self.class_after and self.class_before != self.class_after
        kind = f"{self.class_before} -> {self.class_after}" if became else self.class_type
        title = f" {shown(self.title)}" if self.title and self.title != self.class_type else ""
        was = f", was {shown(self.before, quoted=False)}" if self.kind == "renumbered" else ""
        return f"{SIGNS[self.kind]} node {node} ({shown(kind, quoted=False)}){title} {self.kind}{was}"


@dataclass(frozen=True, slots=True)
class GraphDiff:
    """All that differs; ``unchanged`` counts the nodes that do not."""

    nodes: tuple[NodeChange, ...]
    unchanged: int

    def of_kind(self, kind: str) -> tuple[NodeChange, ...]:
        return tuple(node for node in self.nodes if node.kind == kind)

    def __bool__(self) -> bool:
        return bool(self.nodes)

    def text(self) -> str:
        """The difference in lines a person reads; "" if there is none."""
        lines = []
        for node in self.nodes:
            lines += [str(node), *(f"    {change}" for change in node.inputs)]
        return "".join(f"{line}\n" for line in lines)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a manifest by its path ("bindings.seed.targets", "defaults.steps"); None: not there."""

    path: str
    before: object
    after: object

    def __str__(self) -> str:
        return f"{shown(self.path, quoted=False)}: {said(self.before)} -> {said(self.after)}"


@dataclass(frozen=True, slots=True)
class ManifestDiff:
    """Fields that differ, in the manifest's order."""

    fields: tuple[FieldChange, ...]

    def __bool__(self) -> bool:
        return bool(self.fields)

    def text(self) -> str:
        """The difference in lines a person reads; "" if there is none."""
        return "".join(f"~ {field}\n" for field in self.fields)


def compare(before: Graph, after: Graph) -> GraphDiff:
    """Return what differs between two graphs in API format; titles are shown, but never compared."""
    pairs = match(before, after)
    # a node that nothing pairs, under an id that the other graph has for another class, was replaced
    taken = set(pairs.values())
    replaced = {node for node in before if node not in pairs and node in after and node not in taken}
    pairs |= {node: node for node in replaced}
    back = {new: old for old, new in pairs.items()}
    changes: list[NodeChange] = []
    for new in after:
        old = back.get(new)
        change = _added(after, new) if old is None else _changed(before, after, old, new, pairs)
        changes += [change] if change else []
    unchanged = len(after) - len(changes)
    changes += [_removed(before, old) for old in before if old not in pairs]
    return GraphDiff(tuple(changes), unchanged)


def compare_manifests(before: Mapping[str, Any], after: Mapping[str, Any]) -> ManifestDiff:
    """Return what differs between two manifest documents: roles, defaults, models, VRAM rows, all else."""
    return ManifestDiff(tuple(_fields("", before, after)))


def said(value: object) -> str:
    """A value or link in a line of text; "nothing" for what is not there."""
    giver = linked_node(value)
    if giver is not None and isinstance(value, list):
        return f"[{shown(giver, quoted=False)}, {shown(value[1])}]"
    return "nothing" if value is None else shown(value)


def _changed(before: Graph, after: Graph, old: str, new: str, pairs: Mapping[str, str]) -> NodeChange | None:
    one, other = before[old], after[new]
    inputs = tuple(_input_changes(one["inputs"], other["inputs"], pairs))
    if old == new and not inputs and one["class_type"] == other["class_type"]:
        return None
    kind = "changed" if old == new else "renumbered"
    return NodeChange(kind, old, new, str(one["class_type"]), str(other["class_type"]), title(other), inputs)


def _input_changes(
    one: Mapping[str, Any], other: Mapping[str, Any], pairs: Mapping[str, str]
) -> Iterator[InputChange]:
    for name in dict.fromkeys([*one, *other]):
        if name not in other:
            yield InputChange(str(name), "removed", one[name], None)
        elif name not in one:
            yield InputChange(str(name), "added", None, other[name])
        elif not _same(one[name], other[name], pairs):
            kind = _KINDS[is_link(one[name]), is_link(other[name])]
            yield InputChange(str(name), kind, one[name], other[name])


_KINDS: Final = {
    (False, False): "value",
    (True, True): "link",
    (False, True): "linked",
    (True, False): "unlinked",
}


def _same(one: Any, other: Any, pairs: Mapping[str, str]) -> bool:
    """True for equal values, and for links from what is the same node in both graphs."""
    giver = linked_node(one)
    if giver is not None and linked_node(other) is not None:
        return pairs.get(giver, giver) == other[0] and bool(one[1] == other[1])
    return equal(one, other)


def _added(after: Graph, new: str) -> NodeChange:
    node = after[new]
    inputs = tuple(InputChange(str(n), "added", None, value) for n, value in node["inputs"].items())
    return NodeChange("added", None, new, "", str(node["class_type"]), title(node), inputs)


def _removed(before: Graph, old: str) -> NodeChange:
    node = before[old]
    inputs = tuple(InputChange(str(n), "removed", value, None) for n, value in node["inputs"].items())
    return NodeChange("removed", old, None, str(node["class_type"]), "", title(node), inputs)


def title(node: Mapping[str, Any]) -> str:
    """A node's title, its class if it has none."""
    meta = node.get("_meta")
    own = meta.get("title") if isinstance(meta, Mapping) else None
    return own if isinstance(own, str) and own else str(node["class_type"])


def _fields(path: str, one: object, other: object) -> Iterator[FieldChange]:
    rows = _rows(one), _rows(other)
    if rows[0] is not None and rows[1] is not None:
        for key in dict.fromkeys([*rows[0], *rows[1]]):
            inner = f"{path}.{key}" if path and not key.startswith("[") else f"{path}{key}"
            yield from _fields(inner, rows[0].get(key), rows[1].get(key))
    elif not equal(one, other):
        yield FieldChange(path, one, other)


def _rows(value: object) -> dict[str, Any] | None:
    """An object's fields, or a list of objects by what tells them apart; None for anything else."""
    if isinstance(value, Mapping):
        return {str(key): inner for key, inner in value.items()}
    if isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
        named = {_key(row): row for row in value}
        return named if len(named) == len(value) else {f"[{n}]": row for n, row in enumerate(value)}
    return None


def _key(row: Mapping[str, Any]) -> str:
    parts: Sequence[str] = [shown(row[key], quoted=False) for key in KEYS if key in row]
    return f"[{' '.join(parts)}]"
