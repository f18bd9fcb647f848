"""How a number is rounded and kept in its range when a primitive writes it into a widget."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from workflows.convert.widgets import Widget

Facts = Mapping[str, Any]

LARGEST: Final = 1e15
"""Larger numbers stay as they are: a browser cannot round them."""
NOT_COMPARED: Final = frozenset(
    {
        "min", "max", "step", "default", "forceInput", "defaultInput", "control_after_generate",
        "multiline", "tooltip", "dynamicPrompts",
    }
)  # fmt: skip
"""What may differ between the inputs that one primitive writes to."""


def within_limits_of_all(value: Any, widgets: list[Widget]) -> Any:
    """A number as a primitive keeps it: in the range, and a multiple of the steps, of all it is linked to.

    An input that does not go together with those before it has no say.
    """
    if not widgets or widgets[0].spec is None or widgets[0].kind not in {"INT", "FLOAT"}:
        return value
    kind, facts = widgets[0].kind, widgets[0].spec.facts
    for widget in widgets:
        merged = _merged(facts, widget.spec.facts) if widget.spec and widget.kind == kind else None
        if merged is not None and _is_small(value):
            facts = merged
            least, most = _figure(facts, "min", -math.inf), _figure(facts, "max", math.inf)
            value = _rounded(min(max(value, least), most), kind, facts)
    return value


def within_limits(value: Any, widget: Widget) -> Any:
    """A number as its widget rounds it: a whole one to its step, another to its precision and range."""
    if widget.spec is None or not _is_small(value):
        return value
    return _rounded(value, widget.kind, widget.spec.facts)


def _is_small(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST < value < LARGEST


def _merged(one: Facts, other: Facts) -> Facts | None:
    """What two inputs declare together; None if they do not go together."""
    least = max(_figure(one, "min", -math.inf), _figure(other, "min", -math.inf))
    most = min(_figure(one, "max", math.inf), _figure(other, "max", math.inf))
    if least > most or any(one.get(key) != other.get(key) for key in {*one, *other} - NOT_COMPARED):
        return None
    step = _common_multiple(_figure(one, "step", 1), _figure(other, "step", 1))
    return {**one, **other, "min": least, "max": most, "step": step}


def _common_multiple(one: float, other: float) -> float:
    if one == other:
        return one
    if one == int(one) and other == int(other) and one and other:
        return math.lcm(int(one), int(other))
    return max(one, other)


def _rounded(value: float, kind: str, facts: Facts) -> float:
    if kind == "INT":
        return _stepped(value, facts)
    return _precise(value, facts) if kind == "FLOAT" else value


def _stepped(value: float, facts: Facts) -> float:
    step = _figure(facts, "step", 1) or 1
    if step == 1:
        return _half_up(value)
    least = _figure(facts, "min", 0)
    offset = math.fmod(least, step) if math.isfinite(least) else 0
    return _whole(_half_up((value - offset) / step) * step + offset)


def _precise(value: float, facts: Facts) -> float:
    step = _figure(facts, "step", 0.5)
    precision = min(15, max(0, -math.floor(math.log10(step)))) if step > 0 else 0
    unit = _figure(facts, "round", 0) or (10.0**-precision if precision else 0)
    if not unit or abs(value / unit) > LARGEST:
        return value
    near = round(_half_up(value / unit) * unit, precision)
    return _whole(min(max(near, _figure(facts, "min", 0)), _figure(facts, "max", 2048)))


def _figure(facts: Facts, name: str, otherwise: float) -> float:
    """A declared number, if it is one that can be reckoned with."""
    match facts.get(name):
        case bool():
            return otherwise
        case int() | float() as value if -1e300 < value < 1e300:
            return value
    return otherwise


def _half_up(value: float) -> int:
    return value if isinstance(value, int) else math.floor(value + 0.5)


def _whole(value: float) -> float:
    """JSON of a browser has no 3.0: a float that is whole is written as a whole number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
