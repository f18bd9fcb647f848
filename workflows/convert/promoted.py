"""The values of widgets that a subgraph shows on its host node.

Such a widget has no value of its own: it is the widget of the first node inside that the subgraph's
input is linked to, and every other node linked to it takes that value too. What a file holds as the
host's own values is a copy, which the client does not read back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workflows.convert.document import Slot
from workflows.convert.places import Place, Places
from workflows.convert.widgets import UNSET, Widget


def promoted(places: Places, host: Place, slot: int) -> Iterator[tuple[Place, Slot, Widget | None]]:
    """The inputs inside that an input of ``host`` shows the widgets of, in order.

    The widget is None where the input belongs to a subgraph within, whose own input shows one.
    """
    definition = host.definition
    if definition is None or slot >= len(definition.inputs):
        return
    for link in places.inner_links(definition, slot):
        inner = places.inside(host, link.target)
        if inner is None:
            continue
        places.step(inner, 1 + len(inner.slots))
        inside = next((own for own in inner.slots if own.link == link.id), None)
        if inside is None:
            continue
        if inner.definition is not None:
            if promotes(places, inner, inner.slots.index(inside)):
                yield inner, inside, None
        elif inside.widget is not None:
            widget = inner.panel.widget(inside.widget)
            if widget is not None:
                yield inner, inside, widget


def promotes(places: Places, host: Place, slot: int) -> bool:
    """True if an input of ``host`` shows a widget."""
    return next(promoted(places, host, slot), None) is not None


def promoted_value(places: Places, host: Place, slot: int) -> tuple[Any] | None:
    """The value of the widget that an input of ``host`` shows, in a tuple; None if it shows none."""
    shown = list(promoted(places, host, slot))
    if not shown:
        return None
    for _, _, widget in shown:
        if widget is not None:
            if widget.value is not None:
                return (widget.value,)
            break
    inner, inside, widget = shown[0]
    if widget is not None:
        return (widget.value,)
    return promoted_value(places, inner, inner.slots.index(inside)) or (UNSET,)


def promoted_widgets(places: Places, host: Place, slot: int) -> Iterator[Widget]:
    """Every widget that setting an input of ``host`` sets, the first one's own first."""
    for inner, inside, widget in promoted(places, host, slot):
        if widget is not None:
            yield widget
        else:
            yield from promoted_widgets(places, inner, inner.slots.index(inside))
