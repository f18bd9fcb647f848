"""The coordinator's Celery doors: parse, call one service, answer. Nothing is decided here."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task

from apps.renders.services import bus
from apps.renders.services.claim import claim
from apps.renders.services.record import record
from apps.renders.services.reports import answer
from farm import contracts
from farm.logs import bound

logger = logging.getLogger(__name__)


@shared_task(name=contracts.CLAIM)
def hear_claim(request: dict[str, Any]) -> dict[str, Any]:
    """Answer a node's ClaimRequest with a ClaimReply."""
    reply = claim(contracts.from_json(contracts.ClaimRequest, request))
    if not reply.granted:
        bus.poke()
    return contracts.to_json(reply)


@shared_task(name=contracts.BELL, ignore_result=True)
def hear_bell(bell: dict[str, Any]) -> None:
    """A report stands in the result backend: fetch and record it."""
    attempt_id = contracts.from_json(contracts.Bell, bell).attempt_id
    with bound(attempt=attempt_id):
        stored = bus.stored_report(attempt_id)
        if stored is None:
            logger.warning("bell without a report")
            return
        record(contracts.from_json(contracts.RenderReport, stored))


@shared_task(name=contracts.REPORT)
def hear_node(report: dict[str, Any]) -> dict[str, Any]:
    """Answer a NodeReport with NodeDirectives."""
    told = contracts.from_json(contracts.NodeReport, report)
    with bound(node=told.node):
        return contracts.to_json(answer(told))
