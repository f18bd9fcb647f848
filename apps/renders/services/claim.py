"""May this node render this attempt? The one door through which an order becomes work."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.common.clock import database_now
from apps.common.machines import move
from apps.nodes.models import Node
from apps.nodes.selectors import serving
from apps.nodes.states import Desired
from apps.renders.models import Attempt
from apps.renders.services.giveback import hand_back
from apps.renders.services.record import LATEST
from apps.renders.services.requirements import lacking
from apps.renders.states import ATTEMPT, JOB, ON_NODE, AttemptState, JobState
from apps.workflows.services import template_of
from farm.contracts import ClaimReply, ClaimRequest
from farm.logs import bound
from farm.tiers import NO_VRAM

logger = logging.getLogger(__name__)

REFUSED_PAUSE = timedelta(seconds=1)


def claim(request: ClaimRequest) -> ClaimReply:
    """Grant an order to the node that asks, once. The same node may ask again and hears the same.

    Refused: a stale token, a closed job, another node's attempt, a node that is drained, unknown or
    of an earlier epoch. A refused order must be dropped; the job has moved on or goes back to READY.
    """
    attempt = _attempt(request.attempt_id)
    with bound(
        attempt=request.attempt_id,
        node=request.node,
        job=attempt and attempt.job_id,
        code=attempt and attempt.job.code,
    ):
        reply = _answer(attempt, request)
        logger.info("claim answered", extra={"granted": reply.granted, "reason": reply.reason})
    return reply


def _answer(attempt: Attempt | None, request: ClaimRequest) -> ClaimReply:
    node = Node.objects.filter(name=request.node, epoch=request.epoch).first()
    if attempt is None or attempt.token != request.token:
        reason = "this order is unknown here"
    elif node is None:
        reason = "this node has not reported in its present epoch"
    elif attempt.state in ON_NODE and (attempt.node_id, attempt.node_epoch) == (node.pk, node.epoch):
        return ClaimReply(granted=True, reason="granted before")
    elif attempt.state != AttemptState.DISPATCHED or attempt.job.token != request.token:
        reason = f"the attempt is {attempt.state}"
    else:
        reason = _decide(attempt, node, clock_ahead_s=_clock_ahead(request))
    return ClaimReply(granted=not reason, reason=reason)


def _clock_ahead(request: ClaimRequest) -> float | None:
    """The node's clock less ours; None if it told no time. The message's way makes it look behind."""
    sent = request.sent_at
    return round(sent - database_now().timestamp(), 3) if 0 < sent < LATEST else None


def _decide(attempt: Attempt, node: Node, *, clock_ahead_s: float | None) -> str:
    """Grant the order, or say why not."""
    unfit = _unfit(node, attempt)
    if unfit:
        # A moment's pause: the node that took it may be quicker again before it hears that it may not.
        later = database_now() + REFUSED_PAUSE
        hand_back(attempt, actor=node.name, reason=unfit, from_=(AttemptState.DISPATCHED,), start_after=later)
        return unfit
    return "" if _grant(attempt, node, clock_ahead_s) else "somebody else was faster"


def _unfit(node: Node, attempt: Attempt) -> str:
    if node.desired != Desired.ACTIVE:
        return f"{node.name} is {node.desired}"
    if (node.tier_gb or NO_VRAM) < attempt.tier_gb:
        return f"{node.name} serves {node.tier_gb or 0} GB, the order needs {attempt.tier_gb} GB"
    if not serving().filter(pk=node.pk).exists():
        return f"{node.name} may not be given work ({node.observed})"
    job = attempt.job
    missing = lacking(node, template_of(job.template_version), job.precision, job.lora_files)
    return f"{node.name} lacks {', '.join(missing)}" if missing else ""


def _grant(attempt: Attempt, node: Node, clock_ahead_s: float | None) -> bool:
    now = database_now()
    job = attempt.job
    with transaction.atomic():
        granted = move(
            JOB,
            job,
            from_=(JobState.DISPATCHED,),
            to=JobState.RUNNING,
            where={"token": attempt.token},
            changes={"progress": 0.0, "doing": ""},
            actor=node.name,
            reason="claimed",
            data={"attempt": attempt.number},
        ) and move(
            ATTEMPT,
            attempt,
            from_=(AttemptState.DISPATCHED,),
            to=AttemptState.ACCEPTED,
            story=job.pk,
            actor=node.name,
            changes={
                "node": node,
                "node_epoch": node.epoch,
                "accepted_at": now,
                "clock_ahead_s": clock_ahead_s,
                "lease_until": now + timedelta(seconds=settings.LEASE_SECONDS),
            },
        )
        if not granted:
            transaction.set_rollback(True)
    return granted


def _attempt(attempt_id: str) -> Attempt | None:
    try:
        key = UUID(attempt_id)
    except ValueError:
        return None
    return Attempt.objects.select_related("job__template_version", "node").filter(pk=key).first()
