"""Hold a whole batch back. Everybody locks the batch before its jobs (see steering)."""

from __future__ import annotations

import logging

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from apps.accounts.models import User
from apps.common.models import StateEvent
from apps.renders.models import Job, RenderBatch
from apps.renders.services import bus
from apps.renders.services.lanes import wake
from apps.renders.services.rights import require_batch
from apps.renders.services.wishes import BATCH_WISH, PAUSED, RESUMED, wish
from apps.renders.states import OPEN

logger = logging.getLogger(__name__)


def pause_batch(batch: RenderBatch, *, paused: bool, user: User, reason: str = "") -> bool:
    """Hold every job of a batch back, or let them go on; False if it is so already.

    What a node already has goes on; a job that is paused itself stays paused.
    """
    require_batch(batch, user)
    actor = user.get_username()
    with transaction.atomic():
        locked = RenderBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if locked.paused == paused:
            return False
        RenderBatch.objects.filter(pk=batch.pk).update(
            paused=paused,
            paused_by=actor if paused else "",
            row_version=F("row_version") + 1,
            updated_at=Now(),
        )
        to = PAUSED if paused else RESUMED
        jobs = Job.objects.filter(batch=batch, paused=False).order_by("pk").select_for_update(no_key=True)
        rows = list(jobs.values_list("pk", "state", "lane_id"))
        Job.objects.filter(pk__in=[key for key, _state, _lane in rows]).update(held=paused)
        events = [wish(BATCH_WISH, batch.pk, to, actor=actor, reason=reason)]
        for key, state, _lane in rows:
            if state in OPEN:
                told = wish(BATCH_WISH, batch.pk, to, actor=actor, reason=reason, data={"batch": batch.code})
                told.story = key
                events.append(told)
        StateEvent.objects.bulk_create(events)
        wake(lane for _key, _state, lane in rows)
        transaction.on_commit(bus.poke)
    logger.info("batch paused" if paused else "batch resumed", extra={"batch": batch.code, "by": actor})
    return True
