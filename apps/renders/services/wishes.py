"""The trace of what people want of jobs, batches, projects and the farm: event rows beside those of states.

A wish is a column, never a state; who wished what and when stands in the same story (design §4, invariant 8).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from apps.common.models import StateEvent
from apps.renders.models import Job

JOB_WISH: Final = "job_wish"
BATCH_WISH: Final = "batch_wish"
PROJECT_WISH: Final = "project_wish"
FARM_WISH: Final = "farm_wish"

PAUSED: Final = "paused"
RESUMED: Final = "resumed"
CHANGED: Final = "changed"

OF_THE_FARM: Final = UUID(int=0)
"""The story of what is wished of the farm as a whole."""

Changes = Mapping[str, tuple[Any, Any]]
"""Old and new value by the name of a job's column."""


def wish(
    machine: str,
    subject: UUID,
    to: str,
    *,
    actor: str,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> StateEvent:
    """Make the event row of a wish; the caller saves it, with others if there are others."""
    return StateEvent(
        story=subject,
        machine=machine,
        subject=subject,
        to_state=to,
        actor=actor,
        reason=reason,
        data=data or {},
    )


def wish_of(job: Job, changes: Changes, *, actor: str, reason: str = "") -> StateEvent:
    """Make the event row of a change to one job."""
    paused = changes.get("paused")
    to = CHANGED if paused is None else PAUSED if paused[1] else RESUMED
    told = {name: [_plain(old), _plain(new)] for name, (old, new) in changes.items()}
    return wish(JOB_WISH, job.pk, to, actor=actor, reason=reason, data={"changes": told})


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, bool | int | str) else str(value)
