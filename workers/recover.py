"""After a restart of the worker: settle what its former life left in ComfyUI.

A prompt that ended well meanwhile is collected. Any other is taken out of ComfyUI, so that nobody waits
for it while it burns GPU time, and its attempt is reported as failed for no fault of its own.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable
from typing import Final

from farm.contracts import Failure, FailureClass, Outcome, RenderReport
from workers.attempt import Attempt
from workers.comfy.errors import ComfyError, SlowAnswer, Unreachable
from workers.comfy.standing import Ending, Standing, State
from workers.errors import NodeError
from workers.spool import Started
from workers.station import Station

logger = logging.getLogger(__name__)

PAUSE_S: Final = 1.0


def recover(station: Station, left: Iterable[Started]) -> None:
    """Settle the attempts found in the spool at the start, each as soon as ComfyUI answers; blocks."""
    waiting = deque(left)
    while waiting and not station.node.leaving:
        if not station.node.sight.comfy.reachable or not _settle(waiting[0], station):
            time.sleep(PAUSE_S)
            continue
        waiting.popleft()


def _settle(started: Started, station: Station) -> bool:
    """Report one attempt; return False if ComfyUI is away after all."""
    client = station.client(started.order.attempt_id)
    attempt = Attempt(started.order, node=station.node, client=client, store=station.store)
    attempt.prompt_id = started.prompt_id
    try:
        report = _report(attempt, client.lookup(started.prompt_id))
    except (Unreachable, SlowAnswer):
        return False
    except (ComfyError, NodeError) as error:
        report = attempt.failed(error)
    finally:
        client.close()
    station.spool.finish(report)
    logger.warning("attempt of a former life settled", extra={**attempt.log, "outcome": report.outcome})
    station.changed()
    return True


def _report(attempt: Attempt, standing: Standing) -> RenderReport:
    if standing.ending is Ending.SUCCEEDED:
        attempt.spent(execute_s=standing.executed_s or 0.0)
        return attempt.collect(standing.outputs)
    if standing.state in (State.PENDING, State.RUNNING):
        attempt.client.cancel(attempt.prompt_id)
    if standing.error is not None:
        return attempt.failed(standing.error)
    return attempt.report(
        Outcome.FAILED,
        failure=Failure(
            failure_class=FailureClass.INFRASTRUCTURE,
            code="worker_restarted",
            message="the worker was restarted while this attempt was in hand",
        ),
    )
