"""What a node tells the coordinator, and how it follows the answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import requests

from farm.contracts import (
    FailureClass,
    NodeDirectives,
    NodeState,
    OrderOutput,
    Outcome,
    Source,
    Stage,
    read_catalogue_text,
)
from tests.comfysim_fixture import free_port
from tests.integration.workers.coordinator import order, slow_picture
from tests.integration.workers.node_farm import StartFarm, result_of
from tests.integration.workers.waiting import until

WORKFLOWS = Path(__file__).parents[3] / "workflows"


def test_a_node_says_what_it_is(farm: StartFarm) -> None:
    here = farm(vram=8)
    here.coordinator.directives = NodeDirectives(want_capabilities=True)

    report = here.coordinator.hears(lambda report: report.capabilities)

    assert (report.node, report.worker) == ("gpu1", "celery@gpu1")
    assert (report.state, report.tier_gb, report.simulated) == (NodeState.IDLE, 8, True)
    assert [gpu.source for gpu in report.gpus] == [Source.SIMULATED]
    assert (report.comfy.version, report.comfy.device_type) == ("0.27.0", "cuda")
    assert report.capabilities is not None
    assert "KSampler" in report.capabilities.classes
    assert report.capabilities.models["checkpoints"]
    assert report.capabilities.fingerprint == report.fingerprint


def test_a_node_that_is_asked_tells_its_whole_catalogue_and_not_again(farm: StartFarm) -> None:
    here = farm(vram=8)
    here.coordinator.directives = NodeDirectives(want_catalogue=True)

    told = here.coordinator.hears(lambda report: report.catalogue)
    here.coordinator.directives = NodeDirectives()

    whole, classes = read_catalogue_text(told.catalogue, told.catalogue_of)
    assert classes["KSampler"]["output"] == ["LATENT"]
    assert len(whole.packed) < 400_000
    here.coordinator.hears(lambda report: report.catalogue_of == whole.sha256 and not report.catalogue)


def test_a_stand_in_that_is_not_allowed_serves_nothing_at_all(farm: StartFarm) -> None:
    here = farm(env={"SHOTFARM_SIMULATED": "0"})
    for queue in ("vram.8", "vram.0"):
        here.coordinator.send(order(), queue)

    # Its own queue it hears last in time, so by then it would have taken the others.
    assert here.render(order(), here.own_queue()).outcome is Outcome.SUCCEEDED

    report = here.coordinator.last
    assert report is not None
    assert report.tier_gb is None
    assert "SHOTFARM_SIMULATED=1" in report.reason
    assert (here.waiting_in("vram.8"), here.waiting_in("vram.0")) == (1, 1)


def test_a_node_reads_the_tier_queues_only_while_it_is_told_to_serve(farm: StartFarm) -> None:
    here = farm(serve=False)
    waiting = here.coordinator.send(order(), "vram.0")

    assert here.render(order(), here.own_queue()).outcome is Outcome.SUCCEEDED
    assert here.waiting_in("vram.0") == 1

    here.coordinator.serve = True
    assert result_of(waiting).outcome is Outcome.SUCCEEDED

    here.coordinator.serve = False
    until(lambda: "serving changed serve=False" in here.worker.log)
    here.coordinator.send(order(), "vram.0")
    assert here.render(order(), here.own_queue()).outcome is Outcome.SUCCEEDED
    assert here.waiting_in("vram.0") == 1


def test_a_cpu_server_serves_only_orders_without_vram(farm: StartFarm) -> None:
    here = farm(vram=0)

    assert here.render(order(), "vram.0").outcome is Outcome.SUCCEEDED

    report = here.coordinator.last
    assert report is not None
    assert (report.tier_gb, report.gpus) == (0, ())


def test_a_node_without_the_farms_store_serves_nothing_until_it_is_mounted(farm: StartFarm) -> None:
    here = farm(idle=False, mounted=False)
    waiting = here.coordinator.send(order(), "vram.0")

    report = here.coordinator.hears(lambda report: report.state is NodeState.DEAF)

    assert ".shotfarm-store" in report.reason
    ended = here.render(order(), here.own_queue())
    assert ended.failure is not None
    assert ended.failure.failure_class is FailureClass.INFRASTRUCTURE
    assert here.waiting_in("vram.0") == 1
    assert (list(here.worker.artifacts.iterdir()), here.comfy_history()) == ([], {})

    here.worker.mount()
    assert result_of(waiting).outcome is Outcome.SUCCEEDED


def test_a_node_without_comfyui_is_deaf_and_says_why(farm: StartFarm) -> None:
    here = farm(idle=False, env={"COMFYUI_URL": f"http://127.0.0.1:{free_port()}"})
    here.coordinator.send(order(), "vram.0")

    report = here.coordinator.hears(lambda report: report.state is NodeState.DEAF)

    assert "ComfyUI does not answer" in report.reason
    ended = here.render(order(), here.own_queue())
    assert ended.failure is not None
    assert ended.failure.code == "unreachable"
    assert here.waiting_in("vram.0") == 1


def test_a_draining_node_finishes_its_order_and_takes_no_other(farm: StartFarm) -> None:
    here = farm()
    first, second = order(slow_picture("first", 2)), order()
    result = here.coordinator.send(first, "vram.8")
    here.executing(first)

    here.coordinator.directives = NodeDirectives(desired="draining")
    until(lambda: "desired=draining" in here.worker.log)
    waiting = here.coordinator.send(second, "vram.8")
    assert result_of(result).outcome is Outcome.SUCCEEDED
    here.coordinator.hears(lambda report: report.state is NodeState.IDLE)
    assert not waiting.ready()

    here.coordinator.directives = NodeDirectives(desired="active")
    assert result_of(waiting).outcome is Outcome.SUCCEEDED


def test_a_node_is_busy_until_a_directive_cancels_its_order(farm: StartFarm) -> None:
    here = farm()
    what = order(slow_picture("long", 60))
    result = here.coordinator.send(what, "vram.8")
    assert here.executing(what).state is NodeState.BUSY

    here.coordinator.directives = NodeDirectives(cancelled=(what.attempt_id,))

    assert result_of(result).outcome is Outcome.CANCELLED
    here.coordinator.hears(lambda report: report.state is NodeState.IDLE)


def test_a_node_that_was_given_up_begins_a_new_epoch_and_reads_a_new_queue(farm: StartFarm) -> None:
    here = farm()
    what = order(slow_picture("long", 60))
    result = here.coordinator.send(what, "vram.8")
    old = here.executing(what).epoch

    here.coordinator.given_up.add(old)
    here.coordinator.hears(lambda report: report.epoch != old)

    ended = result_of(result)
    assert (ended.outcome, ended.epoch) == (Outcome.CANCELLED, old)
    here.coordinator.hears(lambda report: report.epoch != old and report.state is NodeState.IDLE)
    assert here.render(order(), here.own_queue()).outcome is Outcome.SUCCEEDED


def test_unconfirmed_reports_are_repeated_after_the_broker_lost_everything(farm: StartFarm) -> None:
    here = farm()
    here.coordinator.confirm = False
    report = here.render(order())
    here.coordinator.hears(lambda heard: report in heard.finished)

    here.broker.lose_everything()
    here.broker.stop()
    here.broker.start()

    here.coordinator.hears(lambda heard: report in heard.finished, timeout_s=60)
    here.coordinator.confirm = True
    here.coordinator.hears(lambda heard: not heard.finished)
    assert list((here.worker.spool / "gpu1/finished").iterdir()) == []
    assert here.render(order()).outcome is Outcome.SUCCEEDED


def test_a_render_that_ends_while_the_broker_is_away_is_reported_when_it_is_back(farm: StartFarm) -> None:
    here = farm()
    what = order(slow_picture("meanwhile", 2))
    here.coordinator.send(what, "vram.8")
    here.executing(what)

    here.broker.stop()
    until(lambda: list((here.worker.spool / "gpu1/finished").glob("*.json")))
    here.broker.start()

    heard = here.coordinator.hears(lambda heard: heard.finished, timeout_s=60)
    assert [(done.attempt_id, done.outcome) for done in heard.finished] == [
        (what.attempt_id, Outcome.SUCCEEDED)
    ]
    assert here.render(order()).outcome is Outcome.SUCCEEDED


def test_a_gentle_stop_finishes_the_render_and_reports_to_the_end(farm: StartFarm) -> None:
    here = farm()
    what = order(slow_picture("last", 2))
    result = here.coordinator.send(what, "vram.8")
    here.executing(what)

    assert here.worker.stop() == 0

    assert result_of(result).outcome is Outcome.SUCCEEDED
    states = [report.state for report in here.coordinator.reports if report.running]
    assert states[-1] is NodeState.DEAF
    last = here.coordinator.hears(lambda report: not report.running)
    assert last.reason == "the worker is shutting down"


def test_a_killed_workers_finished_prompt_is_collected_by_its_next_life(farm: StartFarm) -> None:
    here = farm()
    what = order(slow_picture("survives", 2))
    here.coordinator.send(what, "vram.8")
    before = here.executing(what)
    here.coordinator.confirm = False

    here.worker.kill()
    until(lambda: not here.comfy_queue()["queue_running"])
    here.worker.start()

    heard = here.coordinator.hears(lambda heard: heard.finished)
    assert heard.epoch != before.epoch
    (report,) = heard.finished
    assert (report.attempt_id, report.outcome) == (what.attempt_id, Outcome.SUCCEEDED)
    assert (here.worker.artifacts / what.artifact_folder / "manifest.json").exists()


def test_a_killed_workers_running_prompt_is_stopped_by_its_next_life(farm: StartFarm) -> None:
    here = farm()
    what = order(slow_picture("orphan", 60))
    here.coordinator.send(what, "vram.8")
    here.executing(what)
    here.coordinator.confirm = False

    here.worker.kill()
    here.worker.start()

    (report,) = here.coordinator.hears(lambda heard: heard.finished).finished
    assert report.failure is not None
    assert (report.failure.failure_class, report.failure.code) == ("infrastructure", "worker_restarted")
    until(lambda: not here.comfy_queue()["queue_running"])
    assert Stage.EXECUTING not in {r.stage for r in here.coordinator.reports[-1].running}


def test_renders_that_end_while_the_broker_is_away_give_their_slots_back(farm: StartFarm) -> None:
    here = farm(vram=8)
    first, second = order(slow_picture("first", 4)), order(slow_picture("second", 1))
    here.coordinator.send(first, "vram.8")
    here.executing(first)
    here.coordinator.send(second, "vram.8.next")
    here.coordinator.hears(lambda report: len(report.running) == 2)

    here.broker.stop()
    until(lambda: here.worker.log.count("outcome=succeeded") == 2)
    until(lambda: here.worker.log.count("its result being stored") == 2)
    here.broker.start()

    kept = here.coordinator.hears(lambda report: len(report.finished) == 2)
    assert {report.outcome for report in kept.finished} == {Outcome.SUCCEEDED}
    third, fourth = order(slow_picture("third", 3)), order()
    here.coordinator.send(third, "vram.8")
    here.executing(third)
    here.coordinator.send(fourth, "vram.8.next")
    here.coordinator.hears(lambda report: len(report.running) == 2)


def test_a_node_tells_which_models_its_comfyui_holds_until_they_are_freed_or_lost(farm: StartFarm) -> None:
    here = farm()
    graph: dict[str, Any] = json.loads((WORKFLOWS / "sd15_t2i/graph.json").read_text())
    graph["7"]["inputs"]["filename_prefix"] = "keyframe"
    picture = OrderOutput(node="7", kind="image", width=768, height=432, frames=1)
    checkpoint = "checkpoints/v1-5-pruned-emaonly-fp16.safetensors"

    assert here.render(order(graph, outputs=(picture,))).failure is None
    here.coordinator.hears(lambda report: report.resident == (checkpoint,) and not report.running)

    assert here.render(order(free_first=True)).failure is None
    here.coordinator.hears(lambda report: not report.resident)

    assert here.render(order(graph, outputs=(picture,))).failure is None
    here.coordinator.hears(lambda report: report.resident == (checkpoint,) and not report.running)
    requests.post(f"{here.sim.url}/history", json={"clear": True}, timeout=10)  # as after a restart
    here.coordinator.hears(lambda report: not report.resident)


def test_a_worker_that_is_too_large_ends_gently_for_its_supervisor_once_it_is_idle(farm: StartFarm) -> None:
    here = farm(idle=False, env={"SHOTFARM_MAX_RSS_MB": "10"})

    told = here.coordinator.hears(lambda report: report.state is NodeState.DEAF)
    assert "above SHOTFARM_MAX_RSS_MB (10)" in told.reason

    assert here.worker.process.wait(30) == 0
    assert "worker too large" in here.worker.log


def test_a_node_whose_comfyuis_machine_is_short_of_memory_frees_it_and_takes_no_work(farm: StartFarm) -> None:
    here = farm(idle=False, env={"SHOTFARM_MIN_RAM_MB": "100000000"})

    told = here.coordinator.hears(lambda report: report.state is NodeState.DEAF)

    assert "below SHOTFARM_MIN_RAM_MB (100000000)" in told.reason
    assert "freeing ComfyUI" in here.worker.log
    waiting = here.coordinator.send(order(), "vram.0")
    assert here.render(order(), here.own_queue()).outcome is Outcome.SUCCEEDED
    assert (waiting.ready(), here.waiting_in("vram.0")) == (False, 1)
