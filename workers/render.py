"""One attempt, from its order to its report.

``stage inputs ─▶ claim ─▶ POST /prompt ─▶ follow ─▶ collect, decode, checksum ─▶ artifacts + manifest``

Whatever happens, the attempt ends in a signed report that stands in the spool before anyone hears of it.
"""

from __future__ import annotations

import logging
import time
import uuid
from typing import Final

from farm import logs
from farm.contracts import (
    UNSTAGED,
    ClaimRequest,
    ContractError,
    FailureClass,
    Outcome,
    RenderFailed,
    RenderOrder,
    RenderReport,
    Stage,
    to_json,
)
from workers import inputs
from workers.attempt import Attempt
from workers.comfy.client import Graph
from workers.comfy.errors import (
    BadAnswer,
    BehindHang,
    BehindOthers,
    ComfyError,
    ConnectionCut,
    Hung,
    Interrupted,
    InterruptIgnored,
    MadeWay,
    OutOfMemory,
    SlowAnswer,
    Vanished,
)
from workers.comfy.follow import Finished, follow
from workers.comfy.model_names import fit_model_names
from workers.comfy.progress import ProgressSocket
from workers.errors import Cancelled, Dropped, NodeError, OrderUnreadable
from workers.hand import InHand
from workers.logs import attempt_lines
from workers.node import Node
from workers.peak import PeakMeter
from workers.spool import Started
from workers.station import Station
from workers.store import safe_key

logger = logging.getLogger(__name__)

INTERRUPT_S: Final = 60.0
"""How long an interrupted prompt may go on: ComfyUI looks between steps, and some nodes never look."""

LOST_S: Final = 30.0
"""How long ComfyUI may be away before its prompt is given up. A restart takes 8–11 s on two cores."""


def render(order: RenderOrder, station: Station) -> RenderReport:
    """Render one order and return its signed report, whatever the outcome.

    Raises RenderFailed, with the report, from an error that nobody foresaw.
    """
    with (
        logs.bound(job=order.job_id, attempt=order.attempt_id, node=station.node.name),
        logs.hidden(order.report_key),
        attempt_lines.keeping(order.attempt_id),
    ):
        return _render(order, station)


def _render(order: RenderOrder, station: Station) -> RenderReport:
    client = station.client(order.attempt_id)
    attempt = Attempt(order, node=station.node, client=client, store=station.store.of(order))
    in_hand = station.node.hand.accept(order.attempt_id, order.token)
    logger.info("order accepted", extra={"template": order.template, "label": order.label})
    try:
        report = _run(attempt, in_hand, station)
    except Dropped as answer:
        report = attempt.report(Outcome.DROPPED, reason=str(answer))
    except Cancelled as answer:
        report = attempt.report(Outcome.CANCELLED, reason=str(answer))
    except (ComfyError, NodeError) as error:
        logger.warning("attempt failed", extra={"failure": error.failure_class, "why": str(error)})
        report = attempt.failed(error)
        _learn_from(error, station)
    except Exception as exc:
        logger.exception("render broke")
        report = attempt.broke(exc)
        station.remember(report)
        raise RenderFailed(to_json(report)) from exc
    finally:
        client.close()
    station.remember(report)  # where that fails it still travels by the result backend
    logger.info("order ended", extra={"outcome": report.outcome, "why": _why(report)})
    return report


def _run(attempt: Attempt, in_hand: InHand, station: Station) -> RenderReport:
    hand = station.node.hand
    with attempt.timed("stage_s"):
        graph = _stage(attempt, in_hand, station)
    try:
        finished = _execute(graph, attempt, in_hand, station)
    except Interrupted as exc:
        if in_hand.cancelled.is_set():
            raise Cancelled("interrupted in ComfyUI") from exc
        raise
    except MadeWay as exc:
        raise Cancelled(UNSTAGED) from exc
    except InterruptIgnored as exc:
        if not in_hand.cancelled.is_set():
            raise
        _learn_from(exc, station)  # before the report frees this order's place
        raise Cancelled(f"ComfyUI is still busy with it: {exc}") from exc
    hand.move(in_hand, Stage.COLLECTING)
    return attempt.collect(finished.outputs)


def _stage(attempt: Attempt, in_hand: InHand, station: Station) -> Graph:
    """Upload the inputs while the claim is on its way. Raises Dropped, Cancelled, NodeError, ComfyError."""
    order = attempt.order
    request = ClaimRequest(
        attempt_id=order.attempt_id,
        token=order.token,
        node=station.node.name,
        epoch=attempt.epoch,
        sent_at=time.time(),
    )
    claim = station.claim(request)
    safe_key(order.artifact_folder)
    station.secrets_for(order)  # before the render, which would end without it
    attempt.store.require()  # before the render, which would find no place for what it made
    try:
        graph = fit_model_names(order.graph, station.node.sight.models_as_listed)
    except ContractError as exc:
        raise OrderUnreadable(str(exc)) from exc
    staged = inputs.stage(graph, order.inputs, store=attempt.store, upload=attempt.client.upload)
    logger.info("inputs staged", extra={"files": len(order.inputs)})
    reply = claim.answer()
    if not reply.granted:
        raise Dropped(reply.reason or "claim refused")
    logger.info("claim granted")
    if in_hand.cancelled.is_set():
        raise Cancelled("cancelled before its prompt was queued")
    if in_hand.unstaged.is_set():
        raise Cancelled(UNSTAGED)
    return staged


def _execute(graph: Graph, attempt: Attempt, in_hand: InHand, station: Station) -> Finished:
    """Run the graph; out of memory, once more with everything unloaded (design §6)."""
    if attempt.order.free_first:
        _free(attempt, station)
    try:
        return _run_prompt(graph, attempt, in_hand, station)
    except OutOfMemory:
        if attempt.order.key:
            raise  # a service would be asked, and paid, twice
        logger.info("out of memory, unloading and trying once more")
        _free(attempt, station)
        # What is staged behind it has begun meanwhile. ComfyUI unloads before its next prompt: be that one.
        return _run_prompt(graph, attempt, in_hand, station, front=True)


