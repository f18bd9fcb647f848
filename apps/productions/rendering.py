"""What rendering does to a shot's status: what the automations say (docs/statuses.md).

As shipped: work begins, work comes back. Signed-off shots are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from apps.productions.automations import Happening, happened
from apps.productions.models import Shot, Trigger


def shots_are_rendering(shots: Iterable[Shot], *, actor: str) -> int:
    """Jobs were submitted. Returns how many shots moved."""
    told = [Happening(shot=shot.pk, project=shot.project_id, actor=actor) for shot in shots]
    return len(happened(Trigger.RENDER_SUBMITTED, told))


def shot_has_take(shot: Shot, *, actor: str, stage: str = "") -> bool:
    """A take came back. Returns whether the shot moved."""
    return shots_have_takes([(shot, actor, stage, None)]) > 0


def shots_have_takes(came: Iterable[tuple[Shot, str, str, UUID | None]]) -> int:
    """Takes came back: of which shot, by whom, of which stage, and which. Returns how many shots moved."""
    told = [
        Happening(shot=shot.pk, project=shot.project_id, actor=actor, stage=stage, take=take)
        for shot, actor, stage, take in came
    ]
    return len(happened(Trigger.TAKE_ARRIVED, told))
