"""Write the graph in API format, and refuse one that could never run."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from workflows.convert.places import Place, Places
from workflows.convert.saying import Findings, fault_of, holds, in_a_circle
from workflows.convert.texts import NAMED_FILES, NamedValues, first_choice
from workflows.convert.trace import Broken, Output, Tracer, Value
from workflows.convert.unknown import UnknownClasses
from workflows.convert.virtual import VIRTUAL
from workflows.convert.widgets import CHOSEN, OPTION, SCENE, UNSET, Widget
from workflows.graph import Graph, cycle_in
from workflows.wording import said as _


def write(places: Places, names: NamedValues, findings: Findings, notes: Findings) -> Graph:
    """Return the graph; what is wrong goes to ``findings``, what a person should know to ``notes``."""
    writer = _Writer(places, names, findings, notes)
    graph: Graph = {}
    for place in places.by_id.values():
        if place.definition is None and not place.idle and place.node.type not in VIRTUAL:
            graph[place.id] = writer.node(place)
    for node in graph.values():
        inputs = node["inputs"]
        gone = [name for name, value in inputs.items() if isinstance(value, list) and value[0] not in graph]
        for name in gone:
            del inputs[name]
    _refuse_circles(graph, places, findings)
    return graph


class _Writer:
    def __init__(self, places: Places, names: NamedValues, findings: Findings, notes: Findings) -> None:
        self._places, self._names = places, names
        self._findings, self._notes = findings, notes
        self._tracer = Tracer(places)
        self._unknown = UnknownClasses(places.object_info, findings, notes)

    def node(self, place: Place) -> dict[str, Any]:
        known = self._places.known_class(place)
        if known is None:
            self._unknown.say(place)
        inputs = {name: _wrapped(value, kind) for name, value, kind in self._values(place)}
        for index, slot in enumerate(place.slots):
            try:
                source = self._tracer.source(place, index)
            except Broken as exc:
                problem = exc.problem
                self._findings.add(problem.code, problem.message, problem.node, problem.input)
                continue
            match source:
                case Output():
                    inputs[slot.name] = [source.place.id, source.slot]
                case Value() if source.value is UNSET:
                    inputs.pop(slot.name, None)
                case Value():
                    inputs[slot.name] = _wrapped(source.value)
        inputs = self._own_values(place, inputs)
        title = place.node.title or (known and known.get("display_name")) or place.node.type
        class_type = None if known is None else place.node.type
        return {"inputs": inputs, "class_type": class_type, "_meta": {"title": title}}

    def _values(self, place: Place) -> Iterator[tuple[str, Any, str]]:
        for widget in place.panel.widgets:
            if widget.sent and widget.name:
                value = self._sent(place, widget)
                if value is not UNSET:
                    yield widget.name, value, widget.kind

    def _sent(self, place: Place, widget: Widget) -> Any:
        if widget.kind == SCENE:
            return self._scene(place)
        if widget.kind == CHOSEN:
            options = [option.value for option in place.panel.widgets if option.kind == OPTION]
            choice = place.panel.widgets[0].value
            return options.index(choice) if choice in options else -1
        value = widget.value
        if isinstance(value, str):
            if widget.spec is not None and widget.spec.facts.get("dynamicPrompts") is True:
                return first_choice(value)
            if widget.name == "filename_prefix" and place.node.type in NAMED_FILES:
                return self._names.written(value)
        return value

    def _scene(self, place: Place) -> dict[str, Any]:
        """What a view in 3D sends, but for the pictures of Load3D, which only a browser can take."""
        camera = place.node.properties.get("Camera Config")
        state = camera.get("state") if isinstance(camera, Mapping) else None
        if place.node.type == "Load3D":
            told = _(
                "%(node)s shows a scene of which ComfyUI's browser takes pictures; give them in its input "
                "'image'.",
                node=place.named,
            )
            self._notes.add("picture_in_browser", told, place.id, "image")
        seen: dict[str, Any] = {"camera_info": state, "model_3d_info": []}
        if place.node.type == "Load3DAdvanced":
            return seen
        return {"image": "", "mask": "", "normal": "", **seen, "recording": ""}

    def _own_values(self, place: Place, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs with lists and objects of their own, shared with neither file nor other nodes."""
        own: dict[str, Any] = {}
        for name, value in inputs.items():
            fault = fault_of(value)
            if fault is not None:
                told = holds(place.named, name, fault)
                self._findings.add("invalid_input_type", told, place.id, name)
                continue
            own[name] = copy.deepcopy(value) if isinstance(value, dict) else value
        return own


def _wrapped(value: Any, kind: str = "") -> Any:
    """A list that is a value, not a link, is wrapped, so that ComfyUI can tell."""
    if not isinstance(value, list):
        return value
    return {"__type__": "CURVE", "__value__": value} if kind == "CURVE" else {"__value__": value}


def _refuse_circles(graph: Graph, places: Places, findings: Findings) -> None:
    circle = cycle_in(graph)
    if circle:
        findings.add("dependency_cycle", in_a_circle(places.by_id[node].named for node in circle), circle[0])
