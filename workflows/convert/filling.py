"""Fill a node's panel from the file: links by name, saved values by place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.catalogue import ObjectInfo
from workflows.convert.declared import COMBO, DYNAMIC, Spec, specs_of
from workflows.convert.document import Link, LinkId, Node
from workflows.convert.panel import Panel
from workflows.convert.widgets import OPTION, UNSET, Widget
from workflows.graph import MOST_INPUTS_OF_ONE


class Panels:
    """Makes panels of known classes, each class's empty one once."""

    def __init__(self, object_info: ObjectInfo) -> None:
        self._object_info = object_info
        self._empty: dict[str, tuple[Panel, list[Spec]]] = {}

    def filled(self, node: Node, links: dict[LinkId, Link]) -> Panel:
        """The panel of a node whose class the catalogue has, with the links and values of the file."""
        empty, specs = self._of(node.type)
        panel = empty.copied()
        _link(panel, node, links)
        _fill(panel, node, specs, links)
        _mend(panel, links)
        _drop_stale(panel)
        return panel

    def _of(self, class_name: str) -> tuple[Panel, list[Spec]]:
        if class_name not in self._empty:
            specs = specs_of(class_name, self._object_info[class_name])
            panel = Panel(class_name)
            panel.add_all(specs)
            self._empty[class_name] = panel, specs
        return self._empty[class_name]


def _link(panel: Panel, node: Node, links: dict[LinkId, Link]) -> None:
    """Give declared inputs the file's links and take over what the file has besides; then let lists grow."""
    saved = {slot.name: slot for slot in node.inputs}
    declared = {slot.name for slot in panel.slots}
    for slot in panel.slots:
        slot.link = saved[slot.name].link if slot.name in saved else None
    panel.slots += [slot for slot in node.inputs if slot.name not in declared]
    index = 0
    while panel.growing and index < min(len(panel.slots), MOST_INPUTS_OF_ONE):
        panel.grow(index, links)
        index += 1


def _fill(panel: Panel, node: Node, specs: list[Spec], links: dict[LinkId, Link]) -> None:
    if isinstance(node.values, Mapping):
        for name, value in node.values.items():
            widget = panel.widget(name)
            if widget is not None:
                panel.put(widget, value, links)
        return
    values = iter(_without_sockets(node.values, panel, specs))
    index = 0
    while index < len(panel.widgets):
        widget = panel.widgets[index]
        index += 1
        if not widget.saved:
            continue
        value = next(values, UNSET)
        if value is UNSET:
            return
        panel.put(widget, value, links)


def _without_sockets(values: list[Any], panel: Panel, specs: list[Spec]) -> list[Any]:
    """Leave out what files of early 2025 and before hold for inputs that only a link can fill."""
    forced: list[bool] = []
    names = {widget.name for widget in panel.widgets}
    for spec in specs:
        only_link = bool(spec.facts.get("forceInput"))
        if only_link or spec.name in names:
            forced += [only_link, False] if spec.facts.get("control_after_generate") else [only_link]
    if len(forced) != len(values) or not any(forced):
        return values
    return [value for value, dropped in zip(values, forced, strict=True) if not dropped]


def _mend(panel: Panel, links: dict[LinkId, Link]) -> None:
    """A list of choices is never left without one; samplers lose a prefix they had in 2023."""
    for widget in list(panel.widgets):
        if widget.kind in {COMBO, DYNAMIC} and (widget.value is None or widget.value is UNSET):
            choices = _choices(panel, widget)
            if choices:
                panel.put(widget, choices[0], links)
        elif (
            widget.name == "sampler_name"
            and panel.class_name in {"KSampler", "KSamplerAdvanced"}
            and isinstance(widget.value, str)
        ):
            widget.value = widget.value.removeprefix("sample_")


def _drop_stale(panel: Panel) -> None:
    """Drop inputs of widgets that are no more; as in the client, the one after a dropped one is kept."""
    there = {None, *(widget.name for widget in panel.widgets)}
    index = 0
    while index < len(panel.slots):
        if panel.slots[index].widget not in there:
            del panel.slots[index]
        index += 1


def _choices(panel: Panel, widget: Widget) -> list[Any]:
    if panel.class_name == "CustomCombo":
        return [str(option.value) for option in panel.widgets if option.kind == OPTION and option.value]
    if widget.spec is None:
        return []
    options = widget.spec.facts.get("options")
    if widget.kind == DYNAMIC and isinstance(options, list):
        return [row.get("key") for row in options if isinstance(row, dict)]
    return widget.spec.options
