"""Follow a link to where its value really comes from.

On the way lie reroutes, muted and bypassed nodes and the borders of subgraphs. The walk is a loop, never
a recursion, and remembers where each step ended, so long chains and many consumers stay cheap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workflows.convert.document import BORDER_IN, BYPASS, NEVER, Graph, Link, LinkId
from workflows.convert.places import Place, Places
from workflows.convert.promoted import promoted_value
from workflows.convert.saying import shown
from workflows.convert.types import Types, fits
from workflows.convert.virtual import GETTERS, REROUTES, SETTERS, VIRTUAL
from workflows.problems import Problem
from workflows.wording import Said
from workflows.wording import said as _


@dataclass(frozen=True, slots=True)
class Output:
    """The value is an output of a node that runs."""

    place: Place
    slot: int


@dataclass(frozen=True, slots=True)
class Value:
    """The value is one that stands on a subgraph's host node."""

    value: Any


@dataclass(frozen=True, slots=True)
class Step:
    """A point on the way: an input of a node, or an output. ``wanted`` is the type at the far end."""

    place: Place
    slot: int
    into: bool
    wanted: str | None


class Broken(Exception):
    """A link that leads nowhere or round in a circle."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


Source = Output | Value | None


class Tracer:
    """Finds sources. One tracer serves a whole document."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._types = Types(places)
        self._known: dict[Step, Source | Broken] = {}
        self._shown: dict[tuple[Place, int], Value | None] = {}

    def source(self, place: Place, slot: int) -> Source:
        """Where the input ``slot`` of ``place`` gets its value from; None if from nowhere. Raises Broken."""
        way: dict[Step, None] = {}
        found = self._walked(Step(place, slot, True, None), way)
        self._known.update(dict.fromkeys(way, found))
        if isinstance(found, Broken):
            raise found
        return found

    def _walked(self, start: Step, way: dict[Step, None]) -> Source | Broken:
        step: Step | Source = start
        try:
            while isinstance(step, Step):
                if step in self._known:
                    return self._known[step]
                if step in way:
                    told = _(
                        "%(node)s is linked to itself, through nodes that only hand on.",
                        node=step.place.named,
                    )
                    raise _broken(step.place, "dependency_cycle", told)
                way[step] = None
                step = self._into(step) if step.into else self._out_of(step)
        except Broken as exc:
            return exc
        return step

    def _into(self, step: Step) -> Step | Source:
        place = step.place
        if not 0 <= step.slot < len(place.slots):
            return None
        slot = place.slots[step.slot]
        if slot.link is None:
            return None
        link = self._link(place, slot.name, slot.link)
        if link.origin == BORDER_IN and place.host is not None:
            return self._through_border(place, place.host, link)
        origin = self._places.near(place, link.origin)
        if origin is None:
            raise _dangling(place, slot.name, _node(link.origin))
        if self._cut(origin, link.origin_slot, slot.type):
            return None
        wanted = step.wanted or self._types.of_input(place, step.slot)
        return Step(origin, link.origin_slot, False, wanted)

    def _cut(self, origin: Place, output: int, wanted: str) -> bool:
        """True for a link that the client cuts on opening a file: what it carries turns out not to fit."""
        follows = origin.node.type in REROUTES or self._places.matched_output(origin, output) is not None
        return follows and not fits(self._types.of_output(origin, output), wanted)

    def _through_border(self, place: Place, host: Place, link: Link) -> Step | Source:
        if not 0 <= link.origin_slot < len(host.slots):
            told = _(
                "%(node)s is linked to input %(slot)s of its subgraph %(name)s, which has %(count)s.",
                node=place.named,
                slot=link.origin_slot,
                name=shown(host.title),
                count=len(host.slots),
            )
            raise _broken(place, "missing_slot", told)
        if host.slots[link.origin_slot].link is None:
            return self._held(host, link.origin_slot)
        return Step(host, link.origin_slot, True, None)

    def _held(self, host: Place, slot: int) -> Value | None:
        if (host, slot) not in self._shown:
            held = promoted_value(self._places, host, slot)
            self._shown[host, slot] = None if held is None else Value(held[0])
        return self._shown[host, slot]

    def _out_of(self, step: Step) -> Step | Source:
        place = step.place
        if place.node.mode == NEVER:
            return None
        virtual = place.definition is None and place.node.type in VIRTUAL
        offered = self._places.outputs_of(place)
        if not virtual and not 0 <= step.slot < offered:
            told = _(
                "%(node)s has %(outputs)s; a link takes number %(slot)s, counted from 0.",
                node=place.named,
                outputs=_("1 output") if offered == 1 else _("%(count)s outputs", count=offered),
                slot=step.slot,
            )
            raise _broken(place, "missing_slot", told)
        if place.node.mode == BYPASS:
            slot = self._types.bypass_slot(place, step.slot, step.wanted or "*")
            return None if slot is None else Step(place, slot, True, None)
        if place.definition is not None:
            return self._inside(step, place.definition)
        return self._virtual(step) if virtual else Output(place, step.slot)

    def _virtual(self, step: Step) -> Step | Source:
        place = step.place
        if place.node.type in REROUTES:
            return Step(place, step.slot, True, step.wanted)
        if place.node.type in GETTERS | SETTERS:
            setter = place if place.node.type in SETTERS else self._places.setter_for(place)
            if setter is None:
                told = _("%(node)s gets a value by a name that no node sets.", node=place.named)
                raise _broken(place, "dangling_link", told)
            return Step(setter, 0, True, step.wanted)
        return None

    def _inside(self, step: Step, definition: Graph) -> Step | Source:
        place = step.place
        link = next(self._places.outgoing_links(definition, step.slot), None)
        if link is None:
            return None
        if link.origin == BORDER_IN:
            if not 0 <= link.origin_slot < len(place.slots):
                return None
            return Step(place, link.origin_slot, True, None)
        inner = self._places.inside(place, link.origin)
        if inner is None:
            raise _dangling(place, definition.outputs[step.slot].name, _node(link.origin))
        if self._cut(inner, link.origin_slot, definition.outputs[step.slot].type):
            return None
        return Step(inner, link.origin_slot, False, step.wanted)

    def _link(self, place: Place, name: str, link_id: LinkId) -> Link:
        link = place.graph.links.get(link_id)
        if link is None:
            raise _dangling(place, name, _("link %(id)s", id=shown(link_id, quoted=False)))
        return link


def _broken(place: Place, code: str, told: Said) -> Broken:
    return Broken(Problem(place.id, None, code, told))


def _dangling(place: Place, name: str, what: Said) -> Broken:
    told = _(
        "%(node)s: %(input)s is linked to %(what)s, which the file does not have.",
        node=place.named,
        input=shown(name),
        what=what,
    )
    return Broken(Problem(place.id, name, "dangling_link", told))


def _node(node_id: str) -> Said:
    return _("node %(id)s", id=shown(node_id, quoted=False))
