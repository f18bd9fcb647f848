"""A node says how it stands; the answer says what it is to do (design §2)."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Q

from apps.common.clock import database_now
from apps.common.machines import move
from apps.nodes.models import Node
from apps.nodes.selectors import serving
from apps.nodes.services import receive
from apps.nodes.services.health import probe_for
from apps.nodes.states import Observed
from apps.renders.models import Attempt, Job
from apps.renders.services import bus
from apps.renders.services.farmclock import word_came
from apps.renders.services.record import record
from apps.renders.states import ATTEMPT, ATTEMPT_OPEN, ON_NODE, AttemptState, JobState
from farm.contracts import NodeDirectives, NodeReport, RenderReport, RunningAttempt, Stage, printable
from farm.tiers import node_queue

logger = logging.getLogger(__name__)

_BEHIND: dict[str, tuple[str, ...]] = {
    Stage.STAGED: (AttemptState.ACCEPTED,),
    Stage.EXECUTING: (AttemptState.ACCEPTED, AttemptState.STAGED),
    Stage.COLLECTING: (AttemptState.ACCEPTED, AttemptState.STAGED, AttemptState.EXECUTING),
}
"""From which states an attempt is brought up to the stage its node reports."""


def answer(report: NodeReport) -> NodeDirectives:
    """Write a node's report down and return its directives."""
    now = database_now()
    word_came(now)
    node = _received(report, now)
    if node is None:
        # Finished work is taken all the same; what runs was given to others (invariant 4).
        confirmed = _record_all(report)
        return NodeDirectives(confirmed=confirmed, new_epoch=True, cancelled=_all_running(report))
    # Leases first: whatever is wrong with a finished report, the running ones go on.
    cancelled = _follow(node, [printable(RunningAttempt, item) for item in report.running], now)
    if _let_go(node, report):
        bus.poke()
    confirmed = _record_all(report)
    return NodeDirectives(
        confirmed=confirmed,
        cancelled=cancelled,
        serve=serving().filter(pk=node.pk).exists(),
        desired=node.desired,
        want_capabilities=node.capabilities_of != report.fingerprint,
        probe=probe_for(node),
    )


def _received(report: NodeReport, now: datetime) -> Node | None:
    """Write down how the node stands; None if this life of it is over.

    Reports of one node take turns, so that one of a former life cannot end up on top.
    """
    with transaction.atomic():
        Node.objects.select_for_update(no_key=True).filter(name=report.node).first()
        if _was_given_up(report):
            return None
        _end_former_life(report, now)
        return receive(report)


def _was_given_up(report: NodeReport) -> bool:
    """An OFFLINE node that comes back in the same epoch must start a new one; a former epoch is over."""
    same = Q(epoch=report.epoch, observed=Observed.OFFLINE) | Q(former_epoch=report.epoch)
    return Node.objects.filter(same, name=report.node).exists()


def _end_former_life(report: NodeReport, now: datetime) -> None:
    """A new epoch: the old one's queue goes, and orders on it are due for recall at once."""
    former = Node.objects.filter(name=report.node).exclude(epoch__in=("", report.epoch)).first()
    if former is None:
        return
    Attempt.objects.filter(node=former, state=AttemptState.DISPATCHED).update(accept_by=now)
    transaction.on_commit(partial(bus.forget_queue, node_queue(former.name, former.epoch)))


def _all_running(report: NodeReport) -> tuple[str, ...]:
    return tuple(running.attempt_id for running in report.running)


def _record_all(report: NodeReport) -> tuple[str, ...]:
    return tuple(finished.attempt_id for finished in report.finished if _recorded(finished))


def _recorded(finished: RenderReport) -> bool:
    """Record one of several: what is wrong with it is nobody else's concern. The node sends it again."""
    try:
        return record(finished).confirmed
    except (OSError, DatabaseError):
        logger.exception("report not recorded", extra={"attempt": finished.attempt_id})
        return False


def _follow(node: Node, running: Iterable[RunningAttempt], now: datetime) -> tuple[str, ...]:
    """Renew leases, bring stages and progress up to date; return what the node must stop."""
    told = {item.attempt_id: item for item in running}
    keys = [key for key in map(_uuid, told) if key is not None]
    attempts = {str(a.pk): a for a in Attempt.objects.select_related("job").filter(pk__in=keys)}
    stop = []
    for attempt_id, item in told.items():
        attempt = attempts.get(attempt_id)
        if attempt is None or attempt.state not in ATTEMPT_OPEN or not _is_current(attempt, item):
            stop.append(attempt_id)
        elif attempt.state in ON_NODE and attempt.node_id == node.pk:
            _renew(attempt, item, node, now)
    return tuple(stop)


def _is_current(attempt: Attempt, item: RunningAttempt) -> bool:
    return attempt.token == item.token == attempt.job.token


def _renew(attempt: Attempt, item: RunningAttempt, node: Node, now: datetime) -> None:
    lease = now + timedelta(seconds=settings.LEASE_SECONDS)
    Attempt.objects.filter(pk=attempt.pk, state__in=ON_NODE).update(lease_until=lease)
    behind = _BEHIND.get(item.stage, ())
    if attempt.state in behind:
        started = {"executing_at": now} if item.stage == Stage.EXECUTING else {}
        move(
            ATTEMPT,
            attempt,
            from_=behind,
            to=str(item.stage),
            story=attempt.job_id,
            actor=node.name,
            changes=started,
        )
    progress = min(max(item.progress, 0.0), 1.0)
    Job.objects.filter(pk=attempt.job_id, token=attempt.token, state=JobState.RUNNING).update(
        progress=progress, doing=(item.doing or str(item.stage))[:80]
    )


def _let_go(node: Node, report: NodeReport) -> int:
    """Free the slots of ended attempts the node does not have in hand any more; return how many.

    What it had in an earlier epoch it has lost: those leases end now, and sweep looks after them.
    """
    in_hand = [key for key in map(_uuid, _all_running(report)) if key is not None]
    held = Attempt.objects.filter(node=node, holds_slot=True).exclude(pk__in=in_hand)
    freed = held.exclude(state__in=ATTEMPT_OPEN).update(holds_slot=False)
    former = held.filter(state__in=ON_NODE).exclude(node_epoch=report.epoch)
    return freed + former.update(lease_until=None)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
