"""The reporter and the loop's subscriptions, without a broker."""

from __future__ import annotations

import errno
import json
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import pytest
from celery import Celery
from celery.result import denied_join_result
from redis.exceptions import NoPermissionError

from farm.contracts import WAKE, ComfyFact, ContractError, NodeDirectives, Stage, to_json
from farm.logs import JsonLines, WordsAndFacts
from tests.unit.workers.facts import report
from workers.claims import CeleryClaim
from workers.gpu import Reading
from workers.logs import worth_a_line
from workers.node import Node, Sight
from workers.outbox import IN_VAIN, WITHHELD_S
from workers.queues import Subscriptions
from workers.reporter import MOST_WAITING, ORDER_S, PERIOD_S, STAGE_S, Reporter
from workers.spool import Spool
from workers.vital import VitalThread


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

    reporter.follow(
        NodeDirectives(confirmed=("done",), cancelled=("stop", "unknown"), desired="paused", serve=True)
    )

    assert spool.finished() == ()
    assert (stop.cancelled.is_set(), stay.cancelled.is_set()) == (True, False)
    assert (node.desired, node.serve) == ("paused", True)


def test_serving_begins_and_ends_with_the_directive_and_outlasts_silence(tmp_path: Path) -> None:
    node, consumer = Node("gpu1", "celery@gpu1"), FakeConsumer()
    node.sight = Sight(comfy=ComfyFact(reachable=True), reading=Reading(tier_gb=0))
    subscriptions = Subscriptions(app(), node)
    reporter = Reporter(app(), node, Spool(tmp_path), subscriptions)
    subscriptions.attach(consumer)
    assert consumer.names == [node.own_queue]

    reporter.follow(NodeDirectives(serve=True))
    with denied_join_result():
        reporter.exchange()  # nobody answers
    assert consumer.names == [node.own_queue, "vram.0", "vram.0.next"]

    reporter.follow(NodeDirectives())
    assert consumer.names == [node.own_queue]


def is_due(reporter: Reporter) -> bool:
    """Tell whether the next report goes out at once, and forget it, as the reporter does when it sends."""
    due: Event = cast(Any, reporter)._changed
    was = due.is_set()
    due.clear()
    return was


@pytest.mark.parametrize(
    "directives",
    [
        NodeDirectives(want_capabilities=True),
        NodeDirectives(new_epoch=True),
        NodeDirectives(desired="paused"),
    ],
)
def test_a_coordinator_that_asks_the_same_for_ever_is_answered_at_once_only_once(
    tmp_path: Path, directives: NodeDirectives
) -> None:
    _, _, reporter = reporting(tmp_path)

    reporter.follow(directives)
    assert is_due(reporter)

    reporter.follow(directives)
    reporter.follow(directives)
    assert not is_due(reporter)

    reporter.follow(NodeDirectives())
    is_due(reporter)
    reporter.follow(directives)
    assert is_due(reporter)


def test_what_the_coordinator_decides_by_is_told_at_once_and_an_orders_way_a_little_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, _, made = reporting(tmp_path)
    reporter = cast(Any, made)
    monkeypatch.setattr(reporter._app, "send_task", lambda *_, **__: None)
    node.sight = Sight(comfy=ComfyFact(reachable=True), reading=Reading(tier_gb=24))

    def may_wait(change: Callable[[], object]) -> float:
        reporter._send()
        change()
        waits: float = reporter._may_wait_s()
        return waits

    def falls_sick() -> None:
        node.sick = "ComfyUI hangs"

    order = node.hand.accept("a1", "t")
    assert may_wait(lambda: node.hand.receive("a2")) == ORDER_S
    assert may_wait(lambda: node.hand.release("a2")) == ORDER_S
    assert may_wait(lambda: node.hand.move(order, Stage.STAGED)) == ORDER_S
    assert may_wait(lambda: node.hand.move(order, Stage.EXECUTING)) == STAGE_S
    assert may_wait(lambda: node.hand.release("a1")) == ORDER_S
    assert may_wait(falls_sick) == 0
    assert may_wait(node.begin_new_epoch) == 0
    assert 0 < STAGE_S < ORDER_S < PERIOD_S


