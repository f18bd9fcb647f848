"""The coordinator's Celery doors: parse, call one service, answer. Nothing is decided here.

Each is called with all that came while it was last at work (farm.gathering).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from celery import shared_task

from apps.common.collisions import again_after_collision
from apps.nodes.services import mishear
from apps.renders.services import bus
from apps.renders.services.claim import claim_all
from apps.renders.services.continuity import make_tail
from apps.renders.services.record import record_all
from apps.renders.services.reports import answer_all
from farm import contracts
from farm.gathering import GroupTask
from farm.logs import bound

logger = logging.getLogger(__name__)

_claim_all = again_after_collision(claim_all)
_record_all = again_after_collision(record_all)
_answer_all = again_after_collision(answer_all)


@shared_task(name=contracts.CLAIM, base=GroupTask)
def hear_claims(requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answer nodes' ClaimRequests with ClaimReplies."""
    replies = _claim_all([contracts.from_json(contracts.ClaimRequest, request) for request in requests])
    bus.poke()  # granted: another order may be staged behind this one; refused: the job is ready again
    return [contracts.to_json(reply) for reply in replies]


@shared_task(name=contracts.BELL, base=GroupTask, ignore_result=True)
def hear_bells(bells: Sequence[dict[str, Any]]) -> list[None]:
    """Reports stand in the result backend: fetch and record them."""
    attempts = [contracts.from_json(contracts.Bell, bell).attempt_id for bell in bells]
    found = dict(zip(attempts, bus.stored_reports(attempts), strict=True))
    for attempt_id in (attempt_id for attempt_id, stored in found.items() if stored is None):
        logger.warning("bell without a report", extra={"attempt": attempt_id})
    _record_all(
        [
            contracts.from_json(contracts.RenderReport, stored)
            for stored in found.values()
            if stored is not None
        ]
    )
    return [None] * len(bells)


@shared_task(name=contracts.REPORT, base=GroupTask)
def hear_nodes(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Answer NodeReports with NodeDirectives."""
    read = [_read(report, alone=len(reports) == 1) for report in reports]
    return [contracts.to_json(directives) for directives in _answer_all(read)]


def _read(report: dict[str, Any], *, alone: bool) -> contracts.NodeReport:
    """Read a node's report and show what cannot be read of it; one in company is tried again alone."""
    try:
        told, left_out = contracts.read_node_report(report)
    except contracts.ContractError as exc:
        if alone:
            mishear(report, str(exc))
        raise
    for why in left_out:
        mishear(report, why)
    return told


@shared_task(name=contracts.TAIL, ignore_result=True)
def cut_tail(take_id: str, kind: str, frames: int) -> None:
    """Cut the end of a take's clip for the shots that continue it."""
    with bound(take=take_id):
        make_tail(UUID(take_id), kind, frames)
