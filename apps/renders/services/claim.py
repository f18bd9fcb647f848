"""May this node render this attempt? The one door through which an order becomes work.

Many nodes ask at once: a group of claims is answered in a number of statements that does not grow with it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.common.clock import database_now
from apps.common.machines import Move, events_together, move_each
from apps.common.turns import in_turns
from apps.nodes.models import Node
from apps.nodes.states import Desired
from apps.renders.models import Attempt, Job
from apps.renders.scheduling.fit import keyless, lacking, unknown_to
from apps.renders.scheduling.supply import in_pool, kind_of, tags_of
from apps.renders.services.asked import Asked, read
from apps.renders.services.giveback import hand_back
from apps.renders.services.proofs import claim as claim_proof
from apps.renders.services.told import LATEST
from apps.renders.states import ATTEMPT, JOB, ON_NODE, AttemptState, JobState
from apps.workflows.services import template_of
from farm.contracts import ClaimReply, ClaimRequest
from farm.logs import bound
from farm.tiers import NO_VRAM

logger = logging.getLogger(__name__)

REFUSED_PAUSE = timedelta(seconds=1)
OVERTAKEN = "somebody else was faster"
PAUSED = "paused before it was claimed"


@dataclass(frozen=True)
class _Grant:
    """An attempt that its node may have, if nobody is faster."""

    attempt: Attempt
    node: Node
    clock_ahead_s: float | None


def claim(request: ClaimRequest) -> ClaimReply:
    """Grant an order to the node that asks, once. The same node may ask again and hears the same.

    Refused: a stale token, a closed job, another node's attempt, a node that is drained, unknown or
    of an earlier epoch, and work that was paused since it was sent. A refused order must be dropped; the job
    has moved on or goes back to READY.
    """
    return claim_all([request])[0]


def claim_all(requests: Sequence[ClaimRequest]) -> list[ClaimReply]:
    """Answer many claims, each as :func:`claim` does, in their order."""
    return in_turns(requests, about=lambda request: request.attempt_id, answer_all=_answer_all)


def _answer_all(requests: Sequence[ClaimRequest]) -> list[ClaimReply]:
    """Answer claims of different attempts."""
    now = database_now()
    claims = read(requests, now)
    decided = [_decide(one, now) for one in claims]
    granted = _grant([one for one in decided if isinstance(one, _Grant)], now)
    replies = [
        (
            ClaimReply(granted=True)
            if one.attempt.pk in granted
            else ClaimReply(granted=False, reason=OVERTAKEN)
        )
        if isinstance(one, _Grant)
        else one
        for one in decided
    ]
    for one, reply in zip(claims, replies, strict=True):
        with _bound(one):
            logger.info("claim answered", extra={"granted": reply.granted, "reason": reply.reason})
    return replies


def _decide(one: Asked, now: datetime) -> _Grant | ClaimReply:
    """Say what may be granted; hand back what this node cannot have."""
    attempt, node, request = one.attempt, one.node, one.request
    if attempt is None and (answer := claim_proof(request)) is not None:
        return answer
    if attempt is None or attempt.token != request.token:
        reason = "this order is unknown here"
    elif node is None:
        reason = "this node has not reported in its present epoch"
    elif attempt.state in ON_NODE and (attempt.node_id, attempt.node_epoch) == (node.pk, node.epoch):
        return ClaimReply(granted=True, reason="granted before")
    elif attempt.state != AttemptState.DISPATCHED or attempt.job.token != request.token:
        reason = f"the attempt is {attempt.state}"
    elif one.paused:
        _refuse(one, node, attempt, PAUSED)
        reason = f"{one.paused} is paused"
    elif reason := _unfit(node, attempt, serves=one.serves) or _misplaced(node, attempt, blocked=one.blocked):
        # A moment's pause: the node that took it may be quicker again before it hears that it may not.
        _refuse(one, node, attempt, reason, start_after=now + REFUSED_PAUSE)
    else:
        return _Grant(attempt, node, _clock_ahead(request, now))
    return ClaimReply(granted=False, reason=reason)


def _refuse(
    one: Asked, node: Node, attempt: Attempt, reason: str, *, start_after: datetime | None = None
) -> None:
    with _bound(one):
        hand_back(
            attempt,
            actor=node.name,
            reason=reason,
            from_=(AttemptState.DISPATCHED,),
            start_after=start_after,
        )


def _bound(one: Asked) -> AbstractContextManager[None]:
    """Write what this claim is about into the lines logged inside."""
    attempt = one.attempt
    return bound(
        attempt=one.request.attempt_id,
        node=one.request.node,
        job=attempt and attempt.job_id,
        code=attempt and attempt.job.code,
    )


def _clock_ahead(request: ClaimRequest, now: datetime) -> float | None:
    """The node's clock less ours; None if it told no time. The message's way makes it look behind."""
    sent = request.sent_at
    return round(sent - now.timestamp(), 3) if 0 < sent < LATEST else None


def _unfit(node: Node, attempt: Attempt, *, serves: bool) -> str:
    if node.desired != Desired.ACTIVE:
        return f"{node.name} is {node.desired}"
    if (node.tier_gb or NO_VRAM) < attempt.tier_gb:
        return f"{node.name} serves {node.tier_gb or 0} GB, the order needs {attempt.tier_gb} GB"
    if not serves:
        return f"{node.name} may not be given work ({node.observed})"
    job = attempt.job
    if node.name in job.avoids.split("\n"):
        return f"{job.code} failed on {node.name} and is for another node"
    return _incapable(node, job)


def _incapable(node: Node, job: Job) -> str:
    template = template_of(job.template_version)
    if keyless(node, template):
        return f"{node.name} has no key for what {template.slug} asks a service for"
    if unknown := unknown_to(node, template):
        return f"the worker of {node.name} does not know {', '.join(unknown)}"
    missing = lacking(node, template, job.precision, job.lora_files)
    return f"{node.name} lacks {', '.join(missing)}" if missing else ""


def _misplaced(node: Node, attempt: Attempt, *, blocked: bool) -> str:
    """Why this order is not for this node, although it could render it; "" if it is.

    An order on its tier's queue was for whoever listened at the time: others may have come since.
    """
    job, kind = attempt.job, kind_of(node)
    if job.pinned_to_id not in (None, node.pk):
        return f"{job.code} is for another node alone"
    if not in_pool(kind, job.pool_id):
        return f"{node.name} is not in the pool {job.code} is for"
    if missing := tags_of(job.tags) - kind.tags:
        return f"{node.name} lacks the tags {', '.join(sorted(missing))}"
    return f"{node.name} is not given this template for now" if blocked else ""


def _grant(grants: Sequence[_Grant], now: datetime) -> set[UUID]:
    """Give these attempts to their nodes; return those that were still to be had."""
    try:
        with transaction.atomic(), events_together():
            return _move(grants, now)
    except _Overtaken:
        # A job was still to be had and its attempt was not: undo both, and do the others without it.
        return set().union(*(_grant([one], now) for one in grants)) if len(grants) > 1 else set()


class _Overtaken(Exception):
    """Somebody ended an attempt between our two moves."""


def _move(grants: Sequence[_Grant], now: datetime) -> set[UUID]:
    running = move_each(
        JOB,
        [
            Move(
                row=one.attempt.job,
                where={"token": one.attempt.token},
                changes={"progress": 0.0, "doing": ""},
                actor=one.node.name,
                reason="claimed",
                data={"attempt": one.attempt.number},
            )
            for one in grants
        ],
        from_=(JobState.DISPATCHED,),
        to=JobState.RUNNING,
    )
    accepted = move_each(
        ATTEMPT,
        [
            Move(
                row=one.attempt,
                story=one.attempt.job_id,
                actor=one.node.name,
                changes={
                    "node_id": one.node.pk,
                    "node_epoch": one.node.epoch,
                    "accepted_at": now,
                    "clock_ahead_s": one.clock_ahead_s,
                    "card_gb": one.node.tier_gb,
                    "lease_until": now + timedelta(seconds=settings.LEASE_SECONDS),
                },
            )
            for one in grants
            if one.attempt.job_id in running
        ],
        from_=(AttemptState.DISPATCHED,),
        to=AttemptState.ACCEPTED,
    )
    if len(accepted) < len(running):
        raise _Overtaken
    return accepted
