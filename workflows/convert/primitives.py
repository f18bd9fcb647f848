"""Apply primitives: each writes its value into the widgets it is linked to, within their limits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from workflows.convert.document import Slot
from workflows.convert.places import Place, Places
from workflows.convert.promoted import promoted_widgets
from workflows.convert.texts import NamedValues
from workflows.convert.virtual import PRIMITIVE
from workflows.convert.widgets import OWN_TYPES, UNSET, Widget


def apply_primitives(places: Places, names: NamedValues) -> None:
    """Write the values of all primitives of a document into the panels they are linked to."""
    for place in places.by_id.values():
        if place.node.type == PRIMITIVE and place.definition is None and place.node.outputs:
            _apply(places, place, names)


def _apply(places: Places, primitive: Place, names: NamedValues) -> None:
    targets = list(_targets(places, primitive))
    if not targets:
        return
    place, slot = targets[0]
    theirs = _widgets_at(places, place, slot)
    if not theirs and slot.type not in OWN_TYPES:
        return
    values = primitive.node.values
    value: Any = UNSET
    if isinstance(values, list) and values:
        value = values[0]
    elif theirs:
        value = theirs[0].value
    if value is UNSET:
        return
    if isinstance(value, str) and primitive.node.properties.get("Run widget replace on values"):
        value = names.written(value)
    for place, slot in targets:
        for index, widget in enumerate(_widgets_at(places, place, slot)):
            place.panel.put(widget, value, place.graph.links)
            if index == 0:
                widget.value = within_limits(widget)


def _targets(places: Places, primitive: Place) -> Iterator[tuple[Place, Slot]]:
    for link_id in primitive.node.outputs[0].links:
        link = primitive.graph.links.get(link_id)
        if link is None or link.origin != primitive.node.id:
            continue
        target = places.near(primitive, link.target)
        slot = next((slot for slot in target.slots if slot.link == link_id), None) if target else None
        if target is not None and slot is not None:
            yield target, slot


def _widgets_at(places: Places, place: Place, slot: Slot) -> list[Widget]:
    if place.definition is not None:
        return list(promoted_widgets(places, place, place.slots.index(slot)))
    widget = place.panel.widget(slot.widget) if slot.widget else None
    return [] if widget is None else [widget]


def within_limits(widget: Widget) -> Any:
    """A number as its widget rounds it: whole numbers to its step, others to its precision."""
    value, facts = widget.value, widget.spec.facts if widget.spec else {}
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return value
    if widget.kind == "INT":
        return _stepped(value, facts)
    return _rounded(value, facts) if widget.kind == "FLOAT" else value


def _stepped(value: float, facts: Mapping[str, Any]) -> int | float:
    step, least = _figure(facts, "step", 1) or 1, _figure(facts, "min", 0)
    if step == 1:
        return _half_up(value)
    offset = math.fmod(least, step)
    return _whole(_half_up((value - offset) / step) * step + offset)


def _rounded(value: float, facts: Mapping[str, Any]) -> int | float:
    step = _figure(facts, "step", 0.5)
    precision = max(0, -math.floor(math.log10(step))) if step > 0 else 0
    unit = _figure(facts, "round", 0) or (10.0**-precision if precision else 0)
    if not unit:
        return value
    near = round(_half_up(value / unit) * unit, min(precision, 15))
    least, most = _figure(facts, "min", 0), _figure(facts, "max", 2048)
    return _whole(min(max(near, least), most))


def _figure(facts: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = facts.get(name)
    return otherwise if isinstance(value, bool) or not isinstance(value, int | float) else value


def _half_up(value: float) -> int:
    return value if isinstance(value, int) else math.floor(value + 0.5)


def _whole(value: float) -> int | float:
    """JSON of a browser has no 3.0: a float that is whole is written as a whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
