"""What numbers a role may have: the limits of the inputs that its value reaches."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workflows.finding.found import Candidate
from workflows.finding.view import Place, View

LARGEST: Final = 2**64
"""No declared limit lies beyond, but a catalogue may say anything."""
UNBOUNDED: Final = 2**60
"""Primitives take any number; limits as wide say nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Least and most, and the step between; None where nothing is declared. ``usual`` is the default."""

    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    usual: float | None = None


def limits_of(view: View, candidate: Candidate) -> Limits:
    """The limits of a role's inputs together: those of the node that uses the number, not of a primitive."""
    found = [limits for target in candidate.targets if (limits := _at(view, (target.node, target.input)))]
    if not found:
        return Limits()
    least = max((one.minimum for one in found if one.minimum is not None), default=None)
    most = min((one.maximum for one in found if one.maximum is not None), default=None)
    if least is not None and most is not None and least > most:
        return found[0]
    return Limits(least, most, found[0].step, found[0].usual)


def dim_step(candidates: Sequence[Candidate], limits: Mapping[str, Limits]) -> int:
    """The step that width and height keep, such that the graph's own size is right."""
    step = 0
    for one in candidates:
        if one.role in ("width", "height"):
            declared = limits[one.role].step or 8
            own = one.value if isinstance(one.value, int) and one.value > 0 else 0
            step = math.gcd(step, max(1, int(declared)), own)
    return step or 1


def frame_rule(candidate: Candidate, limits: Limits) -> dict[str, int]:
    """The rule for frame counts: 4n+1 where the length steps by 4 from 1, and so on.

    The longest clip is the one the graph makes: nobody has said that a longer one fits.
    """
    multiple = max(1, int(limits.step or 1))
    least = max(1, int(limits.minimum or 1))
    plus = least % multiple
    own = candidate.value if isinstance(candidate.value, int) else int(limits.usual or least)
    most = max(least, own)
    most += (plus - most) % multiple
    return {"multiple": multiple, "plus": plus, "min": least, "max": most}


def _at(view: View, place: Place, depth: int = 0) -> Limits | None:
    """The limits at an input; of a primitive's, those behind it."""
    spec = view.specs(place[0]).get(place[1])
    here = _declared(spec.facts) if spec and spec.types & {"INT", "FLOAT"} else None
    narrow = here and (here.maximum is None or here.maximum < UNBOUNDED or "seed" in place[1])
    if here and narrow and len(view.given(place[0])) > 1:
        return here
    if depth < 6:
        for taker, _ in view.takers.get(place[0], ())[:8]:
            behind = _at(view, taker, depth + 1)
            if behind:
                return behind
    return None


def _declared(facts: Mapping[str, Any]) -> Limits:
    return Limits(*(_number(facts.get(name)) for name in ("min", "max", "step", "default")))


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST:
        return None
    return value
