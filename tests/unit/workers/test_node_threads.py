"""The watch, the reporter and the loop's subscriptions, without a broker."""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from celery import Celery
from celery.result import denied_join_result

from farm.contracts import WAKE, ComfyFact, NodeDirectives, NodeState, Stage
from tests.unit.workers.facts import report
from workers.claims import CeleryClaim
from workers.comfy.client import ComfyClient
from workers.comfy.errors import Unreachable
from workers.gpu import Reading, Site
from workers.logs import JsonLines, WordsAndFields, worth_a_line
from workers.node import Node, Sight
from workers.nvml import Cards
from workers.queues import Subscriptions
from workers.reporter import Reporter
from workers.spool import Spool
from workers.vital import VitalThread
from workers.watch import Watch


class FakeComfy:
    """ComfyUI as the watch sees it."""

    def __init__(self) -> None:
        self.away = False
        self.running: tuple[str, ...] = ()
        self.names = ["wan\\a.safetensors"]
        self.catalogue_read = 0

    def system_stats(self) -> dict[str, Any]:
        if self.away:
            raise Unreachable("connection refused")
        return {"system": {"comfyui_version": "0.27.0"}, "devices": [{"type": "cpu", "name": "cpu"}]}

    def queue(self) -> Any:
        return SimpleNamespace(running=self.running, pending=())

    def object_info(self) -> dict[str, Any]:
        self.catalogue_read += 1
        return {"SaveImage": {}, "KSampler": {}}

    def models(self, *, as_listed: bool) -> dict[str, tuple[str, ...]]:
        assert as_listed
        return {"checkpoints": tuple(self.names)}


def watching(comfy: FakeComfy) -> tuple[Node, Watch, list[str]]:
    node, told = Node("gpu1", "celery@gpu1"), list[str]()
    watch = Watch(
        node,
        cast(ComfyClient, comfy),
        Site(comfyui_url="http://127.0.0.1:8188"),
        changed=lambda: told.append(node.standing()[0]),
        cards=lambda: Cards(()),
    )
    return node, watch, told


def test_the_watch_tells_only_what_is_new() -> None:
    comfy = FakeComfy()
    node, watch, told = watching(comfy)

    watch.look()
    watch.look()
    assert (told, comfy.catalogue_read) == ([NodeState.IDLE], 1)

    comfy.away = True
    watch.look()
    watch.look()
    assert told == [NodeState.IDLE, NodeState.DEAF]
    assert node.sight.fingerprint


def test_a_comfyui_that_comes_back_is_asked_anew_what_it_can_do() -> None:
    comfy = FakeComfy()
    node, watch, _ = watching(comfy)
    watch.look()
    before = node.sight.fingerprint

    comfy.away = True
    watch.look()
    comfy.away, comfy.names = False, ["b.safetensors"]
    watch.look()

    assert node.sight.fingerprint != before


def test_model_names_are_told_with_slashes_and_kept_as_listed() -> None:
    node, watch, _ = watching(FakeComfy())

    watch.look()

    assert node.sight.capabilities is not None
    assert node.sight.capabilities.models == {"checkpoints": ("wan/a.safetensors",)}
    assert node.sight.models_as_listed == {"checkpoints": ("wan\\a.safetensors",)}


def test_a_sick_node_recovers_when_nothing_runs_in_comfyui_any_more() -> None:
    comfy = FakeComfy()
    node, watch, _ = watching(comfy)
    node.sick, comfy.running = "ComfyUI hangs", ("p1",)

    watch.look()
    assert node.standing()[0] is NodeState.SICK

    comfy.running = ()
    watch.look()
    assert node.standing()[0] is NodeState.IDLE


def app() -> Celery:
    """A Celery app whose broker is nowhere."""
    celery = Celery(
        "nowhere", broker="redis://127.0.0.1:1/0", backend="redis://127.0.0.1:1/0", set_as_current=False
    )
    once = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}
    celery.conf.update(task_publish_retry_policy=once, broker_transport_options=once)
    return celery


def reporting(tmp_path: Path) -> tuple[Node, Spool, Reporter]:
    node, spool = Node("gpu1", "celery@gpu1"), Spool(tmp_path)
    return node, spool, Reporter(app(), node, spool, Subscriptions(app(), node))


