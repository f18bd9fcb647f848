"""The media worker writes an archive: straight into the store, whole or not at all, once whoever asks."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from apps.common import news
from apps.common.errors import Refused
from apps.common.machines import move
from apps.keeping.filling import Filling
from apps.keeping.models import ProjectArchive
from apps.keeping.states import ARCHIVE, ArchiveState
from apps.keeping.zipping import Packing
from apps.review.services.keeping import forget_parts, writing

logger = logging.getLogger(__name__)

ACTOR: Final = "media"
EVERY_S: Final = 1.0


class Stopped(Exception):
    """Somebody cancelled the archive, or another worker writes it now."""


class Beating:
    """Says now and then how far it is. Raises Stopped where nobody waits for this writing any more."""

    def __init__(self, archive: ProjectArchive, run: UUID) -> None:
        self._mine = ProjectArchive.objects.filter(pk=archive.pk, run=run, state=ArchiveState.WORKING)
        self._id = archive.pk
        self._done = 0
        self._last = time.monotonic()

    def __call__(self, more: int = 0) -> None:
        """``more``: bytes of media since the last word."""
        self._done += more
        now = time.monotonic()
        if now - self._last >= EVERY_S:
            self._last = now
            if not self._mine.update(beat_at=timezone.now(), done=self._done):
                raise Stopped
            news.tell(ARCHIVE.name, [self._id])


def write_archive(archive_id: UUID) -> None:
    """Write an archive that waits. A second call meanwhile, or afterwards, changes nothing."""
    archive = ProjectArchive.objects.select_related("project", "by").filter(pk=archive_id).first()
    run = uuid4()
    if archive is None or not _begin(archive, run):
        logger.info("no archive to write", extra={"archive": str(archive_id)})
        return
    forget_parts(archive.folder)
    language = archive.by.language if archive.by else ""
    try:
        with translation.override(language or settings.LANGUAGE_CODE):
            filling = _write(archive, run)
    except Stopped:
        logger.info("archive given up", extra={"archive": str(archive_id)})
    except (OSError, Refused) as exc:
        logger.warning("archive failed", extra={"archive": str(archive_id), "error": str(exc)})
        told = _("It could not be written: %s") % exc
        _end(archive, run, ArchiveState.FAILED, reason=told, problem=told)
    else:
        logger.info("archive written", extra={"archive": str(archive_id), "files": filling.files})


def _begin(archive: ProjectArchive, run: UUID) -> bool:
    changes = {"run": run, "beat_at": timezone.now(), "done": 0, "total": 0}
    return move(
        ARCHIVE,
        archive,
        from_=(ArchiveState.WANTED,),
        to=ArchiveState.WORKING,
        actor=ACTOR,
        changes=changes,
    )


def _write(archive: ProjectArchive, run: UUID) -> Filling:
    key = archive.key_of(run)
    with writing(key) as target, Packing(target, at=timezone.now()) as packing:
        filling = Filling(archive, packing, Beating(archive, run))
        mine = ProjectArchive.objects.filter(pk=archive.pk, run=run)
        mine.update(total=filling.bytes_to_come(), beat_at=timezone.now())
        filling.fill()
        size, sha256 = packing.close()
    now = timezone.now()
    whole = _end(
        archive,
        run,
        ArchiveState.READY,
        key=key,
        bytes=size,
        sha256=sha256,
        files=filling.files,
        missing=len(filling.faults),
        finished_at=now,
        expires_at=now + timedelta(days=settings.ARCHIVE_DAYS),
    )
    if not whole:
        default_storage.delete(key)
        raise Stopped
    return filling


def _end(
    archive: ProjectArchive, run: UUID, to: ArchiveState, *, reason: str = "", **changes: object
) -> bool:
    return move(
        ARCHIVE,
        archive,
        from_=(ArchiveState.WORKING,),
        to=to,
        actor=ACTOR,
        reason=reason,
        where={"run": run},
        changes=changes,
    )
