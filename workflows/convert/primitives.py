"""Apply primitives: each writes its value into the widgets it is linked to, within their limits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workflows.convert.document import Link, Slot
from workflows.convert.limits import within_limits, within_limits_of_all
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
    targets = [(place, slot, _widgets_at(places, place, slot)) for place, slot in _targets(places, primitive)]
    if not targets or not (targets[0][2] or targets[0][1].type in OWN_TYPES):
        return
    value = _value(primitive, targets[0][2])
    if value is UNSET:
        return
    if isinstance(value, str) and primitive.node.properties.get("Run widget replace on values"):
        value = names.written(value)
    value = within_limits_of_all(value, [widgets[0] for _, _, widgets in targets if widgets])
    for place, _, widgets in targets:
        for widget in widgets:
            place.panel.put(widget, value, place.graph.links)
        if widgets:
            widgets[0].value = within_limits(widgets[0].value, widgets[0])


def _value(primitive: Place, theirs: list[Widget]) -> Any:
    """The value that the file has for a primitive, else the one of the first widget it is linked to."""
    values = primitive.node.values
    if isinstance(values, list) and values:
        return values[0]
    return theirs[0].value if theirs else UNSET


def _targets(places: Places, primitive: Place) -> Iterator[tuple[Place, Slot]]:
    for link_id in primitive.node.outputs[0].links:
        link = primitive.graph.links.get(link_id)
        if link is None or link.origin != primitive.node.id:
            continue
        target = places.near(primitive, link.target)
        if target is None:
            continue
        places.step(target, 1 + len(target.slots))
        slot = _entered(target, link, primitive.node.outputs[0].type)
        if slot is not None:
            yield target, slot


def _entered(target: Place, link: Link, kind: str) -> Slot | None:
    """The input that a link enters; if none knows of it, the one of its number, if the type is the same."""
    for slot in target.slots:
        if slot.link == link.id:
            return slot
    numbered = target.slots[link.target_slot : link.target_slot + 1] if link.target_slot >= 0 else []
    return next((slot for slot in numbered if slot.type == kind), None)


def _widgets_at(places: Places, place: Place, slot: Slot) -> list[Widget]:
    if place.definition is not None:
        return list(promoted_widgets(places, place, place.slots.index(slot)))
    widget = place.panel.widget(slot.widget) if slot.widget else None
    return [] if widget is None else [widget]
