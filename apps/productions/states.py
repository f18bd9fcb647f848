"""The shot's machine. Its states are rows (ShotStatus), so a studio can rename what people read."""

from __future__ import annotations

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
SHOT: Final = Machine(
    name="shot",
    field="status_id",
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
