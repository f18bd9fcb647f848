"""A graph that is in API format already: its links are checked, and it is cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.catalogue import ObjectInfo
from workflows.convert.saying import Findings, fault_of, named, shown
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
        way = " -> ".join(_named(graph, node) for node in circle[:10])
        findings.add("dependency_cycle", f"The graph runs in a circle: {way}.", circle[0])
    return graph


def _refuse_size(document: Mapping[str, Any], findings: Findings) -> bool:
    """Refuse what is larger than any graph; tell whether it is."""
    counts = {node_id: len(node["inputs"]) for node_id, node in document.items()}
    if len(counts) > MOST_NODES or sum(counts.values()) > MOST_INPUTS:
        told = f"The graph has more than {MOST_NODES} nodes, or {MOST_INPUTS} inputs; split it."
        findings.add("too_large", told)
    for node_id in [node_id for node_id, count in counts.items() if count > MOST_INPUTS_OF_ONE]:
        told = f"{_named(document, node_id)} has {counts[node_id]} inputs"
        findings.add("too_large", f"{told}; at most {MOST_INPUTS_OF_ONE} are taken.", node_id)
    return bool(findings.problems)


def _refuse_input(
    graph: Graph, object_info: ObjectInfo, node_id: str, name: str, value: Any, findings: Findings
) -> None:
    fault = fault_of(value)
    if fault is not None:
        said = f"{_named(graph, node_id)}: {shown(name)} holds {fault}."
        findings.add("invalid_input_type", said, node_id, name)
    elif is_link(value):
        origin = linked_node(value)
        if origin is None:
            said = f"{_named(graph, node_id)}: {shown(name)} is a list, but no link to a node's output."
            findings.add("bad_linked_input", said, node_id, name)
        elif origin not in graph:
            said = f"is linked to node {shown(origin, quoted=False)}, which the file does not have"
            findings.add(
                "bad_linked_input", f"{_named(graph, node_id)}: {shown(name)} {said}.", node_id, name
            )
        elif fault := _slot_fault(value[1], object_info.get(graph[origin]["class_type"])):
            said = f"{shown(name)} takes output {shown(value[1])} of {_named(graph, origin)}, {fault}"
            findings.add("bad_linked_input", f"{_named(graph, node_id)}: {said}.", node_id, name)


def _slot_fault(slot: int, known: Mapping[str, Any] | None) -> str | None:
    """Say why a node has no such output. Of a class that the catalogue lacks, only what no class has is."""
    if isinstance(slot, bool) or slot < 0:
        return "and outputs are counted from 0"
    given = known.get("output") if isinstance(known, Mapping) else None
    if not isinstance(given, list | tuple) or slot < len(given):
        return None
    return f"which has {len(given)}, counted from 0" if given else "which has none"


def _named(graph: Mapping[str, Any], node_id: str) -> str:
    return named(node_id, title_of(graph[node_id]) or graph[node_id]["class_type"])
