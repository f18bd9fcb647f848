"""Simulated nodes keep the contract that real ones keep: the same tiny coordinator, a real broker."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from celery.result import AsyncResult

from farm.contracts import (
    CANARY,
    CONTROL_CANCEL,
    CONTROL_UNSTAGE,
    MANIFEST_NAME,
    FailureClass,
    NodeReport,
    Outcome,
    RenderOrder,
    RenderReport,
    Stage,
    from_json,
)
from farm.tiers import node_queue
from tests.broker_fixture import Broker
from tests.farmsim import lines
from tests.farmsim.fates import NOTHING, Fate, Fates
from tests.farmsim.fleet import Fleet
from tests.farmsim.node import Kind
from tests.farmsim.simulation import library
from tests.integration.workers.coordinator import KEY, Coordinator, coordinator, order
from tests.integration.workers.node_farm import result_of
from tests.integration.workers.waiting import until

LONG_S = 60.0
BRIEF_S = 0.05


@dataclass
class Scene:
    """What a test works with."""

    broker: Broker
    coordinator: Coordinator
    fleet: Fleet
    store: Path

    def send(
        self, queue: str, *, seconds: float = BRIEF_S, **changes: Any
    ) -> tuple[RenderOrder, AsyncResult[Any]]:
        """Publish an order that renders for so long."""
        made = order(**changes)
        self.fleet.do(self.fleet.durations.__setitem__, made.job_id, seconds)
        return made, self.coordinator.send(made, queue)

    def hears_stage(self, made: RenderOrder, stage: Stage) -> NodeReport:
        """Wait until some node says that it has the order at this stage."""
        return self.coordinator.hears(
            lambda report: any(
                item.attempt_id == made.attempt_id and item.stage is stage for item in report.running
            )
        )

    def lies_in(self, queue: str) -> int:
        with self.broker.client() as client:
            return int(client.llen(queue))

    def own_queue(self, name: str = "a") -> str:
        node = self.fleet.nodes[name]
        return node_queue(name, node.epoch)


def open_stage(broker: Broker, store: Path, cards: dict[str, int], fates: Fates = NOTHING) -> Scene:
    here = coordinator(broker.url)
    kinds = {name: Kind(gb=gb, capabilities=library()) for name, gb in cards.items()}
    fleet = Fleet(kinds, broker_url=broker.url, store=store, fates=fates)
    return Scene(broker, here, fleet, store)


@pytest.fixture
def stage(broker: Broker, tmp_path: Path) -> Iterator[Scene]:
    """One node of 24 GB, idle and serving."""
    yield from at_work(open_stage(broker, tmp_path, {"a": 24}))


def at_work(made: Scene) -> Iterator[Scene]:
    with made.coordinator.at_work():
        made.fleet.start()
        until(lambda: made.fleet.do(lambda: all(node.serve for node in made.fleet.nodes.values())))
        yield made
        made.fleet.stop()


def test_a_node_says_what_a_real_one_says(stage: Scene) -> None:
    report = stage.coordinator.hears(lambda report: report.state == "idle")
    assert (report.node, report.tier_gb, report.simulated) == ("a", 24, True)
    assert report.capabilities is None
    stage.coordinator.directives = replace(stage.coordinator.directives, want_capabilities=True)
    told = stage.coordinator.hears(lambda report: report.capabilities)
    assert told.capabilities is not None
    assert told.capabilities.fingerprint == told.fingerprint == report.fingerprint


def test_an_order_becomes_a_picture_a_manifest_a_signed_report_and_a_bell(stage: Scene) -> None:
    made, result = stage.send("vram.8")
    report = result_of(result)
    assert report.is_signed_with(KEY)
    assert (report.outcome, report.node, report.simulated) == (Outcome.SUCCEEDED, "a", True)
    folder = stage.store / made.artifact_folder
    (fact,) = report.artifacts
    assert (folder / fact.path).stat().st_size == fact.bytes
    assert from_json(RenderReport, json.loads((folder / MANIFEST_NAME).read_text())) == report
    until(lambda: made.attempt_id in stage.coordinator.bells)
    (claim,) = stage.coordinator.claims
    assert (claim.attempt_id, claim.token, claim.node) == (made.attempt_id, made.token, "a")


def test_a_busy_node_takes_no_order_to_start_now_and_one_to_stage(stage: Scene) -> None:
    first, _ = stage.send("vram.24", seconds=LONG_S)
    stage.hears_stage(first, Stage.EXECUTING)
    stage.send("vram.24")
    staged, _ = stage.send("vram.24.next")
    stage.hears_stage(staged, Stage.STAGED)
    stage.send("vram.24.next")
    stage.send("vram.0.next")
    stage.coordinator.hears(lambda report: len(report.running) == 2)
    assert [stage.lies_in(queue) for queue in ("vram.24", "vram.24.next", "vram.0.next")] == [1, 1, 1]
    assert not stage.fleet.stats.counts["orders taken by a busy node"]


def test_when_the_gpu_is_free_the_staged_order_executes_and_the_next_is_taken(stage: Scene) -> None:
    results = [stage.send(queue)[1] for queue in ("vram.24", "vram.24.next", "vram.24.next", "vram.8")]
    assert {result_of(result).outcome for result in results} == {Outcome.SUCCEEDED}


def test_a_node_that_may_not_serve_reads_its_own_queue_only(stage: Scene) -> None:
    stage.coordinator.serve = False
    until(lambda: not stage.fleet.nodes["a"].serve)
    stage.send("vram.24")
    _, own = stage.send(stage.own_queue())
    assert result_of(own).outcome is Outcome.SUCCEEDED
    assert stage.lies_in("vram.24") == 1


def test_a_refused_claim_is_dropped(stage: Scene) -> None:
    stage.coordinator.grant = False
    report = result_of(stage.send("vram.24")[1])
    assert (report.outcome, report.reason) == (Outcome.DROPPED, "token is stale")


def test_an_order_that_comes_twice_is_rendered_once(stage: Scene) -> None:
    made, _ = stage.send("vram.24", seconds=LONG_S)
    stage.hears_stage(made, Stage.EXECUTING)
    stage.coordinator.send(made, "vram.24.next")
    until(lambda: stage.fleet.stats.counts["orders delivered twice, dropped"])
    assert len(stage.coordinator.claims) == 1


def test_remote_control_stops_what_executes(stage: Scene) -> None:
    made, result = stage.send("vram.24", seconds=LONG_S)
    stage.hears_stage(made, Stage.EXECUTING)
    control(stage, CONTROL_CANCEL, made)
    assert result_of(result).outcome is Outcome.CANCELLED


def test_directives_stop_what_executes(stage: Scene) -> None:
    made, result = stage.send("vram.24", seconds=LONG_S)
    stage.hears_stage(made, Stage.EXECUTING)
    stage.coordinator.directives = replace(stage.coordinator.directives, cancelled=(made.attempt_id,))
    assert result_of(result).outcome is Outcome.CANCELLED


def test_what_is_staged_can_be_given_up_and_what_executes_goes_on(stage: Scene) -> None:
    first, _ = stage.send("vram.24", seconds=LONG_S)
    stage.hears_stage(first, Stage.EXECUTING)
    second, result = stage.send("vram.24.next")
    stage.hears_stage(second, Stage.STAGED)
    control(stage, CONTROL_UNSTAGE, first)
    control(stage, CONTROL_UNSTAGE, second)
    assert result_of(result).outcome is Outcome.CANCELLED
    assert list(stage.fleet.nodes["a"].hand) == [first.attempt_id]


def test_an_epoch_that_was_given_up_ends_with_all_it_has_in_hand(stage: Scene) -> None:
    made, result = stage.send("vram.24", seconds=LONG_S)
    before = stage.hears_stage(made, Stage.EXECUTING)
    stage.coordinator.given_up.add(before.epoch)
    assert result_of(result).outcome is Outcome.CANCELLED
    stage.coordinator.hears(lambda report: report.epoch != before.epoch and not report.running)


def test_a_report_is_told_until_it_is_confirmed(stage: Scene) -> None:
    stage.coordinator.confirm = False
    made, _ = stage.send("vram.24")
    for _ in range(2):
        heard = stage.coordinator.hears(lambda report: report.finished)
        assert [report.attempt_id for report in heard.finished] == [made.attempt_id]
        stage.coordinator.reports.clear()
        stage.fleet.do(stage.fleet.nodes["a"].reporter.soon)
    stage.coordinator.confirm = True
    until(lambda: not stage.fleet.nodes["a"].spool)


def test_a_canary_is_told_again(stage: Scene) -> None:
    stage.coordinator.app.send_task(CANARY, args=["c7"], queue=stage.own_queue(), ignore_result=True)
    stage.coordinator.hears(lambda report: report.canary == "c7")


def test_nodes_go_on_after_the_broker_was_restarted(stage: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "RETRY_S", 1.0)  # ears are open again before there is a voice
    stage.broker.stop()
    until(lambda: not stage.fleet.words.up)
    stage.broker.start()
    made, _ = stage.send("vram.24")
    until(lambda: made.attempt_id in stage.coordinator.bells)
    assert stage.fleet.stats.outcomes == {"succeeded": 1}


def test_a_stopped_worker_says_nothing_and_its_gpu_goes_on(stage: Scene) -> None:
    made, result = stage.send("vram.24", seconds=0.3)
    stage.hears_stage(made, Stage.EXECUTING)
    node = stage.fleet.nodes["a"]
    stage.fleet.do(node.freeze)
    until(lambda: stage.fleet.do(lambda: node.rendering.idle))
    assert not result.ready()
    stage.fleet.do(node.thaw)
    assert result_of(result).outcome is Outcome.SUCCEEDED


def test_a_worker_that_was_killed_tells_of_what_it_had_begun(stage: Scene) -> None:
    made, result = stage.send("vram.24", seconds=LONG_S)
    before = stage.hears_stage(made, Stage.EXECUTING)
    node = stage.fleet.nodes["a"]
    stage.fleet.do(lambda: node.die(disk=True))
    stage.fleet.do(node.start)
    report = result_of(result)
    assert report.failure is not None
    assert (report.failure.code, report.epoch) == ("worker_restarted", before.epoch)
    assert node.epoch != before.epoch


@pytest.mark.parametrize(
    ("fate", "failure_class"),
    [
        (Fate.OUT_OF_MEMORY, FailureClass.OUT_OF_MEMORY),
        (Fate.COMFY_CRASH, FailureClass.COMFY_CRASHED),
        (Fate.OUTPUT_INVALID, FailureClass.OUTPUT_INVALID),
        (Fate.STORE_FULL, FailureClass.INFRASTRUCTURE),
    ],
)
def test_a_fate_ends_in_its_failure_and_is_proven(
    fate: Fate, failure_class: FailureClass, broker: Broker, tmp_path: Path
) -> None:
    fates = Fates({fate: 1}, arrivals=1, seed=1)
    for stage in at_work(open_stage(broker, tmp_path, {"a": 24, "large": 48}, fates)):
        report = result_of(stage.send(stage.own_queue("a"), tier_gb=8)[1])
        assert report.failure is not None
        assert report.failure.failure_class is failure_class
        assert fates.proven == {str(fate): 1}


def test_the_smallest_node_that_waits_longest_takes_no_more_than_its_tier(
    broker: Broker, tmp_path: Path
) -> None:
    for stage in at_work(open_stage(broker, tmp_path, {"small": 12, "large": 48})):
        assert result_of(stage.send("vram.24")[1]).node == "large"


def test_nothing_is_left_lying_while_nodes_listen(broker: Broker, tmp_path: Path) -> None:
    for stage in at_work(open_stage(broker, tmp_path, dict.fromkeys("abcd", 24))):
        for _ in range(15):
            for queue in ("vram.24", "vram.24.next", "vram.8", "vram.0.next"):
                stage.send(queue, seconds=0.01)
        until(partial(succeeded, stage, 60))
        assert not stage.fleet.stats.counts["orders taken by a busy node"]


def succeeded(stage: Scene, count: int) -> bool:
    return stage.fleet.stats.outcomes["succeeded"] == count


def control(stage: Scene, command: str, made: RenderOrder) -> None:
    stage.coordinator.app.control.broadcast(
        command, arguments={"attempt_id": made.attempt_id}, destination=["a@farmsim"]
    )
