"""The whole way from a document to a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.catalogue import ObjectInfo
from workflows.convert.already import checked
from workflows.convert.document import read
from workflows.convert.numbering import renumber
from workflows.convert.places import Places
from workflows.convert.primitives import apply_primitives
from workflows.convert.saying import Findings
from workflows.convert.texts import NamedValues
from workflows.convert.write import write
from workflows.errors import CannotConvert
from workflows.graph import Graph
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
        graph = checked(ui, findings)
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
