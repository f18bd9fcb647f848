"""A real worker process takes orders from a real broker and renders them on the stand-in ComfyUI."""

from __future__ import annotations

import hashlib
import io
import json

import pytest
from PIL import Image

from farm.contracts import (
    CONTROL_CANCEL,
    ContractError,
    OrderInput,
    OrderOutput,
    Outcome,
    Stage,
)
from tests.integration.workers.coordinator import names_in, order, picture, report_of, slow_picture
from tests.integration.workers.node_farm import PATIENCE_S, StartFarm, result_of
from tests.integration.workers.waiting import until


def test_an_order_becomes_files_a_manifest_a_signed_report_and_a_bell(farm: StartFarm) -> None:
    here = farm()
    what = order()

    report = here.render(what)

    assert report.outcome is Outcome.SUCCEEDED
    (artifact,) = report.artifacts
    folder = here.worker.artifacts / what.artifact_folder
    stored = (folder / artifact.path).read_bytes()
    assert hashlib.sha256(stored).hexdigest() == artifact.sha256
    assert (artifact.width, artifact.height, artifact.frames, artifact.bytes) == (64, 48, 1, len(stored))
    assert names_in(folder) == sorted([artifact.path, "manifest.json"])
    assert report_of(json.loads((folder / "manifest.json").read_bytes())) == report
    assert (report.node, report.comfyui_version, report.simulated) == ("gpu1", "0.27.0", True)
    assert until(lambda: here.coordinator.bells) == [what.attempt_id]
    assert [claim.attempt_id for claim in here.coordinator.claims] == [what.attempt_id]


def test_a_clip_is_decoded_and_its_frames_are_counted(farm: StartFarm) -> None:
    graph = picture("clip", 64, 48)
    graph["1"]["inputs"]["batch_size"] = 9
    graph["3"] = {"class_type": "CreateVideo", "inputs": {"images": ["1", 0], "fps": 16.0}}
    graph["2"] = {
        "class_type": "SaveVideo",
        "inputs": {"video": ["3", 0], "filename_prefix": "clip", "format": "mp4", "codec": "h264"},
    }
    clip = OrderOutput(node="2", kind="video", width=64, height=48, frames=9, fps=16.0)

    report = farm().render(order(graph, outputs=(clip,)))

    assert report.failure is None
    (artifact,) = report.artifacts
    assert (artifact.kind, artifact.media_type, artifact.frames, artifact.fps) == (
        "video",
        "video/mp4",
        9,
        16.0,
    )


def test_an_input_is_uploaded_and_goes_into_the_graph(farm: StartFarm) -> None:
    here = farm()
    file = io.BytesIO()
    Image.new("RGB", (32, 16), "red").save(file, "PNG")
    (here.worker.artifacts / "refs").mkdir()
    (here.worker.artifacts / "refs/start.png").write_bytes(file.getvalue())
    start = OrderInput(
        node="1",
        input="image",
        key="refs/start.png",
        sha256=hashlib.sha256(file.getvalue()).hexdigest(),
        bytes=len(file.getvalue()),
    )
    graph = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "filled in on the node"}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "copy"}},
    }

    report = here.render(order(graph, width=32, height=16, inputs=(start,)))

    assert report.failure is None
    with Image.open(
        here.worker.artifacts / f"attempts/{report.attempt_id}" / report.artifacts[0].path
    ) as copy:
        assert copy.convert("RGB").getpixel((5, 5)) == (255, 0, 0)


def test_a_refused_claim_renders_nothing(farm: StartFarm) -> None:
    here = farm()
    here.coordinator.grant = False

    report = here.render(order())

    assert (report.outcome, report.reason) == (Outcome.DROPPED, "token is stale")
    assert here.comfy_history() == {}
    assert not (here.worker.artifacts / "attempts").exists()


def test_a_silent_coordinator_means_that_the_order_is_dropped(farm: StartFarm) -> None:
    here = farm()
    here.coordinator.silent = True

    report = here.render(order())

    assert report.outcome is Outcome.DROPPED
    assert "claim unanswered for" in report.reason
    assert here.comfy_history() == {}


