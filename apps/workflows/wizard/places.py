"""The inputs a role could be written to, as a person recognises them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from apps.workflows.services.shape import is_kept
from workflows.catalogue import Inputs, InputSpec, ObjectInfo
from workflows.graph import Graph, is_link, is_model_file, title_of
from workflows.manifest_check import FILE_LOADERS
from workflows.roles import PICTURES, ROLES

Place = tuple[str, str]
"""A node's input: (node id, input name)."""

MOST_OFFERED: Final = 150
"""Of a larger graph the first inputs are offered, beside those that were found or chosen."""
LONGEST_TITLE: Final = 80

_TAKES: Final[Mapping[str, frozenset[str]]] = {
    "text": frozenset({"STRING"}),
    "int": frozenset({"INT"}),
    "float": frozenset({"FLOAT", "INT"}),
    "choice": frozenset({"COMBO"}),
    "color": frozenset({"INT", "STRING", "COLOR"}),
}


def written(place: Place) -> str:
    """A place as the value of a choice: JSON, for a node's id may hold any character."""
    return json.dumps(list(place), ensure_ascii=False)


def read(text: str) -> Place | None:
    """The place a choice's value names; None for what is none."""
    try:
        match json.loads(text):
            case [str(node), str(name)] if is_kept([node, name]):
                return node, name
    except (ValueError, RecursionError):
        return None
    return None


class Places:
    """Every input of a graph that holds a value, by the type of role that could be written there."""

    def __init__(self, graph: Graph, object_info: ObjectInfo) -> None:
        self._graph = graph
        self._by_type: dict[str, list[Place]] = {kind: [] for kind in {*_TAKES, "file", PICTURES}}
        declared = Inputs(object_info)
        for node_id, node in graph.items():
            class_type = node["class_type"]
            specs = declared.of(class_type, node["inputs"]) if class_type in object_info else {}
            for name, value in node["inputs"].items():
                if not is_link(value):
                    for kind in _kinds(node["class_type"], name, value, specs.get(name)):
                        self._by_type[kind].append((node_id, name))

    def fits(self, role: str, place: Place) -> bool:
        """Tell whether a role may be written there."""
        return place in self._by_type[_type_of(role)]

    def choices(self, role: str, chosen: Iterable[Place] = ()) -> list[Place]:
        """The places to offer for a role: those found or chosen, then others as the graph orders them."""
        fitting = self._by_type[_type_of(role)][:MOST_OFFERED]
        there = set(fitting)
        more = dict.fromkeys(place for place in chosen if place not in there)
        return [*more, *fitting]

    def named(self, place: Place) -> str:
        """Say ``12 KSampler (Sampler 1) · seed``."""
        node_id, name = place
        node = self._graph.get(node_id)
        if node is None:
            return f"{node_id} · {name}"
        return f"{in_short(node_id, node)} · {name}"


def in_short(node_id: str, node: Mapping[str, Any]) -> str:
    """Say ``12 KSampler (Sampler 1)``, of a title as much as a line holds."""
    title, kind = title_of(node), str(node["class_type"])
    if len(title) > LONGEST_TITLE:
        title = f"{title[: LONGEST_TITLE - 1]}…"
    return f"{node_id} {kind} ({title})" if title and title != kind else f"{node_id} {kind}"


def _type_of(role: str) -> str:
    """The pictures of a take come to a node as one lossless clip, so only what reads a clip takes them."""
    return PICTURES if role == PICTURES else ROLES[role]


def _kinds(class_type: str, name: str, value: Any, spec: InputSpec | None) -> list[str]:
    if FILE_LOADERS.get(class_type) == name or (spec is not None and spec.takes_uploads):
        reads_clip = class_type == "LoadVideo" or (spec is not None and bool(spec.facts.get("video_upload")))
        return ["file", PICTURES] if reads_clip else ["file"]
    if spec is None:
        return _by_value(value)
    return [kind for kind, types in _TAKES.items() if spec.types & types and not _is_file(kind, value)]


def _is_file(kind: str, value: Any) -> bool:
    """A text that names a model file is no prompt."""
    return kind == "text" and is_model_file(value)


def _by_value(value: Any) -> list[str]:
    """What a class that nobody knows seems to take."""
    match value:
        case bool():
            return []
        case int():
            return ["int", "float"]
        case float():
            return ["float"]
        case str():
            return ["choice"] if is_model_file(value) else ["text", "file"]
    return []
