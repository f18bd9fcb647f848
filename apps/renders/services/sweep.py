"""What got lost on the way is found and put right. Run by the leader, every second."""

from __future__ import annotations

import json
import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DataError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.common.clock import database_now
from apps.common.machines import move
from apps.materials.models import Material
from apps.materials.services.queueing import request_material
from apps.nodes.models import Node
from apps.nodes.services import mark_silent_nodes_offline
from apps.nodes.states import Observed
from apps.renders.models import Attempt, Job
from apps.renders.selectors import expired_orders
from apps.renders.services import bus, uploads
from apps.renders.services.canaries import order_unread
from apps.renders.services.dependents import release_all
from apps.renders.services.failures import after_crash, carry_out, decide
from apps.renders.services.farmclock import give_grace, leases_may_expire
from apps.renders.services.giveback import hand_back
from apps.renders.services.lanes import wake
from apps.renders.services.proving import prove_what_changed
from apps.renders.services.record import Recorded, record
from apps.renders.services.watch import watch_nodes
from apps.renders.states import ATTEMPT_OPEN, IN_FLIGHT, JOB, ON_NODE, AttemptState, JobState
from apps.review.models import Take
from apps.review.services.queueing import request_media
from apps.review.services.takes import folder_of
from apps.review.states import Media
from apps.sheets.services.doing import ask_again
from farm.contracts import MANIFEST_NAME, ContractError, FailureClass, RenderReport, from_json
from farm.logs import bound
from farm.tiers import QUEUE_MEDIA, QUEUE_REPORTS

logger = logging.getLogger(__name__)

ACTOR = "sweep"
LARGEST_MANIFEST = 4 * 1024 * 1024
"""Bytes; a real one has a few thousand."""
_SETTLED = (Recorded.DONE, Recorded.AGAIN, Recorded.STALE)
LATELY = timedelta(minutes=2)
"""Jobs that ended within it are asked, every second, for whom they released."""
MEDIA_PATIENCE = timedelta(seconds=30)
"""Media work unheard of for this long, with none waiting, died with its worker; twice does no harm."""


def sweep() -> int:
    """Put right what expired; return how many jobs moved. Judges no lease while word may be on its way."""
    now = database_now()
    uploads.tidy()
    watch_nodes(now)
    moved = _recall_orders(now)
    backlog = _messages_on(QUEUE_REPORTS)
    if backlog is None:
        give_grace(now)
    else:
        _ask_for_media_again(now)
        # One per node is a moment's ordinary traffic; more is a backlog, and leases in it may be alive.
        if backlog < max(1, Node.objects.exclude(observed=Observed.OFFLINE).count()):
            moved += _expire(now)
        _free_slots_of_the_gone()
    return moved + _mend_jobs_without_attempt() + release_all(actor=ACTOR, since=now - LATELY)


def sweep_old() -> int:
    """Release what has long been free: nobody swept when it became so. It looks at all that is blocked.

    Where the studio wants it, nodes prove again what they had proven before their software changed.
    """
    prove_what_changed(database_now())
    return release_all(actor=ACTOR)


def _messages_on(queue: str) -> int | None:
    """Count the messages on a queue; None if the broker cannot be reached."""
    try:
        return bus.waiting_on(queue)
    except bus.BROKER_ERRORS as exc:
        logger.warning("the broker cannot be reached", extra={"error": str(exc)})
        return None


def _recall_orders(now: datetime) -> int:
    """Orders nobody accepted in time: the token changes, so whoever finds one later drops it."""
    return sum(_recall(attempt) for attempt in expired_orders(now))


def _recall(attempt: Attempt) -> bool:
    reason = "no worker accepted the order in time"
    back = hand_back(attempt, actor=ACTOR, reason=reason, from_=(AttemptState.DISPATCHED,))
    if back:
        if attempt.node_id:
            order_unread([attempt.node_id], database_now())
        ids = {"job": str(attempt.job_id), "attempt": str(attempt.pk), "code": attempt.job.code}
        logger.warning("order recalled", extra={**ids, "why": reason})
    return back


def _expire(now: datetime) -> int:
    moved = sum(_give_up(attempt, "its worker has begun a new life without it") for attempt in _let_go())
    if leases_may_expire(now):
        for node in mark_silent_nodes_offline(now):
            logger.warning("node is offline", extra={"node": node.name})
        for attempt in _run_out(now):
            moved += _give_up(attempt, f"no word of it for {settings.LEASE_SECONDS:.0f} s")
    return moved


def _let_go() -> QuerySet[Attempt]:
    """Attempts whose node has begun a new life without them: certain, so no grace applies."""
    return _held().filter(lease_until__isnull=True)


