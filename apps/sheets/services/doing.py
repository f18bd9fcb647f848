"""Do what a batch waits for, once, whoever asks and however often: in a request, or by the media worker."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from apps.accounts.models import User
from apps.common import news
from apps.common.errors import NotAllowed, Refused
from apps.common.problems import as_json
from apps.sheets.models import ImportBatch, Work
from apps.sheets.services.confirming import apply_now
from apps.sheets.services.planning import plan_now
from apps.sheets.services.queueing import request_work
from apps.sheets.services.uploading import FEW_BYTES, FEW_ROWS
from apps.sheets.states import BATCH, OPEN

logger = logging.getLogger(__name__)

PATIENCE: Final = timedelta(minutes=15)
"""Work that was begun this long ago was given up by a worker that died."""
EVERY_S: Final = 0.5


def ask(batch: ImportBatch, work: Work) -> None:
    """Note what is to be done, and do it at once if the file is small."""
    if note(batch, work):
        begin(batch)


def note(batch: ImportBatch, work: Work, **told: Any) -> bool:
    """Note what is to be done, and columns with it; False where it is at work already, or closed."""
    now = timezone.now()
    asked = ImportBatch.objects.filter(pk=batch.pk, work="", state__in=OPEN)
    return bool(asked.update(work=work, asked_at=now, begun_at=None, done=0, updated_at=now, **told))


def begin(batch: ImportBatch) -> None:
    """Do what was noted: at once if the file is short, else by the media worker."""
    if batch.bytes <= FEW_BYTES and batch.total <= FEW_ROWS:
        do_work(batch.pk)
    else:
        transaction.on_commit(lambda: request_work(batch.pk))


def do_work(batch_id: UUID) -> None:
    """Plan or write a batch that waits; a second call meanwhile does nothing."""
    now = timezone.now()
    waiting = ImportBatch.objects.filter(pk=batch_id, begun_at=None).exclude(work="")
    if not waiting.update(begun_at=now):
        logger.info("no import to work on", extra={"import": str(batch_id)})
        return
    batch = ImportBatch.objects.select_related("project", "by").get(pk=batch_id)
    user = _asker(batch)
    began = time.monotonic()
    problems: list[dict[str, str]] | None = None
    language = (user.language if user else "") or translation.get_language() or settings.LANGUAGE_CODE
    try:
        with translation.override(language):
            (plan_now if batch.work == Work.PLAN else apply_now)(batch, user, _Told(batch_id))
    except Refused as refused:
        problems = [as_json(one) for one in refused.problems]
    except NotAllowed as refused:
        problems = [{"field": "", "value": "", "message": str(refused), "code": "not_allowed"}]
    finally:
        told = {} if problems is None else {"problems": problems}
        ImportBatch.objects.filter(pk=batch_id).update(
            work="", asked_at=None, begun_at=None, updated_at=timezone.now(), **told
        )
        news.tell(BATCH.name, [batch_id])
    logger.info(
        "import worked on",
        extra={
            "import": str(batch_id),
            "work": batch.work,
            "refused": problems is not None,
            "seconds": round(time.monotonic() - began, 2),
        },
    )


def ask_again(patience: timedelta) -> int:
    """Ask anew for work that nobody took, or that somebody took and never finished; return how many."""
    now = timezone.now()
    lost = ImportBatch.objects.exclude(work="").filter(begun_at__lt=now - PATIENCE)
    lost.update(begun_at=None, asked_at=now - 2 * patience)
    waiting = ImportBatch.objects.exclude(work="").filter(begun_at=None, asked_at__lt=now - patience)
    keys = list(waiting.values_list("pk", flat=True)[:100])
    for key in keys:
        request_work(key)
    ImportBatch.objects.filter(pk__in=keys).update(asked_at=now)
    return len(keys)


def _asker(batch: ImportBatch) -> User | None:
    """Who asked for it: whoever confirmed, else whoever brought the file."""
    confirmer = batch.report.get("confirmed_by") if batch.work == Work.APPLY else None
    if confirmer:
        return User.objects.filter(username=confirmer).first()
    return batch.by


class _Told:
    """Progress that pages can read, written now and then."""

    def __init__(self, batch_id: UUID) -> None:
        self._id = batch_id
        self._last = 0.0

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._last >= EVERY_S:
            self._last = now
            ImportBatch.objects.filter(pk=self._id).update(done=done, total=total)
            news.tell(BATCH.name, [self._id])
