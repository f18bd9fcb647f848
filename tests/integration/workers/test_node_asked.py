"""What a node does when the coordinator asks: give staged work up, hear a canary, render a probe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from farm.contracts import (
    CANARY,
    CONTROL_UNSTAGE,
    UNSTAGED,
    NodeDirectives,
    Outcome,
    ProbeResult,
    RenderOrder,
    Stage,
)
from tests.integration.workers.coordinator import order, slow_picture
from tests.integration.workers.node_farm import Farm, StartFarm, result_of

Unstage = Callable[[Farm, RenderOrder], None]


def unstage_by_control(here: Farm, what: RenderOrder) -> None:
    answers: Any = here.coordinator.app.control.broadcast(
        CONTROL_UNSTAGE,
        arguments={"attempt_id": what.attempt_id},
        destination=[here.worker.celery_name],
        reply=True,
        timeout=30,
        limit=1,
    )
    (answer,) = answers
    assert answer[here.worker.celery_name]["ok"]["attempt_id"] == what.attempt_id


def unstage_by_directive(here: Farm, what: RenderOrder) -> None:
    here.coordinator.directives = NodeDirectives(unstage=(what.attempt_id,))


@pytest.mark.parametrize("unstage", [unstage_by_control, unstage_by_directive])
@pytest.mark.parametrize("version", ["0.27.0", "0.3.64"])
def test_a_staged_order_makes_way_and_the_urgent_one_is_next(
    farm: StartFarm, unstage: Unstage, version: str
) -> None:
    here = farm(comfyui_version=version)
    runs, staged, urgent = order(slow_picture("runs", 6)), order(), order()
    results = [here.coordinator.send(runs, "vram.8")]
    here.executing(runs)
    results.append(here.coordinator.send(staged, "vram.8.next"))
    here.coordinator.hears(lambda report: Stage.STAGED in [r.stage for r in report.running])

    unstage(here, staged)
    gave_way = result_of(results.pop())
    results.append(here.coordinator.send(urgent, "vram.8.next"))

    assert (gave_way.outcome, gave_way.reason) == (Outcome.CANCELLED, UNSTAGED)
    assert [result_of(result).outcome for result in results] == [Outcome.SUCCEEDED] * 2
    assert len(here.comfy_history()) == 2, "what made way was not rendered, and nothing was interrupted"


@pytest.mark.parametrize("unstage", [unstage_by_control, unstage_by_directive])
def test_an_executing_order_makes_no_way(farm: StartFarm, unstage: Unstage) -> None:
    here = farm()
    runs = order(slow_picture("runs", 3))
    result = here.coordinator.send(runs, "vram.8")
    here.executing(runs)

    unstage(here, runs)
    here.coordinator.hears(lambda report: any(r.progress > 0.5 for r in report.running))

    assert result_of(result).outcome is Outcome.SUCCEEDED


def test_a_canary_is_heard_through_an_idle_nodes_own_queue_and_leaves_it_as_it_was(farm: StartFarm) -> None:
    here = farm()

    here.coordinator.app.send_task(CANARY, args=["c1"], queue=here.own_queue())
    here.coordinator.hears(lambda report: report.canary == "c1")

    assert here.render(order()).outcome is Outcome.SUCCEEDED


def test_a_canary_does_not_make_a_busy_node_take_orders_that_are_to_start(farm: StartFarm) -> None:
    here = farm()
    runs, to_start, to_stage = order(slow_picture("runs", 4)), order(), order()
    results = [here.coordinator.send(runs, "vram.8")]
    here.executing(runs)

    here.coordinator.app.send_task(CANARY, args=["c1"], queue=here.own_queue())
    here.coordinator.hears(lambda report: report.canary == "c1" and report.running)
    results += [here.coordinator.send(to_start, "vram.24"), here.coordinator.send(to_stage, "vram.8.next")]
    here.coordinator.hears(lambda report: to_stage.attempt_id in [r.attempt_id for r in report.running])

    assert here.waiting_in("vram.24") == 1
    assert [result_of(result).outcome for result in results] == [Outcome.SUCCEEDED] * 3


def test_a_probe_that_is_asked_for_is_rendered_and_told(farm: StartFarm) -> None:
    here = farm()

    here.coordinator.directives = NodeDirectives(probe="p1")
    told = here.coordinator.hears(lambda report: report.probe)

    assert told.probe == ProbeResult(id="p1", ok=True)
    assert len(here.comfy_history()) == 1
    assert list(here.sim.base_dir.glob("output/**/*.png")) == []


def test_a_probe_fails_where_the_executor_has_died(farm: StartFarm) -> None:
    here = farm(faults=["exit:at=node,node=ImageBlur"])

    here.coordinator.directives = NodeDirectives(probe="p1")
    told = here.coordinator.hears(lambda report: report.probe)

    assert here.sim.acted()["exit"] == 1
    assert told.probe is not None
    assert (told.probe.ok, told.state) == (False, "sick")