def test_directives_are_followed(tmp_path: Path) -> None:
    node, spool, reporter = reporting(tmp_path)
    spool.finish(report("done"))
    stop, stay = node.hand.accept("stop", "t"), node.hand.accept("stay", "t")

    reporter.follow(NodeDirectives(confirmed=("done",), cancelled=("stop", "unknown"), desired="paused"))

    assert spool.finished() == ()
    assert (stop.cancelled.is_set(), stay.cancelled.is_set()) == (True, False)
    assert node.desired == "paused"


@pytest.fixture
def in_a_worker() -> Iterator[None]:
    """Celery's state inside a worker: sending a task does not subscribe to its result."""
    with denied_join_result():
        yield


@pytest.mark.usefixtures("in_a_worker")
def test_an_outage_is_said_once_and_costs_no_report(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _, spool, reporter = reporting(tmp_path)
    spool.finish(report("done"))

    with caplog.at_level(logging.INFO, logger="workers.reporter"):
        reporter.exchange()
        reporter.exchange()

    assert [record.message for record in caplog.records] == ["coordinator away, reports are kept"]
    assert [kept.attempt_id for kept in spool.finished()] == ["done"]


@pytest.mark.usefixtures("in_a_worker")
def test_a_claim_that_cannot_be_sent_is_not_granted() -> None:
    request = cast(Any, {"attempt_id": "a1"})

    reply = CeleryClaim(app(), request).answer()

    assert not reply.granted
    assert "not sent" in reply.reason


class FakeConsumer:
    """Celery's consumer as far as subscriptions touch it; ``calls`` is what the loop is to do."""

    def __init__(self) -> None:
        self.hub = object()
        self.calls: list[Any] = []
        self.queues: list[Any] = []
        self.auto_declare = True
        self.task_consumer = self

    def call_soon(self, what: Any) -> None:
        self.calls.append(what)

    def cancel_by_queue(self, name: str) -> None:
        self.queues = [queue for queue in self.queues if queue.name != name]

    def add_queue(self, queue: Any) -> None:
        self.queues.append(queue)

    def consume(self) -> None: ...

    @property
    def names(self) -> list[str]:
        return [queue.name for queue in self.queues]


def test_an_order_switches_the_loop_before_it_reads_again() -> None:
    node, consumer = Node("gpu1", "celery@gpu1"), FakeConsumer()
    node.sight = Sight(comfy=ComfyFact(reachable=True), reading=Reading(tier_gb=8))
    subscriptions = Subscriptions(app(), node)
    node.hand.changed = subscriptions.refresh
    subscriptions.attach(consumer)
    assert consumer.names == [node.own_queue, "vram.8", "vram.8.next", "vram.0", "vram.0.next"]

    node.hand.receive("a1")
    assert consumer.names == [node.own_queue, "vram.8.next", "vram.0.next"]

    node.hand.receive("a2")
    assert consumer.names == [node.own_queue]

    node.hand.release("a1")
    node.hand.move(node.hand.accept("a2", "t"), Stage.COLLECTING)
    assert consumer.names[:3] == [node.own_queue, "vram.8", "vram.8.next"]


def test_a_freed_slot_lets_the_loop_read_again() -> None:
    consumer = FakeConsumer()
    subscriptions = Subscriptions(app(), Node("gpu1", "celery@gpu1"))
    subscriptions.attach(consumer)

    subscriptions.slot_freed()

    assert consumer.calls == [subscriptions.apply]


def test_a_broken_vital_thread_stops_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: sent.append((pid, number)))

    class Broken(VitalThread):
        def work(self) -> None:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Broken("eyes").run()

    assert sent == [(os.getpid(), signal.SIGTERM)]


def record(**fields: Any) -> logging.LogRecord:
    values = {"name": "workers.render", "levelname": "INFO", "msg": "order ended", "created": 0.0, **fields}
    return logging.makeLogRecord(values)


def test_a_log_line_carries_its_fields_as_text_or_as_json() -> None:
    line = record(job="j1", attempt="a1", node="gpu1")

    assert WordsAndFields().format(line).endswith("workers.render: order ended job=j1 attempt=a1 node=gpu1")
    as_json = json.loads(JsonLines().format(line))
    assert (as_json["message"], as_json["level"], as_json["attempt"]) == ("order ended", "info", "a1")
    assert as_json["time"] == "1970-01-01T00:00:00.000+00:00"


def test_wake_leaves_no_line() -> None:
    assert not worth_a_line(record(data={"name": WAKE}))
    assert worth_a_line(record(data={"name": "shotfarm.render"}))