def test_reports_that_nobody_confirms_keep_no_other_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, spool, reporter = reporting(tmp_path)
    told: list[list[str]] = []
    monkeypatch.setattr(
        cast(Any, reporter)._app,
        "send_task",
        lambda *_, args, **__: told.append([done["attempt_id"] for done in args[0]["finished"]]),
    )
    names = [f"a{number:03d}" for number in range(130)]
    for age, name in enumerate(names):
        spool.finish(report(name))
        os.utime(tmp_path / f"finished/{name}.json", ns=(0, age))

    for _ in range(5):
        cast(Any, reporter)._send()

    assert {len(message) for message in told} == {50}
    assert all(message[-1] == "a129" for message in told), "the newest always travels"
    assert all(message == sorted(message) for message in told), "oldest first"
    assert {name for message in told for name in message} == set(names)


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
    node.serve = True
    subscriptions = Subscriptions(app(), node)
    node.hand.changed = subscriptions.refresh
    subscriptions.attach(consumer)
    assert consumer.names == [node.own_queue, "vram.8", "vram.0", "vram.8.next", "vram.0.next"]

    node.hand.receive("a1")
    assert consumer.names == [node.own_queue, "vram.8.next", "vram.0.next"]

    node.hand.receive("a2")
    assert consumer.names == [node.own_queue]

    node.hand.release("a1")
    node.hand.move(node.hand.accept("a2", "t"), Stage.COLLECTING)
    assert consumer.names[:3] == [node.own_queue, "vram.8", "vram.0"]


def test_a_freed_slot_lets_the_loop_read_again() -> None:
    consumer = FakeConsumer()
    subscriptions = Subscriptions(app(), Node("gpu1", "celery@gpu1"))
    subscriptions.attach(consumer)

    subscriptions.slot_freed()

    assert consumer.calls == [subscriptions.apply]


class CutOff(Subscriptions):
    """Its connection is let go of by the loop right after another thread has looked at it."""

    held: Any = None

    @property
    def _consumer(self) -> Any:
        held, self.held = self.held, None
        return held

    @_consumer.setter
    def _consumer(self, consumer: Any) -> None:
        self.held = consumer


@pytest.mark.parametrize("what", ["refresh", "slot_freed"])
def test_a_connection_that_is_let_go_of_meanwhile_breaks_no_other_thread(what: str) -> None:
    node, consumer = Node("gpu1", "celery@gpu1"), FakeConsumer()
    subscriptions = CutOff(app(), node)
    subscriptions.held = consumer
    node.hand.receive("a1")
    node.hand.receive("a2")  # no slot is free, so nothing needs to be woken

    getattr(subscriptions, what)()

    assert consumer.calls == [subscriptions.apply]


def test_a_loop_without_a_connection_applies_nothing() -> None:
    subscriptions = CutOff(app(), Node("gpu1", "celery@gpu1"))
    subscriptions.held = SimpleNamespace(task_consumer=None)

    subscriptions.apply()

    assert subscriptions.listening == ()


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

    assert WordsAndFacts().format(line).endswith("workers.render: order ended job=j1 attempt=a1 node=gpu1")
    as_json = json.loads(JsonLines().format(line))
    assert (as_json["message"], as_json["level"], as_json["attempt"]) == ("order ended", "info", "a1")
    assert as_json["time"] == "1970-01-01T00:00:00.000+00:00"


def test_wake_leaves_no_line() -> None:
    assert not worth_a_line(record(data={"name": WAKE}))
    assert worth_a_line(record(data={"name": "shotfarm.render"}))


def test_a_disk_that_fails_keeps_no_directive_from_being_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, spool, reporter = reporting(tmp_path)
    spool.finish(report("done"))
    stop = node.hand.accept("stop", "t")
    refused: list[str] = []

    def unlink(path: Path, missing_ok: bool = False) -> None:
        refused.append(path.name)
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", unlink)
    reporter.follow(NodeDirectives(confirmed=("done",), cancelled=("stop",), serve=True))

    assert refused == ["done.json"]
    assert stop.cancelled.is_set()
    assert node.serve


@pytest.mark.usefixtures("in_a_worker")
@pytest.mark.parametrize(("lies_there", "sent"), [(MOST_WAITING, 2), (MOST_WAITING + 1, 1)])
def test_a_coordinator_that_is_away_for_days_does_not_fill_the_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lies_there: int, sent: int
) -> None:
    _, _, made = reporting(tmp_path)
    reporter = cast(Any, made)
    told: list[str] = []
    monkeypatch.setattr(reporter, "_waiting", lambda: lies_there)

    def send_task(name: str, **_: object) -> object:
        told.append(name)
        return SimpleNamespace(ready=lambda: False)

    monkeypatch.setattr(reporter._app, "send_task", send_task)
    reporter._patience_s = 0.0

    made.exchange()  # nobody answers: away from now on
    made.exchange()

    assert len(told) == sent


