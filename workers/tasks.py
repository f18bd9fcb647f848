"""The node's Celery tasks: doors only."""

from __future__ import annotations

import logging
from typing import Any

from celery import Task
from celery.signals import task_postrun

from farm.contracts import (
    BELL,
    CANARY,
    RENDER,
    WAKE,
    Bell,
    ContractError,
    Outcome,
    RenderFailed,
    RenderOrder,
    from_json,
    to_json,
)
from farm.tiers import QUEUE_REPORTS
from workers import station
from workers.app import app
from workers.broker import BROKER_ERRORS
from workers.render import render

logger = logging.getLogger(__name__)


@app.task(
    name=RENDER,
    bind=True,
    Strategy="workers.deliveries:once",
    throws=(RenderFailed, ContractError),
    resultrepr_maxsize=200,
)
def render_order(self: Task[Any, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Render one RenderOrder and return its RenderReport; RenderFailed carries any other outcome."""
    order = from_json(RenderOrder, data)
    if order.attempt_id != self.request.id:
        raise ContractError(f"RenderOrder.attempt_id {order.attempt_id} came as task {self.request.id}")
    report = render(order, station.current())
    if report.outcome is not Outcome.SUCCEEDED:
        raise RenderFailed(to_json(report))
    return to_json(report)


@app.task(name=WAKE, ignore_result=True, send_events=False)
def wake() -> None:
    """Do nothing: receiving it made the worker read its queues anew."""


@app.task(name=CANARY, ignore_result=True, send_events=False)
def canary(canary_id: str) -> None:
    """Say in a node report, at once, that this worker takes what comes by its own queue."""
    station.current().heard(canary_id)


@task_postrun.connect(sender=render_order)
def _ring(task_id: str, **_: Any) -> None:
    """Tell the coordinator that the result stands in the backend."""
    try:
        app.send_task(BELL, args=[to_json(Bell(attempt_id=task_id))], queue=QUEUE_REPORTS, ignore_result=True)
    except BROKER_ERRORS as error:
        # The report is in the spool and goes out with the next node report.
        logger.warning("bell not rung", extra={"attempt": task_id, "error": str(error)})
