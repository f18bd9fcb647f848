"""The shot's machine. Its states are rows (ShotStatus), so a studio can rename what people read.

A studio may add rows of its own, such as “client review”: shades of a state. What may happen to a shot is
decided by its state alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from apps.common.machines import Machine

DRAFT: Final = "draft"
READY: Final = "ready"
IN_PROGRESS: Final = "in_progress"
REVIEW: Final = "review"
APPROVED: Final = "approved"
FINAL: Final = "final"
ON_HOLD: Final = "on_hold"
OMITTED: Final = "omitted"

_ASIDE = frozenset({ON_HOLD, OMITTED})
LEFT_ALONE: Final = frozenset({FINAL, ON_HOLD, OMITTED})
"""What somebody signed off or put aside, nothing moves by itself."""

SHOT: Final = Machine(
    name="shot",
    field="status_id",
    shade="studio_status",
    moves={
        "": frozenset({DRAFT, READY}),
        DRAFT: frozenset({READY, IN_PROGRESS}) | _ASIDE,
        READY: frozenset({DRAFT, IN_PROGRESS, REVIEW}) | _ASIDE,
        IN_PROGRESS: frozenset({READY, REVIEW}) | _ASIDE,
        REVIEW: frozenset({READY, IN_PROGRESS, APPROVED}) | _ASIDE,
        APPROVED: frozenset({READY, REVIEW, FINAL}) | _ASIDE,
        FINAL: frozenset({APPROVED}),
        ON_HOLD: frozenset({DRAFT, READY, OMITTED}),
        OMITTED: frozenset({DRAFT, READY}),
    },
)

LABEL: Final = "shot_label"
"""The name of events that tell of a change from one shade of a state to another: no move of the machine."""


def way(source: str, to: str) -> tuple[str, ...] | None:
    """The shortest legal way between two states, ends included, that leads through nothing signed off or put
    aside; None if there is none.
    """
    found: dict[str, tuple[str, ...]] = {source: (source,)}
    front: Iterable[str] = [source]
    while front and to not in found:
        following = []
        for state in front:
            for target in sorted(SHOT.moves[state] - found.keys()):
                if target == to or target not in LEFT_ALONE:
                    found[target] = (*found[state], target)
                    following.append(target)
        front = following
    return found.get(to)
