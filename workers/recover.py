"""After a restart of the worker: settle what its former life left in ComfyUI.

What the former life had stored whole counts, and a prompt that ended well meanwhile is collected, once the
store is there and has room for it. Any other is taken out of ComfyUI, so that nobody waits for it while it
burns GPU time, and its attempt is reported as failed for no fault of its own.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from farm import logs
from farm.contracts import Failure, FailureClass, Outcome, RenderReport
from workers.attempt import Attempt
from workers.comfy.errors import ComfyError, SlowAnswer, Unreachable
from workers.comfy.standing import Ending, Standing, State
from workers.errors import NodeError, StoreUnavailable
from workers.logs import attempt_lines
from workers.render import INTERRUPT_S
from workers.spool import Started
from workers.station import Station

logger = logging.getLogger(__name__)

PAUSE_S: Final = 1.0


@dataclass
class _Left:
    """An attempt of a former life; ``report``: how it ended, once that is known."""

    started: Started
    report: RenderReport | None = None


class _NotNow(Exception):
    """What was rendered cannot be stored at present: it is not thrown away for that."""


def recover(station: Station, left: Iterable[Started]) -> None:
    """Settle the attempts found in the spool at the start, each for itself; blocks until all are.

    The newest first: taking out the one that runs would start the one that waits behind it. One that
    cannot be settled now, as ComfyUI, the store or the disk is away, waits behind the others.
    """
    waiting = deque(_Left(started) for started in reversed(tuple(left)))
    while waiting and not station.node.leaving:
        if station.node.sight.comfy.reachable:
            one = waiting.popleft()
            if _settle(one, station):
                continue
            waiting.append(one)
        time.sleep(PAUSE_S)


def _settle(left: _Left, station: Station) -> bool:
    """Report one attempt, whatever comes of it; return False to try again later."""
    order = left.started.order
    with (
        logs.bound(job=order.job_id, attempt=order.attempt_id, node=station.node.name),
        logs.hidden(order.report_key),
        attempt_lines.keeping(order.attempt_id),
    ):
        if left.report is None:
            left.report = _outcome(left.started, station)
        if left.report is None or not station.remember(left.report):
            return False
        logger.warning("attempt of a former life settled", extra={"outcome": left.report.outcome})
    station.changed()
    return True


def _outcome(started: Started, station: Station) -> RenderReport | None:
    """Find out how an attempt ended; None to ask again later."""
    client = station.client(started.order.attempt_id)
    store = station.store.of(started.order)
    attempt = Attempt(started.order, node=station.node, client=client, store=store)
    attempt.prompt_id = started.prompt_id
    attempt.epoch = started.epoch or attempt.epoch
    try:
        return _report(attempt, client.lookup(started.prompt_id), station)
    except (Unreachable, SlowAnswer, _NotNow) as error:
        logger.debug("attempt of a former life not settled yet", extra={"why": str(error)})
        return None
    except (ComfyError, NodeError) as error:
        return attempt.failed(error)
    except Exception as exc:
        # The outermost edge of this attempt: the report tells it, and the next attempt has its turn.
        logger.exception("attempt of a former life broke")
        return attempt.broke(exc)
    finally:
        client.close()


def _report(attempt: Attempt, standing: Standing, station: Station) -> RenderReport:
    if standing.state in (State.PENDING, State.RUNNING):
        logger.warning("prompt of a former life is stopped", extra={"standing": str(standing.state)})
        standing = _stop(attempt, standing, station)
    if standing.state not in (State.PENDING, State.RUNNING):
        _require_store(attempt, station)
        if (report := attempt.stored()) is not None:
            logger.warning("report of a former life found in the store")
            return report
    logger.warning(
        "attempt of a former life found; what that life logged is in its own log file only",
        extra={"standing": str(standing.ending or standing.state)},
    )
    if standing.ending is Ending.SUCCEEDED:
        attempt.spent(execute_s=standing.executed_s or 0.0)
        return attempt.collect(standing.outputs)
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


def _require_store(attempt: Attempt, station: Station) -> None:
    """Raise _NotNow where files can neither be found nor stored: ComfyUI keeps what it has rendered."""
    if full := station.node.sight.disks:
        raise _NotNow(full)
    try:
        attempt.store.require()
    except StoreUnavailable as exc:
        raise _NotNow(str(exc)) from exc


def _stop(attempt: Attempt, standing: Standing, station: Station) -> Standing:
    """Stop the prompt; return how it ended by itself where the interrupt came too late."""
    if not _stopped(attempt):
        station.node.sick = f"ComfyUI is still busy with attempt {attempt.order.attempt_id} of a former life"
        station.changed()
        return standing
    ended = attempt.client.lookup(attempt.prompt_id)
    return standing if ended.ending is Ending.INTERRUPTED else ended


def _stopped(attempt: Attempt) -> bool:
    """Take the prompt out of ComfyUI, asking again and again; return False if it goes on all the same."""
    deadline = time.monotonic() + INTERRUPT_S
    while not attempt.client.cancel(attempt.prompt_id):
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE_S)
    return True
