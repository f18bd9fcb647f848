"""A graph that is in API format already: its links are checked, and it is cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.catalogue import ObjectInfo
from workflows.convert.saying import (
    Findings,
    fault_of,
    holds,
    in_a_circle,
    named,
    shown,
    too_large,
    too_many_inputs,
)
from workflows.graph import (
    MOST_INPUTS,
    MOST_INPUTS_OF_ONE,
    MOST_NODES,
    Graph,
    cycle_in,
    format_problem,
    is_link,
    linked_node,
    title_of,
)
from workflows.wording import Said
from workflows.wording import said as _


def checked(document: object, object_info: ObjectInfo, findings: Findings) -> Graph:
    """Return the graph without what ComfyUI wrote into its copy while running (``is_changed``)."""
    unreadable = format_problem(document)
    if unreadable is not None:
        findings.add(unreadable.code, unreadable.message, unreadable.node)
    if unreadable is not None or not isinstance(document, Mapping):
        return {}
    if _refuse_size(document, findings):
        return {}
    graph: Graph = {}
    for node_id, node in document.items():
        kept = {key: node[key] for key in ("inputs", "class_type", "_meta") if key in node}
        graph[str(node_id)] = {**kept, "inputs": dict(node["inputs"])}
    for node_id, node in graph.items():
        if fault := fault_of(node.get("_meta")):
            findings.add("unreadable", f"{_named(graph, node_id)}: '_meta' holds {fault}.", node_id)
        for name, value in node["inputs"].items():
            _refuse_input(graph, object_info, node_id, str(name), value, findings)
    circle = cycle_in(graph)
    if circle:
        findings.add("dependency_cycle", in_a_circle(_named(graph, node) for node in circle), circle[0])
    return graph


def _refuse_size(document: Mapping[str, Any], findings: Findings) -> bool:
    """Refuse what is larger than any graph; tell whether it is."""
    counts = {node_id: len(node["inputs"]) for node_id, node in document.items()}
    if len(counts) > MOST_NODES or sum(counts.values()) > MOST_INPUTS:
        findings.add("too_large", too_large())
    for node_id in [node_id for node_id, count in counts.items() if count > MOST_INPUTS_OF_ONE]:
        told = too_many_inputs(_named(document, node_id), counts[node_id])
        findings.add("too_large", told, node_id)
    return bool(findings.problems)


def _refuse_input(
    graph: Graph, object_info: ObjectInfo, node_id: str, name: str, value: Any, findings: Findings
) -> None:
    fault = fault_of(value)
    if fault is not None:
        findings.add("invalid_input_type", holds(_named(graph, node_id), name, fault), node_id, name)
    elif is_link(value):
        told = _link_fault(graph, object_info, _named(graph, node_id), shown(name), value)
        if told is not None:
            findings.add("bad_linked_input", told, node_id, name)


def _link_fault(graph: Graph, object_info: ObjectInfo, node: Said, name: str, link: Any) -> Said | None:
    origin = linked_node(link)
    if origin is None:
        return _("%(node)s: %(input)s is a list, but no link to a node's output.", node=node, input=name)
    if origin not in graph:
        return _(
            "%(node)s: %(input)s is linked to %(what)s, which the file does not have.",
            node=node,
            input=name,
            what=_("node %(id)s", id=shown(origin, quoted=False)),
        )
    fault = _slot_fault(link[1], object_info.get(graph[origin]["class_type"]))
    if fault is None:
        return None
    return _(
        "%(node)s: %(input)s takes output %(slot)s of %(origin)s, %(fault)s.",
        node=node,
        input=name,
        slot=shown(link[1]),
        origin=_named(graph, origin),
        fault=fault,
    )


def _slot_fault(slot: int, known: Mapping[str, Any] | None) -> Said | None:
    """Say why a node has no such output. Of a class that the catalogue lacks, only what no class has is."""
    if isinstance(slot, bool) or slot < 0:
        return _("and outputs are counted from 0")
    given = known.get("output") if isinstance(known, Mapping) else None
    if not isinstance(given, list | tuple) or slot < len(given):
        return None
    return _("which has %(count)s, counted from 0", count=len(given)) if given else _("which has none")


def _named(graph: Mapping[str, Any], node_id: str) -> Said:
    return named(node_id, title_of(graph[node_id]) or graph[node_id]["class_type"])
