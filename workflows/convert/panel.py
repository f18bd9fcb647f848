"""The inputs and widgets of one node, made as ComfyUI's client makes them.

Saved values have no names, only places, so the widgets must stand in the client's order: those that are
not sent and those that are not saved as well. Two kinds change the panel while it is filled: a dynamic
combo, whose choice brings inputs of its own (``model.seed``), and a growing list, which has one free
input more than are linked (``images.image2``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.convert.declared import DYNAMIC, GROWING, MATCHED, Spec, inner_specs
from workflows.convert.document import Link, LinkId, Slot
from workflows.convert.widgets import CHOSEN, MAKERS, OPTION, Widget, widgets_for
from workflows.graph import MOST_INPUTS_OF_ONE


@dataclass(frozen=True, slots=True)
class Growth:
    """A growing list: ``images.image0``, ``images.image1``, … or the names it spells out."""

    group: str
    specs: tuple[Spec, ...]
    names: tuple[str, ...] | None
    prefix: str
    most: int

    def name(self, ordinal: int, key: str) -> str:
        if self.names is not None:
            inner = self.names[ordinal] if 0 <= ordinal < len(self.names) else "undefined"
        else:
            inner = f"{self.prefix if len(self.specs) == 1 else key}{ordinal}"
        return f"{self.group}.{inner}"

    def ordinal(self, name: str) -> int | None:
        inner = name[len(self.group) + 1 :]
        if self.names is not None:
            return self.names.index(inner) if inner in self.names else None
        digits = inner[len(inner.rstrip("0123456789")) :]
        return int(digits) if 0 < len(digits) < 6 else None


class Panel:
    """A node's inputs and widgets. ``slots`` and ``widgets`` are in the client's order."""

    def __init__(self, class_name: str) -> None:
        self.class_name = class_name
        self.slots: list[Slot] = []
        self.widgets: list[Widget] = []
        self.growing: dict[str, Growth] = {}
        self.matched: dict[str, dict[str, str]] = {}

    def copied(self) -> Panel:
        """A panel of its own with the same inputs, to be filled."""
        made = Panel(self.class_name)
        made.slots = [slot.twin() for slot in self.slots]
        made.widgets = [widget.twin() for widget in self.widgets]
        made.growing, made.matched = dict(self.growing), dict(self.matched)
        return made

    def widget(self, name: str | None) -> Widget | None:
        return next((widget for widget in self.widgets if widget.name == name), None)

    def slot(self, name: str) -> int | None:
        return next((index for index, slot in enumerate(self.slots) if slot.name == name), None)

    def add_all(self, specs: list[Spec]) -> None:
        """Make a class's inputs: first all that only a link can fill, then those with widgets."""
        for spec in specs:
            self._add_socket(spec)
        for spec in specs:
            self._add_widget(spec)
        if self.class_name == "CustomCombo":
            self.widgets.append(Widget("index", CHOSEN))
            self._add_option()

    def put(self, widget: Widget, value: Any, links: dict[LinkId, Link]) -> None:
        """Set a widget; a dynamic combo changes its inputs, an option of a custom combo adds the next."""
        widget.value = widget.restored(value)
        if widget.kind == DYNAMIC:
            self._choose(widget, links)
        elif widget.kind == OPTION and widget.value and widget is self.widgets[-1]:
            self._add_option()

    def grow(self, index: int, links: dict[LinkId, Link]) -> None:
        """If the input at ``index`` is a linked one of a growing list, make the next one after it."""
        slot = self.slots[index]
        growth = self.growing.get(slot.name.rpartition(".")[0])
        if growth is None or slot.link not in links:
            return
        ordinal = growth.ordinal(slot.name)
        if ordinal is not None:
            self._grow(ordinal + 1, growth)

    def _add_option(self) -> None:
        if len(self.widgets) < MOST_INPUTS_OF_ONE:
            self.widgets.append(Widget(f"option{len(self.widgets) - 1}", OPTION, ""))

    def _add(self, spec: Spec) -> None:
        self._add_socket(spec)
        self._add_widget(spec)

    def _add_socket(self, spec: Spec) -> None:
        if spec.widget_type in MAKERS:
            return
        if spec.type == GROWING:
            self._add_growing(spec)
        elif spec.type == MATCHED:
            self._add_matched(spec)
        else:
            self.slots.append(Slot(spec.name, spec.type))

    def _add_widget(self, spec: Spec) -> None:
        if spec.widget_type not in MAKERS:
            return
        made = widgets_for(spec, self.class_name, self.widgets)
        self.widgets += made
        if spec.widget_type == DYNAMIC:
            self._choose(made[0], {})
        self.slots.append(Slot(spec.name, spec.type, None, spec.name))

    def _add_matched(self, spec: Spec) -> None:
        template = _template(spec)
        allowed, group = str(template.get("allowed_types", "*")), str(template.get("template_id"))
        self._add(spec.typed(allowed))
        self.matched[group] = {**self.matched.get(group, {}), spec.name: allowed}

    def _add_growing(self, spec: Spec) -> None:
        template = _template(spec)
        names = template.get("names")
        listed = tuple(map(str, names)) if isinstance(names, list) else None
        growth = Growth(
            spec.name,
            tuple(inner_specs(template.get("input"))),
            listed,
            str(template.get("prefix", "")),
            len(listed) if listed is not None else _count(template.get("max"), 100),
        )
        self.growing[spec.name] = growth
        for ordinal in range(max(1, _count(template.get("min"), 1) + 1)):
            self._grow(ordinal, growth)

    def _grow(self, ordinal: int, growth: Growth) -> None:
        if ordinal >= growth.most or not growth.specs:
            return
        made = []
        for spec in growth.specs:
            self._add(spec.named(growth.name(ordinal, spec.name)))
            made.append(self.slots.pop())
        for slot in made:
            for old in [old for old in self.slots if old.name == slot.name]:
                self.slots.remove(old)
                slot.link = old.link if slot.link is None else slot.link
        before = growth.name(ordinal - 1, growth.specs[-1].name)
        places = [index for index, slot in enumerate(self.slots) if slot.name.startswith(before)]
        at = places[-1] + 1 if places else len(self.slots)
        self.slots[at:at] = made

    def _choose(self, widget: Widget, links: dict[LinkId, Link]) -> None:
        """Replace the inputs of a dynamic combo's old choice by the new one's, keeping links by name."""
        prefix = f"{widget.name}."
        gone = [slot for slot in self.slots if slot.name.startswith(prefix)]
        self.slots = [slot for slot in self.slots if not slot.name.startswith(prefix)]
        self.widgets = [other for other in self.widgets if not other.name.startswith(prefix)]
        chosen = _choices(widget).get(widget.value) if isinstance(widget.value, str) else None
        if chosen is None:
            return
        at, first_widget, first_slot = self.widgets.index(widget) + 1, len(self.widgets), len(self.slots)
        for spec in inner_specs(chosen, prefix):
            self._add(spec)
        added = self.widgets[first_widget:]
        del self.widgets[first_widget:]
        self.widgets[at:at] = added
        own = self.slot(widget.name)
        if own is None:
            return
        made = self.slots[first_slot:]
        del self.slots[first_slot:]
        self.slots[own + 1 : own + 1] = made
        for slot in gone:
            index = self.slot(slot.name)
            if index is not None:
                self.slots[index].link = slot.link
                self.grow(index, links)


def _template(spec: Spec) -> Mapping[str, Any]:
    template = spec.facts.get("template")
    return template if isinstance(template, Mapping) else {}


def _count(value: object, otherwise: int) -> int:
    return min(value, MOST_INPUTS_OF_ONE) if isinstance(value, int) else otherwise


def _choices(widget: Widget) -> dict[str, Any]:
    options = widget.spec.facts.get("options") if widget.spec else None
    rows = options if isinstance(options, list) else []
    return {str(row.get("key")): row.get("inputs") or {} for row in rows if isinstance(row, dict)}
