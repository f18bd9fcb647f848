"""Whether a class of a node catalogue has the form that is read here: what a node tells is not believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from workflows.catalogue import COMBO, DYNAMIC_COMBO, GROWING, MATCHED, ObjectInfo

DEEPEST: Final = 6
"""How deep choices may bring inputs with choices of their own."""


def sound(object_info: Mapping[str, Any]) -> ObjectInfo:
    """Return the catalogue without the classes whose inputs or outputs cannot be read."""
    return {name: node_class for name, node_class in object_info.items() if is_sound(node_class)}


def is_sound(node_class: object) -> bool:
    """Tell whether a class has inputs and outputs as ComfyUI writes them."""
    return (
        isinstance(node_class, Mapping)
        and isinstance(node_class.get("output"), list)
        and _are_inputs(node_class.get("input"), DEEPEST)
    )


def _are_inputs(inputs: object, depth: int) -> bool:
    if not isinstance(inputs, Mapping) or depth == 0:
        return False
    sections = [inputs.get("required") or {}, inputs.get("optional") or {}]
    return all(
        isinstance(section, Mapping) and all(_is_input(spec, depth) for spec in section.values())
        for section in sections
    )


def _is_input(spec: object, depth: int) -> bool:
    if not isinstance(spec, list) or not spec or not isinstance(spec[0], str | list):
        return False
    facts = spec[1] if len(spec) > 1 else {}
    if not isinstance(facts, Mapping):
        return False
    check = _KINDS.get(spec[0]) if isinstance(spec[0], str) else None
    return check(facts, depth) if check else True


def _chooses(facts: Mapping[str, Any], _depth: int) -> bool:
    return isinstance(facts.get("options", []), list)


def _brings(facts: Mapping[str, Any], depth: int) -> bool:
    options = facts.get("options")
    return isinstance(options, list) and all(
        isinstance(option, Mapping) and "key" in option and _are_inputs(option.get("inputs"), depth - 1)
        for option in options
    )


def _grows(facts: Mapping[str, Any], depth: int) -> bool:
    template = facts.get("template")
    if not isinstance(template, Mapping) or not isinstance(template.get("min"), int):
        return False
    named = isinstance(template.get("names"), list) and bool(template["names"])
    numbered = isinstance(template.get("prefix"), str) and isinstance(template.get("max"), int)
    return (named or numbered) and _are_inputs(template.get("input"), depth - 1)


def _matches(facts: Mapping[str, Any], _depth: int) -> bool:
    template = facts.get("template")
    return isinstance(template, Mapping) and isinstance(template.get("allowed_types"), str)


_KINDS: Final[Mapping[str, Callable[[Mapping[str, Any], int], bool]]] = {
    COMBO: _chooses,
    DYNAMIC_COMBO: _brings,
    GROWING: _grows,
    MATCHED: _matches,
}
