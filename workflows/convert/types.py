"""Which types fit together, and which input a bypassed node hands through."""

from __future__ import annotations

from typing import Final

from workflows.convert.document import BORDER_IN
from workflows.convert.places import Place, Places
from workflows.convert.virtual import REROUTES

FURTHEST: Final = 60
"""Nodes asked one after another for the type of a link before it counts as unknown."""
ANY: Final = "*"


def fits(one: str, other: str) -> bool:
    """True if a value of one type may go where the other is wanted; a type may name several."""
    if ANY in (one, other) or one == other:
        return True
    ours, theirs = set(one.lower().split(",")), set(other.lower().split(","))
    return ANY in ours or ANY in theirs or not ours.isdisjoint(theirs)


class Types:
    """Tells types of outputs and inputs; those of matched groups follow what is linked to the group."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._known: dict[tuple[Place, int], str] = {}
        self._narrowed: dict[Place, list[str]] = {}

    def bypass_slot(self, place: Place, output: int, wanted: str) -> int | None:
        """The input that a bypassed node hands through to ``output``; None if no type fits.

        The input of the same number is preferred, then one of exactly the type wanted, then any that fits.
        """
        if wanted == ANY:
            slots = len(place.slots)
            return (output if output < slots else 0) if slots else None
        self._places.step(place, 1 + len(place.slots))
        given = self.of_output(place, output)
        offered = [self.of_input(place, index) for index in range(len(place.slots))]
        usable = [fits(kind, given) and fits(kind, wanted) for kind in offered]
        if output < len(usable) and usable[output]:
            return output
        if wanted in offered:
            return offered.index(wanted)
        return usable.index(True) if True in usable else None

    def of_input(self, place: Place, index: int) -> str:
        """The type an input wants; in a matched group, what the others of the group are linked to."""
        if not place.panel.matched:
            return place.slots[index].type
        if place not in self._narrowed:
            self._narrowed[place] = self._of_inputs(place)
        return self._narrowed[place][index]

    def of_output(self, place: Place, output: int, *, asked: int = 0) -> str:
        """The type of an output, ``*`` where nothing tells."""
        key = (place, output)
        if key not in self._known:
            self._known[key] = ANY
            if asked < FURTHEST:
                self._known[key] = self._output(place, output, asked + 1)
        return self._known[key]

    def _output(self, place: Place, output: int, asked: int) -> str:
        if place.node.type in REROUTES:
            return self._linked(place, 0, asked) or ANY if place.slots else ANY
        if place.definition is not None:
            borders = place.definition.outputs
            return borders[output].type if 0 <= output < len(borders) else ANY
        group = place.panel.matched.get(self._places.matched_output(place, output) or "")
        if group is not None:
            members = [index for index, slot in enumerate(place.slots) if slot.name in group]
            return _common([self._linked(place, index, asked) or ANY for index in members]) or ANY
        return self._places.declared_output(place, output)

    def _of_inputs(self, place: Place) -> list[str]:
        types = [slot.type for slot in place.slots]
        for group in place.panel.matched.values():
            members = [index for index, slot in enumerate(place.slots) if slot.name in group]
            linked = {index: self._linked(place, index, 0) or ANY for index in members}
            for index in members:
                others = [kind for other, kind in linked.items() if other != index]
                types[index] = _common([*others, group[place.slots[index].name]]) or types[index]
        return types

    def _linked(self, place: Place, index: int, asked: int) -> str | None:
        """The type of what an input is linked to; None if it is linked to nothing that the file has."""
        link_id = place.slots[index].link
        link = None if link_id is None else place.graph.links.get(link_id)
        if link is None:
            return None
        if link.origin == BORDER_IN and place.host is not None:
            slots = place.host.slots
            return slots[link.origin_slot].type if 0 <= link.origin_slot < len(slots) else ANY
        origin = self._places.near(place, link.origin)
        return None if origin is None else self.of_output(origin, link.origin_slot, asked=asked)


def _common(types: list[str]) -> str | None:
    """The alternatives that all types share, ``*`` if none says anything, None if they share nothing."""
    told = [kind.split(",") for kind in types if kind != ANY]
    if not told:
        return ANY
    shared = [kind for kind in told[0] if all(kind in kinds for kinds in told)]
    return ",".join(shared) or None
