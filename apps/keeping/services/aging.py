"""Archives that nobody writes are asked for again, and those that have lain long enough go."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from apps.common.machines import move
from apps.keeping.models import ProjectArchive
from apps.keeping.services.asking import take_away
from apps.keeping.services.queueing import request_archive
from apps.keeping.states import ARCHIVE, ArchiveState

logger = logging.getLogger(__name__)

PATIENCE: Final = timedelta(minutes=5)
"""A message that nobody read for so long may be lost; twice does no harm."""
SILENCE: Final = timedelta(minutes=10)
"""A worker that said nothing for so long is dead: it says something with every piece of a file."""
AT_ONCE: Final = 20


def look_after_archives() -> None:
    """Give back what dead workers had in hand, ask again for what waits, take away what expired."""
    now = timezone.now()
    silent = ProjectArchive.objects.filter(state=ArchiveState.WORKING, beat_at__lt=now - SILENCE)
    for archive in silent[:AT_ONCE]:
        move(
            ARCHIVE,
            archive,
            from_=(ArchiveState.WORKING,),
            to=ArchiveState.WANTED,
            actor="farm",
            reason="its worker is gone",
            where={"beat_at__lt": now - SILENCE},
            changes={"run": None, "done": 0, "asked_at": now - 2 * PATIENCE},
        )
    waiting = ProjectArchive.objects.filter(state=ArchiveState.WANTED, asked_at__lt=now - PATIENCE)
    for key in list(waiting.order_by("asked_at").values_list("pk", flat=True)[:AT_ONCE]):
        ProjectArchive.objects.filter(pk=key).update(
            asked_at=now, row_version=F("row_version") + 1, updated_at=Now()
        )
        request_archive(key)
    expired = ProjectArchive.objects.filter(state=ArchiveState.READY, expires_at__lt=now)
    for archive in expired.order_by("expires_at")[:AT_ONCE]:
        take_away(archive, actor="farm", reason="it has lain there long enough")
        logger.info("archive taken away", extra={"archive": str(archive.pk)})
