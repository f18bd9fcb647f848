"""Judge one input of one node as ComfyUI does before it queues a graph; say what would be right."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from workflows.catalogue import COMBO, DYNAMIC_COMBO, MATCHED, InputSpec, ObjectInfo, types_of
from workflows.convert.saying import fault_of, shown
from workflows.graph import Graph, is_link, is_model_file, linked_node, plain_value
from workflows.nearest import Search
from workflows.problems import MODEL
from workflows.wording import Said
from workflows.wording import said as _

EXCEPTION: Final = "exception_during_validation"
"""ComfyUI stumbles; told of an inner node, its code is INNER_EXCEPTION."""
INNER_EXCEPTION: Final = "exception_during_inner_validation"

LINK_ONLY: Final = frozenset(
    {"MODEL", "CLIP", "VAE", "CONDITIONING", "LATENT", "IMAGE", "MASK", "VIDEO", "AUDIO", "CONTROL_NET"}
)
"""Types that only another node can give. ComfyUI fails on them while executing, not before."""

SELF_CHECKED: Final[Mapping[str, frozenset[str]]] = {
    "LoadImage": frozenset({"image"}),
    "LoadImageMask": frozenset({"image"}),
    "LoadImageOutput": frozenset({"image"}),
    "LoadVideo": frozenset({"file"}),
    "LoadAudio": frozenset({"audio"}),
    "LoadLatent": frozenset({"latent"}),
    "CustomCombo": frozenset({"choice"}),
}
"""Core classes that judge these inputs themselves: no list and no range counts there."""

_LISTED_AT_MOST: Final = 12


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with an input: ComfyUI's code, and words that go on after the input's name."""

    code: str
    text: Said
    late: bool = False
    missing: str | None = None
    name: str | None = None
    nearest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bench:
    """What inputs are judged against. ``uploaded``: the input folder's files; None where they are not judged.

    ``other_files``: every model file the catalogue lists anywhere, asked for when a folder has none alike.
    """

    graph: Graph
    object_info: ObjectInfo
    uploaded: Collection[str] | None
    other_files: Callable[[], Collection[str]]
    search: Search = field(default_factory=Search)
    _listed: dict[int, tuple[Sequence[Any], frozenset[str]]] = field(default_factory=dict)

    def input_finding(self, class_type: str, spec: InputSpec, value: Any) -> Finding | None:
        """Return what is wrong with this value or link, or None. Follows no link."""
        fault = fault_of(value)
        if fault is not None:
            return Finding("invalid_input_type", _("holds %(fault)s; write a plain value", fault=fault))
        if is_link(value):
            return self._link_finding(spec, value)
        if spec.types <= LINK_ONLY:
            text = _(
                "takes a link from a node that gives %(type)s, not the value %(value)s",
                type=spec.type,
                value=shown(value),
            )
            return Finding("link_expected", text, late=True)
        plain = plain_value(value)
        if spec.takes_uploads:
            return self._upload_finding(plain)
        number, finding = _number(spec, plain)
        if finding or spec.name in SELF_CHECKED.get(class_type, ()):
            return finding
        return _range_finding(spec, number) or self._choice_finding(spec, number)

    def follows(self, spec: InputSpec, value: object, finding: Finding | None) -> str | None:
        """Return the node behind a link that ComfyUI would look at next: a sound one of a fitting type.

        ``finding``: what was found about the input, if anything.
        """
        source = linked_node(value)
        if source is None or source not in self.graph or spec.declared == DYNAMIC_COMBO:
            return None
        return source if finding is None or finding.late else None

    def _link_finding(self, spec: InputSpec, link: Any) -> Finding | None:
        if len(link) != 2:
            text = _("is %(value)s, which is no link; a link is [node id, output slot]", value=shown(link))
            return Finding("bad_linked_input", text)
        source, slot = link
        if not isinstance(source, str) or source not in self.graph:
            text = _("links to node %(id)s, which is not in the graph", id=shown(source, quoted=False))
            return Finding(EXCEPTION, text)
        giver = self.object_info.get(_class_of(self.graph, source))
        if giver is None:
            return None  # reported at the giver itself
        return _slot_finding(spec, source, slot, giver["output"])

    def _upload_finding(self, value: object) -> Finding | None:
        if self.uploaded is None or (isinstance(value, str) and value in self.uploaded):
            return None
        text = _("%(value)s is not in this ComfyUI's input folder; upload it first", value=shown(value))
        # an empty name is the folder itself, which is there: ComfyUI stumbles over it when it executes
        return Finding("custom_validation_failed", text, late=value == "")

    def _choice_finding(self, spec: InputSpec, value: object) -> Finding | None:
        if spec.type != COMBO or (spec.options is None and spec.facts.get("remote_combo")):
            return None
        options = spec.options or ()
        late = spec.declared == DYNAMIC_COMBO
        chosen = value if isinstance(value, list) and spec.facts.get("multiselect") else [value]
        absent = [one for one in chosen if not self._is_listed(one, options)]
        if not absent:
            return None
        if is_model_file(absent[0]):
            return self._absent_model(str(absent[0]), options)
        if not options:
            text = _(
                "%(value)s is not a choice; this ComfyUI has nothing to choose from", value=shown(absent[0])
            )
            return Finding("value_not_in_list", text, late)
        listed = ", ".join(shown(option) for option in options[:_LISTED_AT_MOST])
        more = ", …" if len(options) > _LISTED_AT_MOST else ""
        text = _(
            "%(value)s is not a choice; it takes %(choices)s", value=shown(absent[0]), choices=listed + more
        )
        return Finding("value_not_in_list", text, late)

    def _is_listed(self, value: object, options: Sequence[Any]) -> bool:
        """Whether a list has a value; a long list is read once.

        A Windows node lists ``sub\\model.safetensors``; the worker writes names as its node lists them.
        """
        if not isinstance(value, str):
            return value in options
        if id(options) not in self._listed:
            texts = [option for option in options if isinstance(option, str)]
            files = [option.replace("\\", "/") for option in texts if is_model_file(option)]
            # the list itself is kept too: its id stays its own
            self._listed[id(options)] = options, frozenset([*texts, *files])
        listed = self._listed[id(options)][1]
        return value in listed or (is_model_file(value) and value.replace("\\", "/") in listed)

    def _absent_model(self, file: str, options: Collection[Any]) -> Finding:
        nearest = self.search.files(file, options, self.other_files)
        text = _("the model file %(file)s is not on this ComfyUI", file=shown(file))
        if nearest:
            names = ", ".join(shown(name) for name in nearest)
            text = _("%(sentence)s; nearest: %(names)s", sentence=text, names=names)
        return Finding("value_not_in_list", text, False, MODEL, file, nearest)


