"""The whole search."""

from __future__ import annotations

from workflows.catalogue import ObjectInfo
from workflows.finding.found import Found
from workflows.graph import Graph


def find(graph: Graph, object_info: ObjectInfo) -> Found:
    """Say which inputs of a graph stand for which role. Raises nothing for a graph in API format.

    Classes that the catalogue lacks are judged by the names of their inputs, and are never sure.
    """
    return Found((), (), (), (), (), ())
