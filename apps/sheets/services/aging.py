"""What nobody confirms does not stay for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.core.files.storage import default_storage
from django.utils import timezone

from apps.common.machines import move
from apps.projects.models import Project
from apps.sheets.models import ImportBatch, ImportRow
from apps.sheets.states import BATCH, OPEN, BatchState

KEPT_OPEN: Final = timedelta(days=30)
"""An import that nobody confirmed in this time is planned on a project that has long gone on."""
AT_ONCE: Final = 20


def expire(project: Project) -> int:
    """Close this project's imports that nobody confirmed for a month; their files and plans go."""
    old = ImportBatch.objects.filter(
        project=project, state__in=OPEN, work="", updated_at__lt=timezone.now() - KEPT_OPEN
    )
    closed = 0
    for batch in old[:AT_ONCE]:
        if move(
            BATCH, batch, from_=OPEN, to=BatchState.EXPIRED, actor="farm", reason="not confirmed in a month"
        ):
            forget(batch)
            closed += 1
    return closed


def forget(batch: ImportBatch) -> None:
    """Take a closed import's file and plan away; what it was, and its report, stay."""
    ImportRow.objects.filter(batch=batch).delete()
    default_storage.delete(batch.key)