def _class_of(graph: Graph, node: str) -> str:
    return str(graph[node].get("class_type"))


def _slot_finding(spec: InputSpec, source: str, slot: Any, outputs: Sequence[Any]) -> Finding | None:
    if not isinstance(slot, int) or not -len(outputs) <= slot < len(outputs):
        count = len(outputs)
        text = _("links to %(slot)s, which has %(count)s outputs", slot=_slot(source, slot), count=count)
        return Finding(EXCEPTION, text)
    fits = _fits(outputs[slot], spec.declared)
    if not fits or (spec.declared == MATCHED and not _overlap(outputs[slot], spec.type)):
        text = _(
            "takes %(type)s, but %(slot)s gives %(given)s",
            type=spec.type,
            slot=_slot(source, slot),
            given=_said(outputs[slot]),
        )
        return Finding("return_type_mismatch", text, late=fits)
    if slot < 0:
        text = _("links to %(slot)s; slots count from 0", slot=_slot(source, slot))
        return Finding("bad_linked_input", text, late=True)
    return None


def _slot(source: str, slot: object) -> str:
    return _("slot %(slot)s of node %(id)s", slot=shown(slot), id=shown(source, quoted=False))


def _said(declared: object) -> str:
    return COMBO if isinstance(declared, list) else str(declared)


def _fits(received: object, wanted: object) -> bool:
    """Whether ComfyUI lets an output of this type into an input of that one."""
    if received == wanted or "*" in (received, wanted) or MATCHED in (received, wanted):
        return True
    if isinstance(received, list) and wanted == COMBO:
        return True
    if not isinstance(received, str) or not isinstance(wanted, str):
        return False
    return _overlap(received, wanted)


def _overlap(received: object, wanted: object) -> bool:
    given, taken = types_of(received), types_of(wanted)
    return "*" in given or "*" in taken or bool(given & taken)


def _number(spec: InputSpec, value: Any) -> tuple[Any, Finding | None]:
    """The value as ComfyUI reads it, which makes a number of "20"; or what it is not."""
    if spec.type not in ("INT", "FLOAT"):
        return value, None
    try:
        number = int(value) if spec.type == "INT" else float(value)
    except (TypeError, ValueError, OverflowError):
        text = _("%(value)s is not %(kind)s", value=shown(value), kind=_kind(spec))
        return value, Finding("invalid_input_type", text)
    if isinstance(number, float) and not math.isfinite(number):
        text = _("%(value)s is no finite number", value=shown(value))
        return value, Finding("invalid_input_type", text, late=True)
    return number, None


def _kind(spec: InputSpec) -> Said:
    low, high = spec.facts.get("min"), spec.facts.get("max")
    kind = _("a whole number (INT)") if spec.type == "INT" else _("a number (FLOAT)")
    if low is None or high is None:
        return kind
    return _("%(kind)s from %(low)s to %(high)s", kind=kind, low=str(low), high=str(high))


def _range_finding(spec: InputSpec, value: Any) -> Finding | None:
    low, high = spec.facts.get("min"), spec.facts.get("max")
    try:
        if "min" in spec.facts and value < low:
            text = _("%(value)s is below the least allowed, %(limit)s", value=shown(value), limit=str(low))
            return Finding("value_smaller_than_min", text)
        if "max" in spec.facts and value > high:
            text = _("%(value)s is above the most allowed, %(limit)s", value=shown(value), limit=str(high))
            return Finding("value_bigger_than_max", text)
    except TypeError:
        text = _(
            "%(value)s is no number to compare with %(low)s and %(high)s",
            value=shown(value),
            low=str(low),
            high=str(high),
        )
        return Finding(EXCEPTION, text)
    return None
