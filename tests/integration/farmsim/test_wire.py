"""What the simulator writes, real Celery reads; what real Celery writes, the simulator reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from queue import Queue
from typing import Any

import pytest
from celery import Celery
from celery.contrib.testing.worker import start_worker

import celeryconfig
from farm.contracts import (
    CONTROL_CANCEL,
    RENDER,
    REPORT,
    Bell,
    Outcome,
    RenderFailed,
    RenderOrder,
    RenderReport,
    from_json,
    to_json,
)
from tests.broker_fixture import Broker
from tests.farmsim import wire
from tests.unit.workers.facts import order

TASK = "farmsim.test"
CANNOT_BE_EQUAL = {"id", "root_id", "origin"}


@pytest.fixture
def celery(broker: Broker) -> Iterator[Celery]:
    """A Celery app as nodes have it."""
    app = Celery("real", set_as_current=False)
    app.config_from_object(celeryconfig)
    app.conf.update(broker_url=broker.url, result_backend=broker.url, task_send_sent_event=False)
    yield app
    app.close()


def in_queue(broker: Broker, queue: str) -> bytes:
    """The one message in a queue, as it lies there."""
    with broker.client() as client:
        (message,) = client.lrange(queue, 0, -1)
    return str(message).encode()


def report() -> RenderReport:
    """A signed report."""
    made = RenderReport(
        attempt_id="a1", job_id="j1", token="t1", node="n1", epoch="e1", outcome=Outcome.FAILED, reason="쇼"
    )
    return made.signed("key")


def test_a_real_worker_runs_a_task_written_here_and_its_answer_is_read(
    celery: Celery, broker: Broker
) -> None:
    heard: Queue[Any] = Queue()

    @celery.task(name=TASK)
    def answer(argument: dict[str, Any]) -> dict[str, Any]:
        heard.put(argument)
        return {"granted": True}

    message = wire.task_message(TASK, Bell(attempt_id="a1"), queue="celery", task_id="call-1")
    with broker.client() as client:
        client.lpush("celery", message)
        with start_worker(celery, pool="solo", perform_ping_check=False):
            assert from_json(Bell, heard.get(timeout=20)) == Bell(attempt_id="a1")
            assert celery.AsyncResult("call-1").get(timeout=20) == {"granted": True}
        stored = str(client.get(wire.result_key("call-1"))).encode()
    assert wire.answer(stored) == {"granted": True}


def test_a_task_written_by_celery_is_read_here(celery: Celery, broker: Broker) -> None:
    sent = order("a7", label="쇼트")
    celery.send_task(RENDER, args=[to_json(sent)], task_id="a7", queue="vram.8")
    message = wire.read_task(in_queue(broker, "vram.8"))
    assert (message.task, message.task_id) == (RENDER, "a7")
    assert from_json(RenderOrder, message.argument) == sent


def test_both_write_the_same_fields(celery: Celery, broker: Broker) -> None:
    celery.send_task(REPORT, args=[{"node": "n1"}], queue="reports", argsrepr="n1 idle")
    real = json.loads(in_queue(broker, "reports"))
    ours = json.loads(wire.task_message(REPORT, {"node": "n1"}, queue="reports", argsrepr="n1 idle"))
    assert ours.keys() == real.keys()
    assert ours["headers"].keys() == real["headers"].keys()
    told = {name: value for name, value in ours["headers"].items() if name not in CANNOT_BE_EQUAL}
    assert told == {name: value for name, value in real["headers"].items() if name not in CANNOT_BE_EQUAL}
    assert ours["properties"].keys() == real["properties"].keys() - {"argsrepr"}
    with broker.client() as client:
        client.delete("reports")
    celery.send_task(REPORT, args=[], queue="reports", ignore_result=True)
    quiet = json.loads(in_queue(broker, "reports"))["headers"]["ignore_result"]
    ours = json.loads(wire.task_message(REPORT, {}, queue="reports", ignore_result=True))
    assert ours["headers"]["ignore_result"] == quiet


def test_results_written_here_are_what_celery_reads(celery: Celery, broker: Broker) -> None:
    told = report()
    with broker.client() as client:
        client.set(wire.result_key("good"), wire.success("good", told))
        client.set(wire.result_key("bad"), wire.failure("bad", told))
    good = celery.backend.get_task_meta("good")
    assert good["status"] == "SUCCESS"
    assert from_json(RenderReport, good["result"]) == told
    bad = celery.backend.get_task_meta("bad")
    assert bad["status"] == "FAILURE"
    assert isinstance(bad["result"], RenderFailed)
    assert from_json(RenderReport, bad["result"].report) == told


def test_results_have_celerys_own_fields(celery: Celery, broker: Broker) -> None:
    failed = RenderFailed(to_json(report()))
    celery.backend.store_result("real", failed, "FAILURE", traceback="told")
    with broker.client() as client:
        real = json.loads(str(client.get(wire.result_key("real"))))
    ours = json.loads(wire.failure("ours", report()))
    assert ours.keys() == real.keys()
    assert ours["result"] == real["result"]


def test_a_remote_cancel_is_read_here(celery: Celery, broker: Broker) -> None:
    with broker.client() as client, client.pubsub(ignore_subscribe_messages=True) as ears:
        ears.subscribe(wire.PIDBOX)
        ears.get_message(timeout=5)
        celery.control.broadcast(CONTROL_CANCEL, arguments={"attempt_id": "a1"}, destination=["n1@farmsim"])
        heard = ears.get_message(timeout=5)
    assert heard is not None
    told = wire.read_control(str(heard["data"]).encode())
    assert told == (CONTROL_CANCEL, {"attempt_id": "a1"}, ["n1@farmsim"])


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"headers": {}}', b'{"headers": {}, "body": "%%%"}', b"\xff"])
def test_what_is_no_task_is_told(raw: bytes) -> None:
    with pytest.raises(wire.NoTask):
        wire.read_task(raw)
