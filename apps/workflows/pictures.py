"""A graph as a picture in a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from apps.workflows.catalogues import catalogue_or_recorded
from apps.workflows.foundwords import picture_words
from workflows.drawing import draw
from workflows.graph import Graph


def picture(
    graph: Graph, catalogue: str, document: Mapping[str, Any], problems: Iterable[Mapping[str, Any]] = ()
) -> SafeString:
    """Draw a graph with the inputs marked that the manifest binds, and the nodes with problems in red.

    Nodes that go with a role that may be left out are dashed.
    """
    marks: dict[str, dict[str, str]] = {}
    for role, binding in document.get("bindings", {}).items():
        for target in binding.get("targets", ()):
            marks.setdefault(str(target.get("node")), {}).setdefault(str(target.get("input")), role)
    bad = {str(one["node"]) for one in problems if one.get("node")}
    going = {node for binding in document.get("bindings", {}).values() for node in _gone(binding)}
    info = catalogue_or_recorded(catalogue)
    drawn = draw(graph, info, marks, problems=bad, going=going, words=picture_words())
    return mark_safe(drawn)  # noqa: S308 - workflows.drawing escapes every text of the graph


def _gone(binding: Mapping[str, Any]) -> list[str]:
    """What goes with a role; a draft's manifest may hold anything there."""
    rule = binding.get("optional")
    gone = rule.get("remove") if isinstance(rule, Mapping) else None
    return [str(node) for node in gone] if isinstance(gone, list) else []
