"""A graph that is in API format already: checked as far as no catalogue is needed, and cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.convert.saying import Findings, fault_of, named, shown
from workflows.graph import Graph, cycle_in, format_problem, is_link, linked_node


def checked(document: object, findings: Findings) -> Graph:
    """Return the graph without what ComfyUI wrote into its copy while running (``is_changed``)."""
    unreadable = format_problem(document)
    if unreadable is not None:
        findings.add(unreadable.code, unreadable.message, unreadable.node)
    if unreadable is not None or not isinstance(document, Mapping):
        return {}
    graph: Graph = {}
    for node_id, node in document.items():
        kept = {key: node[key] for key in ("inputs", "class_type", "_meta") if key in node}
        graph[str(node_id)] = {**kept, "inputs": dict(node["inputs"])}
    for node_id, node in graph.items():
        for name, value in node["inputs"].items():
            _refuse_input(graph, node_id, str(name), value, findings)
    circle = cycle_in(graph)
    if circle:
        way = " -> ".join(_named(graph, node) for node in circle[:10])
        findings.add("dependency_cycle", f"The graph runs in a circle: {way}.", circle[0])
    return graph


def _refuse_input(graph: Graph, node_id: str, name: str, value: Any, findings: Findings) -> None:
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


def _named(graph: Graph, node_id: str) -> str:
    meta = graph[node_id].get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return named(node_id, title if isinstance(title, str) and title else graph[node_id]["class_type"])
