"""The whole way from a document to a graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from workflows.catalogue import ObjectInfo
from workflows.convert.already import checked
from workflows.convert.document import read
from workflows.convert.grouped import fill_groups, ungroup
from workflows.convert.numbering import renumber
from workflows.convert.places import Places
from workflows.convert.primitives import apply_primitives
from workflows.convert.saying import Findings, named
from workflows.convert.texts import NamedValues
from workflows.convert.write import write
from workflows.errors import CannotConvert
from workflows.graph import Graph, title_of
from workflows.problems import Problem
from workflows.wording import said as _

LONGEST_NAME: Final = 500
"""Characters of a node's id, of its class and of an input's name; a node in 100 subgraphs has fewer."""


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
        graph = checked(ui, object_info, findings)
    _refuse_long_names(graph, findings)
    if findings.problems:
        raise CannotConvert(findings.all())
    return Conversion(graph, notes.all())


def _refuse_long_names(graph: Graph, findings: Findings) -> None:
    """Names of megabytes are nobody's, and every page and picture repeats them."""
    for node_id, node in graph.items():
        parts = (
            (_("an id"), node_id),
            (_("a class"), str(node["class_type"])),
            (_("an input's name"), max(map(str, node["inputs"]), key=len, default="")),
        )
        for what, text in parts:
            if len(text) > LONGEST_NAME:
                told = named(node_id, title_of(node) or str(node["class_type"]))
                long = _(
                    "%(node)s has %(what)s of more than %(most)s characters.",
                    node=told,
                    what=what,
                    most=LONGEST_NAME,
                )
                findings.add("unreadable", long)


def _converted(ui: Mapping[str, Any], object_info: ObjectInfo, findings: Findings, notes: Findings) -> Graph:
    document = read(ui, findings)
    if findings.problems:
        return {}
    groups = ungroup(ui, document, object_info, findings)
    if findings.problems:
        return {}
    renumber(document)
    places = Places(document, object_info, findings)
    if findings.problems:
        return {}
    names = NamedValues(places.by_id.values())
    fill_groups(places, groups)
    apply_primitives(places, names)
    return write(places, names, findings, notes)
