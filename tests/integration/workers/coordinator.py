"""A tiny coordinator: answers claims and node reports, and keeps all it hears."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

from celery import Celery
from celery.contrib.testing.worker import start_worker
from celery.exceptions import Ignore

from farm.contracts import (
    BELL,
    CLAIM,
    RENDER,
    REPORT,
    Bell,
    ClaimReply,
    ClaimRequest,
    NodeDirectives,
    NodeReport,
    OrderInput,
    OrderOutput,
    RenderOrder,
    RenderReport,
    from_json,
    pack_graph,
    to_json,
)
from tests.integration.workers.waiting import until

KEY = "k" * 32


@dataclass
class Coordinator:
    """What the node said, and what it is to be answered.

    ``confirm`` False: reports stay unconfirmed. ``serve`` False: nodes read their own queues only.
    ``silent``: nothing is heard, nothing answered. ``given_up``: epochs that are to end.
    """

    app: Celery
    grant: bool = True
    confirm: bool = True
    serve: bool = True
    silent: bool = False
    given_up: set[str] = field(default_factory=set)
    directives: NodeDirectives = field(default_factory=NodeDirectives)
    claims: list[ClaimRequest] = field(default_factory=list)
    bells: list[str] = field(default_factory=list)
    reports: list[NodeReport] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Answer until the end of the block."""
        with start_worker(
            self.app, pool="solo", perform_ping_check=False, shutdown_timeout=30, loglevel="ERROR"
        ):
            yield

    def send(self, order: RenderOrder, queue: str) -> Any:
        """Publish an order and return its Celery result."""
        return self.app.send_task(
            RENDER, args=[to_json(order)], queue=queue, task_id=order.attempt_id, argsrepr=order.label
        )

    @property
    def last(self) -> NodeReport | None:
        """The node's newest report."""
        with self.lock:
            return self.reports[-1] if self.reports else None

    def hears(self, what: Callable[[NodeReport], object], *, timeout_s: float = 30.0) -> NodeReport:
        """Wait for a node report that fits, beginning with the last one heard, and return it."""
        seen = max(0, len(self.reports) - 1)
        return until(lambda: next((r for r in self.reports[seen:] if what(r)), None), timeout_s=timeout_s)


def coordinator(url: str) -> Coordinator:
    """Make a coordinator on a broker."""
    app = Celery("coordinator", broker=url, backend=url, set_as_current=False)
    app.finalize()
    for name in (CLAIM, REPORT, BELL):
        app.tasks.pop(name, None)  # the farm's own, where another test of this process has imported them
    app.conf.update(
        task_queues=None,
        broker_transport_options={"priority_steps": [0], "polling_interval": 0.1},  # ends within 0.1 s
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
    )
    app.amqp.queues.select(["claims", "reports"])
    me = Coordinator(app)

    @app.task(name=CLAIM, shared=False)
    def claim(data: dict[str, Any]) -> dict[str, Any]:
        if me.silent:
            raise Ignore
        me.claims.append(from_json(ClaimRequest, data))
        return to_json(ClaimReply(granted=me.grant, reason="" if me.grant else "token is stale"))

    @app.task(name=BELL, ignore_result=True, shared=False)
    def bell(data: dict[str, Any]) -> None:
        me.bells.append(from_json(Bell, data).attempt_id)

    @app.task(name=REPORT, shared=False)
    def report(data: dict[str, Any]) -> dict[str, Any]:
        if me.silent:
            raise Ignore
        heard = from_json(NodeReport, data)
        with me.lock:
            me.reports.append(heard)
        confirmed = tuple(done.attempt_id for done in heard.finished) if me.confirm else ()
        given_up = heard.epoch in me.given_up
        return to_json(replace(me.directives, confirmed=confirmed, serve=me.serve, new_epoch=given_up))

    return me


def order(
    graph: dict[str, Any] | None = None,
    *,
    width: int = 64,
    height: int = 48,
    outputs: tuple[OrderOutput, ...] | None = None,
    inputs: tuple[OrderInput, ...] = (),
    **changes: Any,
) -> RenderOrder:
    """Make an order of one grey picture, or of what is given."""
    attempt = str(uuid.uuid4())
    values: dict[str, Any] = {
        "attempt_id": attempt,
        "job_id": str(uuid.uuid4()),
        "token": uuid.uuid4().hex,
        "label": "SQ010_SH0010 keyframe take 1 · plain · 8 GB",
        "template": "plain",
        "tier_gb": 8,
        "need_gb": 4.0,
        "graph_z": pack_graph(graph or picture(attempt, width, height)),
        "inputs": inputs,
        "outputs": outputs or (OrderOutput(node="2", kind="image", width=width, height=height, frames=1),),
        "artifact_folder": f"attempts/{attempt}",
        "report_key": KEY,
        "execution_timeout_s": 60.0,
        "hang_s": 30.0,
    }
    return RenderOrder(**{**values, **changes})


def picture(name: str, width: int, height: int) -> dict[str, Any]:
    """A graph that paints one empty picture and saves it."""
    return {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": width, "height": height, "batch_size": 1, "color": 0x336699},
        },
        "2": {
            "class_type": "SaveImage",
            "inputs": {"images": ["1", 0], "filename_prefix": f"shotfarm/{name}"},
        },
    }


def slow_picture(name: str, seconds: float) -> dict[str, Any]:
    """The same after some sleep, which looks for interrupts between its steps."""
    graph = picture(name, 64, 48)
    graph["3"] = {
        "class_type": "RecSleep",
        "inputs": {"image": ["1", 0], "seconds": seconds, "steps": 200, "nonce": 0},
    }
    graph["2"]["inputs"]["images"] = ["3", 0]
    return graph


def report_of(data: dict[str, Any]) -> RenderReport:
    """Read a report that came through Celery."""
    return from_json(RenderReport, data)


def names_in(folder: Path) -> list[str]:
    """List the file names in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


__all__ = ["KEY", "Coordinator", "coordinator", "names_in", "order", "picture", "report_of", "slow_picture"]
