"""``\\`` and ``/`` in model names. ComfyUI compares names byte for byte with what its system lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workers.comfy.client import Graph


def fit_model_names(graph: Graph, models: Mapping[str, Iterable[str]]) -> Graph:
    """Return the graph with every model file named as this server lists it.

    ``models`` is the answer of ``ComfyClient.models(as_listed=True)``. Names that the server does not list
    stay as they are, for its validation to refuse. The given graph is not changed.
    """
    listed = {_plain(name): name for names in models.values() for name in names}
    return {node_id: _fitted(node, listed) for node_id, node in graph.items()}


def _fitted(node: dict[str, Any], listed: Mapping[str, str]) -> dict[str, Any]:
    inputs = node.get("inputs")
    if not isinstance(inputs, dict):
        return node
    return {**node, "inputs": {key: _fit(value, listed) for key, value in inputs.items()}}


def _fit(value: object, listed: Mapping[str, str]) -> object:
    return listed.get(_plain(value), value) if isinstance(value, str) else value


def _plain(name: str) -> str:
    return name.replace("\\", "/")
