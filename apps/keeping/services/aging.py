"""Archives that nobody writes are asked for again, and those that have lain long enough go."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.files.storage import default_storage
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.common.machines import move
from apps.common.models import StateEvent
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
TRIES: Final = 3
"""Workers that may die of one archive: it is the archive then, and others wait for the media worker."""


def look_after_archives() -> None:
    """Give back what dead workers had in hand, ask again for what waits, take away what expired."""
    now = timezone.now()
    silent = ProjectArchive.objects.filter(state=ArchiveState.WORKING, beat_at__lt=now - SILENCE)
    for archive in silent[:AT_ONCE]:
        _take_back(archive, now)
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


def _take_back(archive: ProjectArchive, now: datetime) -> None:
    """Give an archive whose worker is gone to the next, or give it up; what was written of it goes."""
    begun = StateEvent.objects.filter(
        machine=ARCHIVE.name, story=archive.pk, to_state=ArchiveState.WORKING
    ).count()
    to = ArchiveState.WANTED
    changes: dict[str, Any] = {"run": None, "done": 0, "asked_at": now - 2 * PATIENCE}
    if begun >= TRIES:
        told = _("It was begun %s times, and each time its media worker died or stood still.") % begun
        to, changes = ArchiveState.FAILED, {"problem": told}
    moved = move(
        ARCHIVE,
        archive,
        from_=(ArchiveState.WORKING,),
        to=to,
        actor="farm",
        reason="its worker is gone",
        where={"beat_at__lt": now - SILENCE, "run": archive.run},
        changes=changes,
    )
    if moved and archive.run is not None:
        # A worker that dies before it says that the file is whole leaves one that no row names.
        default_storage.delete(archive.key_of(archive.run))