def test_a_failing_node_is_named_in_comfyuis_words(farm: StartFarm) -> None:
    graph = picture("fails", 64, 48)
    graph["3"] = {"class_type": "RecRaise", "inputs": {"image": ["1", 0], "kind": "value"}}
    graph["2"]["inputs"]["images"] = ["3", 0]

    report = farm().render(order(graph))

    assert report.failure is not None
    assert (report.failure.failure_class, report.failure.node_type) == ("unknown", "RecRaise")
    assert "deliberate failure" in report.failure.message


def test_out_of_memory_is_tried_once_more_and_then_reported(farm: StartFarm) -> None:
    here = farm()
    graph = picture("oom", 64, 48)
    graph["3"] = {"class_type": "RecRaise", "inputs": {"image": ["1", 0], "kind": "oom"}}
    graph["2"]["inputs"]["images"] = ["3", 0]

    report = here.render(order(graph))

    assert report.failure is not None
    assert report.failure.failure_class == "out_of_memory"
    assert len(here.comfy_history()) == 2


def test_what_is_rendered_is_fetched_once_comfyui_is_back_and_not_rendered_again(farm: StartFarm) -> None:
    here = farm(faults=["cut:at=before,path=GET /view,times=3"])

    report = here.render(order())

    assert here.sim.acted()["cut"] == 3
    assert report.outcome is Outcome.SUCCEEDED
    assert len(here.comfy_history()) == 1


def test_a_picture_of_the_wrong_size_is_output_invalid(farm: StartFarm) -> None:
    wanted = OrderOutput(node="2", kind="image", width=640, height=48, frames=1)

    report = farm().render(order(outputs=(wanted,)))

    assert report.failure is not None
    assert report.failure.failure_class == "output_invalid"
    assert "width is 64 where 640 was ordered" in report.failure.message


@pytest.mark.parametrize("folder", ["../outside", "/etc", "a/../../b"])
def test_an_artifact_folder_outside_the_store_is_refused(farm: StartFarm, folder: str) -> None:
    here = farm()

    report = here.render(order(artifact_folder=folder))

    assert report.failure is not None
    assert report.failure.code == "order_unreadable"
    assert here.comfy_history() == {}


def test_an_order_that_is_no_order_fails_with_the_name_of_the_field(farm: StartFarm) -> None:
    here = farm()
    result = here.coordinator.app.send_task(
        "shotfarm.render", args=[{"version": 1, "attempt_id": 7}], queue="vram.8", task_id="odd"
    )

    with pytest.raises(ContractError, match="attempt_id"):
        result.get(timeout=PATIENCE_S, disable_sync_subtasks=False)

    assert here.render(order()).outcome is Outcome.SUCCEEDED


def test_a_cancel_by_remote_control_interrupts_comfyui_while_both_slots_are_busy(farm: StartFarm) -> None:
    here = farm()
    first, second = order(slow_picture("first", 60)), order(slow_picture("second", 60))
    results = [here.coordinator.send(first, "vram.8")]
    here.executing(first)
    results.append(here.coordinator.send(second, "vram.8.next"))
    here.coordinator.hears(lambda report: len(report.running) == 2)

    for what in (second, first):
        here.coordinator.app.control.broadcast(
            CONTROL_CANCEL, arguments={"attempt_id": what.attempt_id}, destination=[here.worker.celery_name]
        )

    assert [result_of(result).outcome for result in results] == [Outcome.CANCELLED, Outcome.CANCELLED]
    assert here.comfy_queue() == {
        "queue_running": [],
        "queue_pending": [],
    }


def test_one_order_is_staged_behind_the_executing_one_and_a_third_waits_in_the_broker(
    farm: StartFarm,
) -> None:
    here = farm()
    first, second, third = (order(slow_picture(name, 3)) for name in "abc")
    results = [here.coordinator.send(first, "vram.8")]
    here.executing(first)
    results += [here.coordinator.send(what, "vram.8.next") for what in (second, third)]

    here.coordinator.hears(
        lambda report: (
            {r.attempt_id: r.stage for r in report.running}
            == {first.attempt_id: Stage.EXECUTING, second.attempt_id: Stage.STAGED}
        )
    )
    assert here.waiting_in("vram.8.next") == 1
    queue = here.comfy_queue()
    assert (len(queue["queue_running"]), len(queue["queue_pending"])) == (1, 1)

    assert [result_of(result).outcome for result in results] == [Outcome.SUCCEEDED] * 3