def _free(attempt: Attempt, station: Station) -> None:
    attempt.client.free()
    station.node.residents.clear()


def _run_prompt(
    graph: Graph, attempt: Attempt, in_hand: InHand, station: Station, *, front: bool = False
) -> Finished:
    order, client = attempt.order, attempt.client
    attempt.prompt_id = str(uuid.uuid4())
    station.spool.start(Started(order=order, prompt_id=attempt.prompt_id, epoch=attempt.epoch))
    station.node.others.ours(attempt.prompt_id)
    stop = _Stop(in_hand, station.node)
    pace = station.node.paces.of(order.template)
    meter = PeakMeter(station.node.sight.reading)
    with ProgressSocket(client, attempt.prompt_id) as socket, meter:
        try:
            client.submit(graph, attempt.prompt_id, front=front, secrets=station.secrets_for(order))
            logger.info("prompt queued", extra={"prompt": attempt.prompt_id, "nodes": len(graph)})
            station.node.hand.move(in_hand, Stage.STAGED)
            finished = follow(
                client,
                attempt.prompt_id,
                socket=socket,
                graph=graph,
                listener=HandListener(station.node, in_hand, attempt.prompt_id, graph, meter),
                should_stop=stop,
                execution_timeout_s=order.execution_timeout_s,
                hang_s=order.hang_s,
                interrupt_s=INTERRUPT_S,
                lost_s=LOST_S,
                makes_way=in_hand.unstaged.is_set,
                pace=pace,
            )
        except Interrupted as exc:
            if stop.behind is None or in_hand.cancelled.is_set():
                raise
            raise stop.behind from exc
        except Hung:
            station.node.paces.keep(order.template, pace)  # one that obeyed the interrupt had but a long step
            raise
        except (ConnectionCut, SlowAnswer, BadAnswer, Vanished):
            # One that only seemed gone, behind a stalled server or network, would hold the GPU for nobody.
            client.abandon(attempt.prompt_id)  # whatever ComfyUI has of it nobody waits for
            raise
        except ComfyError:
            raise  # it has ended, or was never begun
        except Exception:
            client.abandon(attempt.prompt_id)  # nobody follows it any more
            raise
        finally:
            attempt.saw_peak(meter.peak_mib)
    station.node.paces.keep(order.template, pace)
    attempt.spent(wait_s=finished.queued_s, execute_s=finished.executed_s)
    logger.info("prompt finished", extra={"executed_s": round(finished.executed_s, 3)})
    return finished


class _Stop:
    """Whether an order is to stop: it was cancelled, or it has not begun and waits behind what does not end.

    ``behind``: the latter, once it was so.
    """

    def __init__(self, in_hand: InHand, node: Node) -> None:
        self._in_hand = in_hand
        self._node = node
        self.behind: ComfyError | None = None

    def __call__(self) -> bool:
        if self.behind is None and self._in_hand.stage is Stage.STAGED:
            self.behind = _without_end(self._node)
        return self.behind is not None or self._in_hand.cancelled.is_set()


def _without_end(node: Node) -> ComfyError | None:
    """Say what stands in front of a prompt that has not begun, if nobody knows when that will end."""
    if node.sick:
        return BehindHang("Another prompt hangs in ComfyUI; this one was taken out of its queue")
    if node.sight.crowded:
        return BehindOthers(
            "Somebody else's prompts have had ComfyUI for longer than SHOTFARM_OTHERS_SECONDS; this one was "
            "taken out of its queue"
        )
    return None


class HandListener:
    """Carries ComfyUI's progress to the hand, what it loads to the book of resident models, and its start
    to the meter of memory."""

    def __init__(self, node: Node, in_hand: InHand, prompt_id: str, graph: Graph, meter: PeakMeter) -> None:
        self._node = node
        self._hand = node.hand
        self._in_hand = in_hand
        self._prompt_id = prompt_id
        self._graph = graph
        self._meter = meter

    def queued(self) -> None:
        """The prompt waits in ComfyUI's queue."""
        self._hand.move(self._in_hand, Stage.STAGED)

    def started(self) -> None:
        """ComfyUI executes the prompt."""
        logger.info("execution started")
        self._meter.begin()
        if catalogue := self._node.sight.catalogue:
            self._node.residents.begin(self._prompt_id, self._graph, catalogue)
        self._hand.move(self._in_hand, Stage.EXECUTING)

    def cached(self, nodes: tuple[str, ...]) -> None:
        """ComfyUI remembers the outputs of these nodes."""
        self._node.residents.cached(nodes)

    def progress(self, fraction: float, doing: str) -> None:
        """A graph node got on."""
        self._hand.progress(self._in_hand, fraction, doing)


def _learn_from(error: ComfyError | NodeError, station: Station) -> None:
    """Some failures say something of the node itself."""
    if error.failure_class is FailureClass.COMFY_HUNG:
        station.node.sick = f"ComfyUI hangs: {error}"
        station.changed()
    elif error.failure_class is FailureClass.OUT_OF_MEMORY:
        station.node.residents.clear()  # ComfyUI unloads everything itself
    elif error.failure_class in (FailureClass.MISSING_MODEL, FailureClass.REJECTED_GRAPH):
        station.look_again(catalogue=True)
    elif error.failure_class in (FailureClass.INFRASTRUCTURE, FailureClass.COMFY_CRASHED):
        station.look_again()


def _why(report: RenderReport) -> str:
    return report.failure.message if report.failure else report.reason
