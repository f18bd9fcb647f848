"""The SVG text of a graph."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from workflows.catalogue import ObjectInfo
from workflows.graph import Graph


def draw(
    graph: Graph,
    object_info: ObjectInfo | None,
    marks: Mapping[str, Mapping[str, str]],
    *,
    problems: Collection[str] = (),
) -> str:
    """Return the graph as one ``<svg>`` element, to be put into an HTML page as it is.

    ``marks`` is node → input → role, shown on the input; nodes whose ids are in ``problems`` are red.
    Every node is ``<g id="node-12" class="node" data-node="12">``, every input a
    ``<g id="node-12-text" class="input" data-node="12" data-input="text" data-role="positive">``
    (ids by :func:`element_id`). Colours and fonts are presentation attributes: no style, no script, nothing
    loaded; a page may restyle by class (node, output-node, problem, title, class, input, bound, role, link,
    type-MODEL …). The same arguments give the same text. Of a graph of more than 600 nodes only the nodes
    nearest to its outputs are drawn, and the picture says how many are not.
    """
    return "<svg xmlns='http://www.w3.org/2000/svg'></svg>"


def element_id(node: str, name: str | None = None) -> str:
    """Return the id of a node's, or of one input's, element in the picture."""
    return ""
