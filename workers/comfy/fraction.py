"""How far a whole graph is, from 0 to 1, never falling.

Every node weighs 1, a sampler :data:`STEP_WEIGHT` per step: so the samplers' steps make up most of the
bar (20 steps among ten other nodes: 86 %, 4 steps: 55 %), as they make up most of the time, and the
bar still moves while models load and frames are decoded and written.
"""

from __future__ import annotations

from typing import Any, Final

from workers.comfy.client import Graph
from workers.comfy.progress import Cached, Event, Executed, Executing, Nodes, Step

STEP_WEIGHT: Final = 3.0


class GraphProgress:
    """Fed with events, tells ``fraction`` and ``doing`` (the node at work, "KSampler 12/20")."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._weights = {node_id: weight(graph, node) for node_id, node in graph.items()}
        self._done = dict.fromkeys(graph, 0.0)
        self.fraction = 0.0
        self.doing = ""

    def take(self, event: Event) -> None:
        """Take the event into account."""
        match event:
            case Cached(nodes):
                for node_id in nodes:
                    self._reach(node_id, 1.0)
            case Nodes(nodes):
                for node_id, node in nodes.items():
                    self._reach(node_id, 1.0 if node.finished else _share(node.value, node.maximum))
                    if not node.finished:
                        self.doing = self._name(node.display_node, node.value, node.maximum)
            case Step(node_id, value, maximum):
                self._reach(node_id, _share(value, maximum))
                self.doing = self._name(node_id, value, maximum)
            case Executed(node_id):
                self._reach(node_id, 1.0)
            case Executing(node_id):
                self.doing = self._name(node_id, 0, 0)
            case _:
                return
        total = sum(self._weights.values())
        if total:
            now = sum(self._weights[node_id] * share for node_id, share in self._done.items()) / total
            self.fraction = max(self.fraction, now)

    def _reach(self, node_id: str, share: float) -> None:
        """Nodes that ComfyUI makes at run time are not in the graph and do not count."""
        if node_id in self._done:
            self._done[node_id] = max(self._done[node_id], share)

    def _name(self, node_id: str, value: float, maximum: float) -> str:
        node = self._graph.get(node_id, {})
        name = str(node.get("_meta", {}).get("title") or node.get("class_type") or f"node {node_id}")
        return f"{name} {value:g}/{maximum:g}" if maximum > 1 else name


def weight(graph: Graph, node: dict[str, Any]) -> float:
    """Return a node's weight. A sampler's steps are its own, or those of the scheduler of its ``sigmas``."""
    inputs = node.get("inputs", {})
    if "Sampler" not in str(node.get("class_type", "")):
        return 1.0
    if "steps" not in inputs:
        inputs = _linked_inputs(graph, inputs.get("sigmas"))
    steps = _number(graph, inputs.get("steps"))
    if steps is None:
        return 1.0
    first = _number(graph, inputs.get("start_at_step")) or 0
    last = _number(graph, inputs.get("end_at_step"))
    return STEP_WEIGHT * max(1, (steps if last is None else min(steps, last)) - first)


def _number(graph: Graph, value: object) -> int | None:
    """Return a whole number given plainly, or by a link to a primitive node's ``value``."""
    if isinstance(value, list):
        value = _linked_inputs(graph, value).get("value")
    return value if isinstance(value, int) else None


def _linked_inputs(graph: Graph, link: object) -> dict[str, Any]:
    if not isinstance(link, list) or not link:
        return {}
    inputs: dict[str, Any] = graph.get(str(link[0]), {}).get("inputs", {})
    return inputs


def _share(value: float, maximum: float) -> float:
    return min(1.0, value / maximum) if maximum > 0 else 0.0
