"""The whole way from a document to a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.catalogue import ObjectInfo
from workflows.convert.document import read
from workflows.convert.numbering import renumber
from workflows.convert.places import Places
from workflows.convert.primitives import apply_primitives
from workflows.convert.saying import Findings, fault_of, named, shown
from workflows.convert.texts import NamedValues
from workflows.convert.write import write
from workflows.errors import CannotConvert
from workflows.graph import Graph, cycle_in, format_problem
from workflows.problems import Problem


@dataclass(frozen=True, slots=True)
class Conversion:
    """A graph in API format, and what a person should know about it."""

    graph: Graph
    notes: tuple[Problem, ...]


def to_api(ui: object, object_info: ObjectInfo) -> Graph:
    """Convert a workflow in UI format to API format; one in API format comes back as it is.

    Raises CannotConvert, whose ``problems`` name node ids and titles.
    """
    return convert(ui, object_info).graph


def convert(ui: object, object_info: ObjectInfo) -> Conversion:
    """Like :func:`to_api`, with notes on what the graph lacks that only a browser or another server has."""
    findings, notes = Findings(), Findings()
    if isinstance(ui, Mapping) and isinstance(ui.get("nodes"), list):
        graph = _converted(ui, object_info, findings, notes)
    else:
        graph = _checked(ui, findings)
    if findings.problems:
        raise CannotConvert(findings.all())
    return Conversion(graph, notes.all())


def _converted(ui: Mapping[str, Any], object_info: ObjectInfo, findings: Findings, notes: Findings) -> Graph:
    document = read(ui, findings)
    if findings.problems:
        return {}
    renumber(document)
    places = Places(document, object_info, findings)
    if findings.problems:
        return {}
    names = NamedValues(places.by_id.values())
    apply_primitives(places, names)
    return write(places, names, findings, notes)


def _checked(document: object, findings: Findings) -> Graph:
    """A graph that is in API format already, without what ComfyUI wrote into its copy while running."""
    unreadable = format_problem(document)
    if unreadable is not None:
        findings.add(unreadable.code, unreadable.message, unreadable.node)
    if unreadable is not None or not isinstance(document, Mapping):
        return {}
    graph: Graph = {}
    for node_id, node in document.items():
        kept = {key: node[key] for key in ("inputs", "class_type", "_meta") if key in node}
        graph[str(node_id)] = {**kept, "inputs": dict(node["inputs"])}
        for name, value in node["inputs"].items():
            fault = fault_of(value)
            if fault is not None:
                findings.add(
                    "invalid_input_type",
                    f"{named(str(node_id), node['class_type'])}: {shown(name)} holds {fault}.",
                    str(node_id),
                    str(name),
                )
    circle = cycle_in(graph)
    if circle:
        way = " -> ".join(named(node, graph[node]["class_type"]) for node in circle[:10])
        findings.add("dependency_cycle", f"The graph runs in a circle: {way}.", circle[0])
    return graph
