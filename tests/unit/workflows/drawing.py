"""Draw a workflow as a person would in ComfyUI, and get the document it saves."""

from __future__ import annotations

from typing import Any


class Drawing:
    """Nodes and links of one graph, in the older form of links unless ``objects`` is set."""

    def __init__(self, *, objects: bool = False) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.links: list[Any] = []
        self.definitions: list[dict[str, Any]] = []
        self._objects = objects

    def node(self, kind: str, values: Any = (), **facts: Any) -> int:
        """Put a node down; return its id."""
        node_id: int = facts.pop("id", len(self.nodes) + 1)
        outputs = [{"name": str(out), "type": out, "links": []} for out in facts.pop("outputs", ["IMAGE"])]
        self.nodes.append(
            {
                "id": node_id,
                "type": kind,
                "mode": 0,
                "inputs": [],
                "outputs": outputs,
                "widgets_values": list(values) if isinstance(values, tuple | list) else values,
                **facts,
            }
        )
        return node_id

    def link(
        self, origin: int, target: int, name: str, *, slot: int = 0, kind: str = "IMAGE", widget: bool = False
    ) -> int:
        """Draw a link from an output to an input; -10 and -20 are a subgraph's borders. Return its id."""
        link_id = len(self.links) + 1
        into = 0
        if target != -20:
            inputs = self.at(target)["inputs"]
            into = len(inputs)
            row = {"name": name, "type": kind, "link": link_id}
            inputs.append({**row, "widget": {"name": name}} if widget else row)
        if origin != -10 and slot < len(self.at(origin)["outputs"]):
            self.at(origin)["outputs"][slot]["links"].append(link_id)
        fields = ("id", "origin_id", "origin_slot", "target_id", "target_slot", "type")
        row_of = [link_id, origin, slot, target, into, kind]
        self.links.append(dict(zip(fields, row_of, strict=True)) if self._objects else row_of)
        return link_id

    def at(self, node_id: int) -> dict[str, Any]:
        return next(node for node in self.nodes if node["id"] == node_id)

    def define(
        self,
        name: str,
        inner: Drawing,
        *,
        inputs: list[tuple[str, str, list[int]]] | None = None,
        outputs: list[tuple[str, str, list[int]]] | None = None,
    ) -> str:
        """Make a subgraph of another drawing; borders are (name, type, link ids). Return its id."""
        subgraph_id = f"{len(self.definitions):08d}-0000-4000-8000-000000000000"
        self.definitions.append(
            {
                "id": subgraph_id,
                "name": name,
                "nodes": inner.nodes,
                "links": inner.links,
                "inputs": [_border(*border) for border in inputs or []],
                "outputs": [_border(*border) for border in outputs or []],
            }
        )
        return subgraph_id

    def saved(self) -> dict[str, Any]:
        return {
            "last_node_id": max((node["id"] for node in self.nodes), default=0),
            "nodes": self.nodes,
            "links": self.links,
            "definitions": {"subgraphs": self.definitions},
            "version": 0.4,
        }


def _border(name: str, kind: str, links: list[int]) -> dict[str, Any]:
    return {"name": name, "type": kind, "linkIds": links}