def _run_out(now: datetime) -> QuerySet[Attempt]:
    return _held().filter(lease_until__lt=now)


def _held() -> QuerySet[Attempt]:
    return Attempt.objects.filter(state__in=ON_NODE).select_related("job__project", "node")


def _give_up(attempt: Attempt, why: str) -> bool:
    """Before an attempt counts as lost: the result backend, then the manifest in the store.

    False while a store cannot be asked, and if word came meanwhile: the lease is then another one.
    """
    with bound(job=attempt.job_id, attempt=attempt.pk, code=attempt.job.code):
        return _rescue_or_give_up(attempt, why)


def _rescue_or_give_up(attempt: Attempt, why: str) -> bool:
    try:
        for road in (_from_backend, _from_manifest):
            report = road(attempt)
            if report is not None and record(report) in _SETTLED:
                logger.info("report rescued", extra={"road": road.__name__})
                return True
    except (OSError, *bus.BROKER_ERRORS):
        logger.exception("lost or not? stores cannot be asked")
        return False
    except DataError:
        logger.exception("rescued report refused by the database")
    # Only work that was executing can have taken its worker down.
    executing = attempt.state in (AttemptState.EXECUTING, AttemptState.COLLECTING)
    name = FailureClass.INFRASTRUCTURE
    logger.warning("attempt given up", extra={"node": str(attempt.node or ""), "why": why})
    return carry_out(
        attempt,
        after_crash(attempt.job) if executing else decide(attempt.job, name),
        failure_class=name,
        message=f"{attempt.node or 'its node'}: {why}",
        end=AttemptState.LOST,
        where={"lease_until": attempt.lease_until},
        actor=ACTOR,
    )


def _mend_jobs_without_attempt() -> int:
    """In flight, and no attempt is open: no code path leads here, but a job must not be forgotten."""
    open_attempts = Attempt.objects.filter(job=OuterRef("pk"), state__in=ATTEMPT_OPEN)
    forgotten = Job.objects.filter(state__in=IN_FLIGHT).exclude(Exists(open_attempts))
    moved = 0
    for job in forgotten:
        logger.error("job in flight without an attempt", extra={"job": str(job.pk), "code": job.code})
        with transaction.atomic():
            moved += move(
                JOB,
                job,
                from_=(JobState.RUNNING, JobState.DISPATCHED),
                to=JobState.READY,
                where={"token": job.token},
                changes={"token": "", "progress": 0.0, "doing": ""},
                actor=ACTOR,
                reason="no attempt was open",
            )
            wake([job.lane_id])
    return moved


def _from_backend(attempt: Attempt) -> RenderReport | None:
    stored = bus.stored_report(str(attempt.pk))
    return _readable(attempt, stored) if stored else None


def _from_manifest(attempt: Attempt) -> RenderReport | None:
    key = f"{folder_of(attempt.job.project.code, attempt.pk)}/{MANIFEST_NAME}"
    if not default_storage.exists(key):
        return None
    if default_storage.size(key) > LARGEST_MANIFEST:
        logger.warning("manifest too large to be one")
        return None
    with default_storage.open(key) as manifest:
        content = manifest.read()
    try:
        return _readable(attempt, json.loads(content))
    except (ValueError, RecursionError) as exc:
        logger.warning("manifest not readable", extra={"error": str(exc)})
        return None


def _readable(attempt: Attempt, content: object) -> RenderReport | None:
    try:
        return from_json(RenderReport, content)
    except ContractError as exc:
        logger.warning("report not readable", extra={"error": str(exc)})
        return None


def _free_slots_of_the_gone() -> None:
    """Ended attempts on nodes that are offline hold nothing any more, nor do those no node ever had."""
    held = Attempt.objects.filter(holds_slot=True).exclude(state__in=ATTEMPT_OPEN)
    held.filter(Q(node__isnull=True) | Q(node__observed=Observed.OFFLINE)).update(holds_slot=False)


def _ask_for_media_again(now: datetime) -> None:
    if _messages_on(QUEUE_MEDIA) != 0:
        return
    stuck = Take.objects.filter(media_state=Media.PROCESSING, updated_at__lt=now - MEDIA_PATIENCE)
    for take in stuck.only("pk")[:100]:
        request_media(take.pk)
        Take.objects.filter(pk=take.pk).update(updated_at=now)
    unseen = Material.objects.filter(state=Media.PROCESSING, updated_at__lt=now - MEDIA_PATIENCE)
    for material in unseen.only("pk")[:100]:
        request_material(material.pk)
        Material.objects.filter(pk=material.pk).update(updated_at=now)
    ask_again(MEDIA_PATIENCE)