def test_a_busy_node_takes_no_order_that_is_to_start_now(farm: StartFarm) -> None:
    here = farm()
    first, urgent, staged = order(slow_picture("first", 3)), order(), order()
    results = [here.coordinator.send(first, "vram.8")]
    here.executing(first)

    results.append(here.coordinator.send(urgent, "vram.24"))
    results.append(here.coordinator.send(staged, "vram.8.next"))

    # Read in order, vram.24 would have come first: that the other one came shows nobody read it.
    here.coordinator.hears(lambda report: staged.attempt_id in [r.attempt_id for r in report.running])
    assert here.waiting_in("vram.24") == 1
    assert [result_of(result).outcome for result in results] == [Outcome.SUCCEEDED] * 3


def test_an_idle_node_serves_its_largest_tier_first(farm: StartFarm) -> None:
    here = farm()
    first = order(slow_picture("first", 2))
    results = [here.coordinator.send(first, "vram.8")]
    here.executing(first)
    small, large = order(), order()
    results += [here.coordinator.send(small, "vram.8"), here.coordinator.send(large, "vram.24")]

    assert [result_of(result).outcome for result in results] == [Outcome.SUCCEEDED] * 3
    claimed = [claim.attempt_id for claim in here.coordinator.claims]
    assert claimed == [first.attempt_id, large.attempt_id, small.attempt_id]


def test_an_idle_node_begins_no_staged_order_before_one_that_is_to_start(farm: StartFarm) -> None:
    here = farm(serve=False)
    staged, to_start = order(), order()
    results = [here.coordinator.send(staged, "vram.24.next"), here.coordinator.send(to_start, "vram.8")]

    here.coordinator.serve = True

    assert [result_of(result).outcome for result in results] == [Outcome.SUCCEEDED] * 2
    claimed = [claim.attempt_id for claim in here.coordinator.claims]
    assert claimed == [to_start.attempt_id, staged.attempt_id]


def test_an_order_that_is_delivered_twice_is_rendered_once_and_keeps_its_result(farm: StartFarm) -> None:
    here = farm()
    what = order(slow_picture("once", 2))
    first = here.coordinator.send(what, "vram.8")
    here.executing(what)

    here.coordinator.send(what, "vram.8.next")
    until(lambda: "order delivered twice" in here.worker.log)
    here.coordinator.hears(lambda report: what.attempt_id in [r.attempt_id for r in report.running])

    assert result_of(first).outcome is Outcome.SUCCEEDED
    assert len(here.comfy_history()) == 1
    assert [claim.attempt_id for claim in here.coordinator.claims] == [what.attempt_id]
    with here.broker.client() as broker:
        # Reports in flight stand there for a moment, too; what nobody acknowledged would stay.
        until(lambda: not broker.hlen("unacked"))


def test_an_order_that_comes_again_before_its_report_is_confirmed_changes_nothing(farm: StartFarm) -> None:
    here = farm()
    here.coordinator.confirm = False
    what = order()
    report = here.render(what)

    again = here.coordinator.send(what, "vram.8")
    until(lambda: "order delivered twice" in here.worker.log)

    assert result_of(again) == report
    assert len(here.coordinator.claims) == 1


def test_a_hang_between_steps_is_found_by_their_pace_long_before_the_orders_limit(farm: StartFarm) -> None:
    here = farm(faults=["hang:at=step,node=RecSleep,after=20"])
    result = here.coordinator.send(order(slow_picture("hangs", 20), hang_s=10_000.0), "vram.8")

    until(lambda: "stopping prompt" in here.worker.log)
    assert here.sim.acted()["hang"] == 1
    here.sim.arm()  # the step ends after all, and the interrupt bites

    failure = result_of(result).failure
    assert failure is not None
    assert failure.failure_class == "comfy_hung"
    assert "without progress for 3 s" in failure.message