class Pedant:
    """A coordinator that cannot read the reports of some attempts, and refuses a message that holds one."""

    def __init__(self, *unreadable: str) -> None:
        self.unreadable = unreadable
        self.heard: list[list[str]] = []
        self.refused = 0

    def send_task(self, _name: str, *, args: list[Any], **_: Any) -> Any:
        told = [done["attempt_id"] for done in args[0]["finished"]]
        answer: object = to_json(NodeDirectives(confirmed=tuple(told)))
        if set(told) & set(self.unreadable):
            self.refused += 1
            answer = ContractError("RenderReport: Invalid enum value 'interrupted' - at `$.failure`")
        else:
            self.heard.append(told)
        return SimpleNamespace(ready=lambda: True, result=answer, forget=lambda: None)


def test_a_report_that_an_older_coordinator_cannot_read_keeps_no_other_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, spool, reporter = reporting(tmp_path)
    pedant = Pedant("a3", "a7")
    monkeypatch.setattr(cast(Any, reporter)._app, "send_task", pedant.send_task)
    for number in range(10):
        spool.finish(report(f"a{number}"))
        os.utime(tmp_path / f"finished/a{number}.json", ns=(0, number))

    for _ in range(20):
        reporter.exchange()

    assert pedant.refused >= 2
    assert sorted(name for told in pedant.heard for name in told) == [
        f"a{n}" for n in (0, 1, 2, 4, 5, 6, 8, 9)
    ]
    assert [kept.attempt_id for kept in spool.finished()] == ["a3", "a7"], "kept for one that can"
    assert pedant.heard[-1] == [], "and the node goes on reporting"
    named = [vars(line)["attempt"] for line in caplog.records if "cannot read" in line.message]
    assert named == ["a3", "a7"]

    pedant.unreadable = ()
    later = time.monotonic() + WITHHELD_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    reporter.exchange()
    assert pedant.heard[-1] == ["a3", "a7"]
    assert spool.finished() == ()


def test_a_report_that_is_never_confirmed_is_told_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, spool, reporter = reporting(tmp_path)
    told: list[list[str]] = []

    def send_task(_name: str, *, args: list[Any], **_: Any) -> Any:
        told.append([done["attempt_id"] for done in args[0]["finished"]])
        answer = to_json(NodeDirectives(confirmed=("good",)))
        return SimpleNamespace(ready=lambda: True, result=answer, forget=lambda: None)

    monkeypatch.setattr(cast(Any, reporter)._app, "send_task", send_task)
    spool.finish(report("signed-with-a-key-of-yesterday"))
    for _ in range(IN_VAIN + 5):
        reporter.exchange()
    spool.finish(report("good"))
    reporter.exchange()

    assert told.count(["signed-with-a-key-of-yesterday"]) == IN_VAIN
    assert told[-1] == ["good"]
    assert [kept.attempt_id for kept in spool.finished()] == ["signed-with-a-key-of-yesterday"]

    later = time.monotonic() + WITHHELD_S + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    reporter.exchange()
    assert told[-1] == ["signed-with-a-key-of-yesterday"]


def test_a_coordinator_that_breaks_over_a_report_gets_all_of_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, spool, reporter = reporting(tmp_path)
    spool.finish(report("done"))
    told: list[list[str]] = []

    def send_task(_name: str, *, args: list[Any], **_: Any) -> Any:
        told.append([done["attempt_id"] for done in args[0]["finished"]])
        broken = RuntimeError("database is locked")
        return SimpleNamespace(ready=lambda: True, result=broken, forget=lambda: None)

    monkeypatch.setattr(cast(Any, reporter)._app, "send_task", send_task)
    monkeypatch.setattr(reporter, "_waiting", lambda: 0)
    reporter.exchange()
    reporter.exchange()

    assert told == [["done"], ["done"]]
    assert "database is locked" in str(vars(caplog.records[-1])["error"])


def test_what_a_coordinator_refuses_of_a_node_is_said_once_in_its_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, _, reporter = reporting(tmp_path)

    for _ in range(3):
        reporter.follow(NodeDirectives(refused="another worker uses this name"))

    assert [vars(line)["why"] for line in caplog.records if "refused" in line.message] == [
        "another worker uses this name"
    ]


@pytest.mark.usefixtures("in_a_worker")
def test_a_node_that_may_not_count_the_reports_goes_on_reporting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, made = reporting(tmp_path)
    reporter = cast(Any, made)
    asked: list[str] = []
    told: list[str] = []

    def llen(queue: str) -> int:
        asked.append(queue)
        raise NoPermissionError("this user has no permissions to run the 'llen' command")

    def send_task(name: str, **_: object) -> object:
        told.append(name)
        return SimpleNamespace(ready=lambda: False)

    counted = SimpleNamespace(client=SimpleNamespace(llen=llen))
    monkeypatch.setattr(reporter, "_app", SimpleNamespace(send_task=send_task, backend=counted))
    reporter._patience_s = 0.0

    made.exchange()
    made.exchange()

    assert (asked, len(told)) == (["reports"], 2)
