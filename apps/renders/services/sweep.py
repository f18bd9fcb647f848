"""What got lost on the way is found and put right. Run by the leader, every second."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import msgspec
from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet

from apps.common.clock import database_now
from apps.nodes.services import mark_silent_nodes_offline
from apps.nodes.states import Observed
from apps.renders.models import Attempt
from apps.renders.selectors import expired_orders
from apps.renders.services import bus
from apps.renders.services.dependents import explain_blocked, release_all
from apps.renders.services.failures import after_crash, decide
from apps.renders.services.farmclock import give_grace, leases_may_expire
from apps.renders.services.giveback import hand_back
from apps.renders.services.record import Recorded, apply, record
from apps.renders.states import ATTEMPT_OPEN, ON_NODE, AttemptState
from apps.review.models import Take
from apps.review.services.queueing import request_media
from apps.review.services.takes import folder_of
from apps.review.states import Media
from farm.contracts import (
    MANIFEST_NAME,
    ContractError,
    FailureClass,
    RenderReport,
    from_json,
)

logger = logging.getLogger(__name__)

ACTOR = "sweep"
MEDIA_PATIENCE = timedelta(minutes=5)
"""Media work unheard of for this long is asked for again; it takes seconds."""


def sweep() -> int:
    """Put right what expired; return how many jobs moved. Does nothing about leases in a silent farm."""
    now = database_now()
    moved = _recall_orders(now)
    waiting = _reports_waiting()
    if waiting < 0:
        give_grace(now)
    elif waiting == 0:
        moved += _expire_leases(_let_go_by_their_nodes())
        if leases_may_expire(now):
            for node in mark_silent_nodes_offline(now):
                logger.warning("node is offline", extra={"node": node.name})
            moved += _expire_leases(_run_out(now))
        _free_slots_of_the_gone()
    moved += release_all(actor=ACTOR)
    explain_blocked()
    _ask_for_media_again(now)
    return moved


def _reports_waiting() -> int:
    """Reports still in the broker; any number but 0 means: do not judge yet."""
    try:
        return bus.reports_waiting()
    except bus.BROKER_ERRORS as exc:
        logger.warning("the broker cannot be reached, no lease expires", extra={"error": str(exc)})
        return -1


def _recall_orders(now: datetime) -> int:
    """Orders nobody accepted in time: the token changes, so whoever finds one later drops it."""
    return sum(
        hand_back(attempt, actor=ACTOR, reason="no worker accepted the order in time")
        for attempt in expired_orders(now)
    )


def _expire_leases(attempts: QuerySet[Attempt]) -> int:
    return sum(_give_up(attempt) for attempt in attempts.select_related("job__project", "node"))


def _let_go_by_their_nodes() -> QuerySet[Attempt]:
    """Attempts whose node has begun a new life without them: certain, so no grace applies."""
    return Attempt.objects.filter(state__in=ON_NODE, lease_until__isnull=True)


def _run_out(now: datetime) -> QuerySet[Attempt]:
    return Attempt.objects.filter(state__in=ON_NODE, lease_until__lt=now)


def _give_up(attempt: Attempt) -> bool:
    """Before an attempt counts as lost: the result backend, then the manifest in the store."""
    for road in (_from_backend, _from_manifest):
        report = road(attempt)
        if report is not None and record(report) in (Recorded.DONE, Recorded.AGAIN, Recorded.STALE):
            logger.info("report rescued", extra={"attempt": str(attempt.pk), "road": road.__name__})
            return True
    job = attempt.job
    name = FailureClass.INFRASTRUCTURE
    # Only work that was executing can have taken its worker down.
    executing = attempt.state in (AttemptState.EXECUTING, AttemptState.COLLECTING)
    decision = (
        after_crash(job, attempts=attempt.number) if executing else decide(job, name, attempts=attempt.number)
    )
    node = attempt.node.name if attempt.node else "its node"
    return apply(
        attempt,
        decision,
        failure_class=name,
        message=f"{node} has not been heard of since the lease ran out",
        end=AttemptState.LOST,
        actor=ACTOR,
    )


def _from_backend(attempt: Attempt) -> RenderReport | None:
    try:
        stored = bus.stored_report(str(attempt.pk))
    except bus.BROKER_ERRORS as exc:
        logger.warning("result backend not read", extra={"attempt": str(attempt.pk), "error": str(exc)})
        return None
    return _readable(attempt, stored) if stored else None


def _from_manifest(attempt: Attempt) -> RenderReport | None:
    key = f"{folder_of(attempt.job.project.code, attempt.pk)}/{MANIFEST_NAME}"
    if not default_storage.exists(key):
        return None
    with default_storage.open(key) as manifest:
        content = manifest.read()
    try:
        return _readable(attempt, msgspec.json.decode(content))
    except msgspec.DecodeError as exc:
        logger.warning("manifest not readable", extra={"attempt": str(attempt.pk), "error": str(exc)})
        return None


def _readable(attempt: Attempt, content: object) -> RenderReport | None:
    try:
        return from_json(RenderReport, content)
    except ContractError as exc:
        logger.warning("report not readable", extra={"attempt": str(attempt.pk), "error": str(exc)})
        return None


def _free_slots_of_the_gone() -> None:
    """Ended attempts on nodes that are offline or have begun a new life hold nothing any more."""
    held = Attempt.objects.filter(holds_slot=True).exclude(state__in=ATTEMPT_OPEN)
    held.filter(Q(node__isnull=True) | Q(node__observed=Observed.OFFLINE)).update(holds_slot=False)


def _ask_for_media_again(now: datetime) -> None:
    stuck = Take.objects.filter(media_state=Media.PROCESSING, updated_at__lt=now - MEDIA_PATIENCE)
    for take in stuck.only("pk")[:100]:
        request_media(take.pk)
        Take.objects.filter(pk=take.pk).update(updated_at=now)
