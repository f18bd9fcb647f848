"""The shape of a graph in ComfyUI's API format: nodes, links, cycles. Knows no catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from posixpath import splitext
from typing import Any, Final

from workflows.problems import Problem
from workflows.wording import Said
from workflows.wording import said as _

Graph = dict[str, dict[str, Any]]
"""Node id → {"class_type": …, "inputs": {…}}; an input is a value or a link [node id, output slot]."""

MOST_NODES: Final = 10_000
"""Nodes of a graph, subgraphs unfolded; ten that hold ten each soon make a million."""
MOST_INPUTS: Final = 120_000
"""Inputs of all nodes together."""
MOST_INPUTS_OF_ONE: Final = 1_000
"""Inputs of one node; lists that grow end at 100."""

MODEL_SUFFIXES: Final = frozenset(
    {".safetensors", ".sft", ".ckpt", ".pt", ".pt2", ".pth", ".bin", ".gguf", ".onnx", ".pkl"}
)


def format_problem(graph: object) -> Problem | None:
    """Say in a sentence why ``graph`` is not API format, or None if it is."""
    if not isinstance(graph, Mapping):
        return _not_api(_("The graph is %(kind)s, not a JSON object of nodes.", kind=type(graph).__name__))
    if isinstance(graph.get("nodes"), list):
        return _not_api(
            _(
                "This workflow is saved in ComfyUI's UI format; export it with 'Export (API)' "
                "(older versions: 'Save (API Format)')."
            )
        )
    if isinstance(graph.get("prompt"), Mapping):
        return _not_api(_("This is a whole request; give only what stands under 'prompt'."))
    for node_id, node in graph.items():
        if not isinstance(node, Mapping) or not isinstance(node.get("class_type"), str):
            told = _("Node %(id)s has no class_type; every node needs class_type and inputs.", id=node_id)
            return _not_api(told, node_id)
        if not isinstance(node.get("inputs"), Mapping):
            named = _("Node %(id)s (%(title)s)", id=node_id, title=node["class_type"])
            return _not_api(_("%(node)s has no inputs object.", node=named), node_id)
    return None


def title_of(node: Mapping[str, Any]) -> str:
    """A node's title, "" if it has none."""
    meta = node.get("_meta")
    title = meta.get("title") if isinstance(meta, Mapping) else None
    return title if isinstance(title, str) else ""


def is_link(value: object) -> bool:
    """True for any list: ComfyUI takes every bare list for a link, right or wrong."""
    return isinstance(value, list)


def linked_node(value: object) -> str | None:
    """Return the node a well-formed link comes from, None for a value or a broken link."""
    match value:
        case [str(node), int()]:
            return node
        case _:
            return None


def plain_value(value: object) -> object:
    """Unwrap ``{"__value__": …}``, which the web client writes so that a list is not taken for a link."""
    return value["__value__"] if isinstance(value, Mapping) and "__value__" in value else value


def is_model_file(value: object) -> bool:
    """True if the text names a model file by its suffix."""
    return isinstance(value, str) and splitext(value)[1].lower() in MODEL_SUFFIXES


def cycle_in(graph: Graph) -> list[str]:
    """Return the nodes of one cycle, the first repeated at the end; empty if there is none."""
    finished: set[str] = set()
    for start in graph:
        path: dict[str, None] = {}
        walk = [iter([start])]
        while walk:
            node = next(walk[-1], None)
            if node is None:
                walk.pop()
                if path:
                    finished.add(path.popitem()[0])
            elif node in path:
                way = list(path)
                return [*way[way.index(node) :], node]
            elif node not in finished:
                path[node] = None
                walk.append(iter(_sources(graph, node)))
    return []


def _sources(graph: Graph, node: str) -> list[str]:
    linked = (linked_node(value) for value in graph[node]["inputs"].values())
    return [source for source in linked if source in graph]


def _not_api(message: Said, node: str | None = None) -> Problem:
    return Problem(node, None, "not_api_format", message)
