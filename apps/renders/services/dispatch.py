"""One tick of the dispatcher: ready jobs meet free seats (design §6). Run by the leader only.

Its cost grows with free seats and active lanes. Every waiting job learns here why it waits.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from apps.common.clock import database_now
from apps.common.machines import move, record_event
from apps.nodes.models import Node
from apps.nodes.selectors import serving
from apps.renders.matching import Capacity, Road, Seat
from apps.renders.models import Attempt, Job
from apps.renders.selectors import Lane, lanes, ready_heads, slots_in_use
from apps.renders.services import bus
from apps.renders.services.failures import carry_out, decide
from apps.renders.services.giveback import hand_back
from apps.renders.services.orders import Unorderable, order_for
from apps.renders.services.requirements import able_nodes
from apps.renders.services.waits import explain
from apps.renders.states import ATTEMPT, JOB, AttemptState, JobState
from apps.workflows.models import WorkflowTemplateVersion
from apps.workflows.services import template_of
from farm.contracts import FailureClass
from farm.logs import bound
from farm.tiers import NO_VRAM, next_queue_for

logger = logging.getLogger(__name__)

ACTOR = "dispatcher"


def dispatch() -> int:
    """Send as many ready jobs as there are seats for; return how many were sent."""
    waiting = lanes()
    nodes = list(serving()) if waiting else []
    if not nodes or not bus.is_up():
        return 0
    able = _able(waiting, nodes)
    capacity = _capacity(nodes)
    sent = 0
    full: set[Lane] = set()
    for lane, job in _candidates(waiting, able, capacity.free):
        if lane in full:
            continue
        road = capacity.take(job.tier_gb or NO_VRAM, able[lane])
        if road is None:
            full.add(lane)
        else:
            sent += _send(job, road)
    return sent


def explain_waiting() -> None:
    """Tell every job that is still ready why. The dispatcher's own words, never a second opinion."""
    waiting = lanes()
    if waiting:
        nodes = list(serving())
        explain(waiting, nodes, _able(waiting, nodes), broker_up=bus.is_up())


def _capacity(nodes: list[Node]) -> Capacity:
    held: dict[UUID, int] = {}
    now: list[int] = []
    staged: list[int] = []
    for attempt in slots_in_use().only("node_id", "tier_gb", "queue"):
        if attempt.node_id is not None:
            held[attempt.node_id] = held.get(attempt.node_id, 0) + 1
        elif attempt.queue == next_queue_for(attempt.tier_gb):
            staged.append(attempt.tier_gb)
        else:
            now.append(attempt.tier_gb)
    seats = [Seat(node.pk, node.name, node.epoch, node.tier_gb or 0, held.get(node.pk, 0)) for node in nodes]
    return Capacity(seats, now, staged)


def _able(waiting: list[Lane], nodes: list[Node]) -> dict[Lane, set[UUID]]:
    """The nodes that can run each lane: memory on one GPU, classes, models and LoRAs."""
    versions = WorkflowTemplateVersion.objects.in_bulk({lane.template_version_id for lane in waiting})
    able = {}
    for lane in waiting:
        template = template_of(versions[lane.template_version_id])
        large = [
            node for node in nodes if lane.tier_gb is not None and (node.tier_gb or NO_VRAM) >= lane.tier_gb
        ]
        able[lane] = able_nodes(large, template, lane)
    return able


def _candidates(waiting: list[Lane], able: dict[Lane, set[UUID]], free: int) -> Iterator[tuple[Lane, Job]]:
    """Heads of every lane some node can run: priority class first, then age.

    Fair share between projects and affinity to loaded models will order here.
    """
    if free <= 0:
        return iter(())
    now = database_now()
    heads = chain.from_iterable(
        ((lane, job) for job in ready_heads(lane, now, most=free)) for lane in waiting if able[lane]
    )
    return iter(sorted(heads, key=lambda head: (-head[1].priority, head[1].ready_at or now, head[1].code)))


def _send(job: Job, road: Road) -> bool:
    """Make an attempt and publish its order; False if somebody was faster or it cannot be ordered."""
    with bound(job=job.pk, code=job.code):
        attempt = _new_attempt(job, road)
        if attempt is None:
            return False
        with bound(attempt=attempt.pk):
            return _send_order(attempt, road)


def _send_order(attempt: Attempt, road: Road) -> bool:
    try:
        order = order_for(attempt)
    except Unorderable as exc:
        logger.warning("job cannot be ordered", extra={"why": str(exc)})
        _unordered(attempt, exc.failure_class, str(exc))
        return False
    except OSError as exc:
        # A full or vanished store is the farm's own fault: again later, and on with the other jobs.
        logger.exception("order not built")
        _unordered(attempt, FailureClass.INFRASTRUCTURE, f"the artifact store cannot be used: {exc}")
        return False
    if not bus.publish(order, queue=road.queue):
        hand_back(attempt, actor=ACTOR, reason="the broker cannot be reached")
        return False
    logger.info("order sent", extra={"queue": road.queue, "number": attempt.number})
    return True


def _unordered(attempt: Attempt, failure_class: FailureClass, message: str) -> None:
    decision = decide(attempt.job, failure_class)
    carry_out(
        attempt,
        decision,
        failure_class=failure_class,
        message=message,
        end=AttemptState.FAILED,
        actor=ACTOR,
    )


def _new_attempt(job: Job, road: Road) -> Attempt | None:
    """Move the job to DISPATCHED under a new token and write its attempt, in one transaction."""
    token = str(uuid4())
    with transaction.atomic():
        moved = move(
            JOB,
            job,
            from_=(JobState.READY,),
            to=JobState.DISPATCHED,
            where={"paused": False},
            changes={"token": token, "wait_code": "", "wait_params": {}},
            actor=ACTOR,
            data={"queue": road.queue},
        )
        if not moved:
            return None
        last = Attempt.objects.filter(job=job).aggregate(last=Max("number"))["last"] or 0
        attempt = Attempt.objects.create(
            job=job,
            number=last + 1,
            state=AttemptState.DISPATCHED,
            token=token,
            queue=road.queue,
            tier_gb=job.tier_gb or 0,
            node_id=road.node_id,
            accept_by=database_now() + timedelta(seconds=settings.ACCEPT_SECONDS),
        )
        record_event(
            ATTEMPT,
            attempt.pk,
            to=AttemptState.DISPATCHED,
            story=job.pk,
            actor=ACTOR,
            data={"number": attempt.number, "queue": road.queue},
        )
    return attempt
