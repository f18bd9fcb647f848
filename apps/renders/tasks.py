"""The coordinator's Celery doors: parse, call one service, answer. Nothing is decided here.

The threads of the pool hand in what they hear; one of them works for all that came meanwhile.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task

from apps.common.together import Together
from apps.nodes.services import mishear
from apps.renders.services import bus
from apps.renders.services.claim import claim_all
from apps.renders.services.record import record_all
from apps.renders.services.reports import answer_all
from farm import contracts
from farm.logs import bound

logger = logging.getLogger(__name__)

_claims = Together(claim_all)
_nodes = Together(answer_all)
_ends = Together(record_all)


@shared_task(name=contracts.CLAIM, send_events=False)
def hear_claim(request: dict[str, Any]) -> dict[str, Any]:
    """Answer a node's ClaimRequest with a ClaimReply."""
    reply = _claims.ask(contracts.from_json(contracts.ClaimRequest, request))
    bus.poke()  # granted: another order may be staged behind this one; refused: the job is ready again
    return contracts.to_json(reply)


@shared_task(name=contracts.BELL, ignore_result=True, send_events=False)
def hear_bell(bell: dict[str, Any]) -> None:
    """A report stands in the result backend: fetch and record it."""
    attempt_id = contracts.from_json(contracts.Bell, bell).attempt_id
    with bound(attempt=attempt_id):
        stored = bus.stored_report(attempt_id)
        if stored is None:
            logger.warning("bell without a report")
            return
        _ends.ask(contracts.from_json(contracts.RenderReport, stored))


@shared_task(name=contracts.REPORT, send_events=False)
def hear_node(report: dict[str, Any]) -> dict[str, Any]:
    """Answer a NodeReport with NodeDirectives."""
    try:
        told, left_out = contracts.read_node_report(report)
    except contracts.ContractError as exc:
        mishear(report, str(exc))
        raise
    with bound(node=told.node):
        for why in left_out:
            mishear(report, why)
        return contracts.to_json(_nodes.ask(told))
