"""Whatever ComfyUI does, the coordinator is told the truth, nothing is left behind and the node works on.

One real worker renders through a real broker beside a stand-in ComfyUI of each version. Each test proves that
its fault has happened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from farm.contracts import ArtifactFact, FailureClass, OrderOutput, Outcome, RenderOrder, RenderReport
from tests.acceptance.adversity import Adversity, adversity, failure_of, until_gone, words_of
from tests.integration.workers.coordinator import names_in, order, picture, slow_picture
from tests.integration.workers.waiting import until

# Broker, node and stand-in: no database. Each is short, but they share a farm, and together they are long.
pytestmark = [pytest.mark.once, pytest.mark.long]


@pytest.fixture(scope="module", params=["0.27.0", "0.3.64"])
def studio(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Adversity]:
    with adversity(tmp_path_factory.mktemp("adversity"), request.param) as studio:
        yield studio


@pytest.fixture
def here(studio: Adversity) -> Iterator[Adversity]:
    """The studio at rest; after the test it must be able to render, and ComfyUI must be empty."""
    studio.begin()
    yield studio
    until_gone(studio)
    assert studio.send(order()).report().outcome is Outcome.SUCCEEDED


def sleeping(seconds: float, **changes: Any) -> RenderOrder:
    """An order of a picture after some sleep in many steps."""
    return order(slow_picture(f"sleep{seconds}", seconds), **changes)


def clip(node: str = "2", **inputs: Any) -> dict[str, Any]:
    graph = picture("clip", 64, 48)
    graph["1"]["inputs"]["batch_size"] = 9
    graph["3"] = {"class_type": "CreateVideo", "inputs": {"images": ["1", 0], "fps": 16.0}}
    save = {"video": ["3", 0], "filename_prefix": "clip", "format": "mp4", "codec": "h264"}
    graph[node] = {"class_type": "SaveVideo", "inputs": {**save, **inputs}}
    return graph


def the_only_artifact(here: Adversity, report: RenderReport) -> ArtifactFact:
    """Check that one prompt was executed, once, and one file came of it."""
    assert (report.outcome, report.failure) == (Outcome.SUCCEEDED, None)
    assert list(here.rendered()) == [report.prompt_id]
    (artifact,) = report.artifacts
    folder = here.farm.worker.artifacts / "attempts" / report.attempt_id
    assert names_in(folder) == sorted([artifact.path, "manifest.json"])
    assert report.timings.execute_s > 0
    return artifact


def nothing_was_stored(here: Adversity, report: RenderReport) -> bool:
    return not (here.farm.worker.artifacts / "attempts" / report.attempt_id).exists()


def test_a_lost_socket_loses_no_render(here: Adversity) -> None:
    with here.suffers("socket-drop:after=8"):
        report = here.send(sleeping(1.5)).report()

    assert the_only_artifact(here, report)
    assert "websocket lost" in here.farm.worker.log


def test_a_silent_socket_is_no_hang(here: Adversity) -> None:
    """It renders for longer than it may stand still; a second socket hears that it does not."""
    with here.suffers("socket-silent:after=3"):
        report = here.send(sleeping(5.0, hang_s=3.0)).report()

    assert the_only_artifact(here, report)


def test_a_render_needs_no_socket_at_all(here: Adversity) -> None:
    with here.suffers("socket-refuse:times=always", times=2):
        report = here.send(sleeping(5.0, hang_s=3.0)).report()

    assert the_only_artifact(here, report)
    assert "no progress without a socket" in here.farm.worker.log


def test_a_stolen_socket_loses_no_render(here: Adversity) -> None:
    sent = here.send(sleeping(5.0, hang_s=3.0))
    here.executing(sent)
    thief = here.steal_socket(sent.order.attempt_id)

    report = sent.report()

    assert the_only_artifact(here, report)
    heard = [json.loads(thief.recv()) for _ in range(4)]
    assert report.prompt_id in [message["data"].get("prompt_id") for message in heard]
    thief.close()


def test_comfyui_restarted_in_the_middle_takes_the_render_with_it(here: Adversity) -> None:
    with here.suffers("crash:at=step,node=RecSleep,after=3"):
        sent = here.send(sleeping(2.0))
        until(lambda: here.sim.process.poll() is not None)
        here.restart_comfyui()
    report = sent.report()

    assert failure_of(report) == (FailureClass.COMFY_CRASHED, "vanished")
    assert "no longer knows the prompt: it was restarted" in words_of(report)
    assert (here.rendered(), nothing_was_stored(here, report)) == ({}, True)


def test_a_fully_cached_render_has_its_file(here: Adversity) -> None:
    graph = picture("cached", 64, 48)
    first = here.send(order(graph)).report()
    again = here.send(order(graph)).report()

    history = here.rendered()
    messages = dict(history[again.prompt_id]["status"]["messages"])
    assert sorted(messages["execution_cached"]["nodes"]) == ["1", "2"]
    assert [report.outcome for report in (first, again)] == [Outcome.SUCCEEDED] * 2
    assert first.artifacts == again.artifacts
    assert list(history) == [first.prompt_id, again.prompt_id]


def test_a_dropped_output_is_a_refusal_and_nothing_is_left_to_run(here: Adversity) -> None:
    graph = slow_picture("dropped", 30)
    graph["9"] = {"class_type": "SaveImage", "inputs": {"filename_prefix": "without images"}}

    report = here.send(order(graph)).report()

    assert failure_of(report) == (FailureClass.REJECTED_GRAPH, "outputs_dropped")
    assert "SaveImage #9: Required input is missing" in words_of(report)
    until_gone(here)
    assert nothing_was_stored(here, report)


def test_a_dead_executor_is_found_out_and_what_waits_behind_it_is_given_back(here: Adversity) -> None:
    with here.suffers("exit:at=node,node=RecSleep"):
        dead = here.send(sleeping(1.0, hang_s=2.0))
        here.executing(dead)
        behind = here.send(sleeping(1.0), "vram.8.next")
        here.staged(behind)
        here.farm.coordinator.hears(lambda report: len(report.running) == 2)
        reports = [sent.report() for sent in (dead, behind)]

    assert failure_of(reports[0]) == (FailureClass.COMFY_HUNG, "interrupt_ignored")
    assert "Executing without progress for 2 s" in words_of(reports[0])
    assert failure_of(reports[1]) == (FailureClass.INFRASTRUCTURE, "behind_hang")
    assert "ComfyUI hangs" in here.is_sick()
    in_hand = here.queued()
    assert reports[0].prompt_id in in_hand, "it 'runs' for ever"
    assert reports[1].prompt_id not in in_hand
    until(here.restart_mark.exists)
    here.restart_comfyui()
    here.begin()


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ("hang:at=start", "executor_dead", "Pending for 2 s while nothing runs in ComfyUI"),
        ("hang:at=history", "interrupt_ignored", "Executing without progress for 2 s"),
    ],
)
def test_an_executor_that_stands_still_is_told_by_where_it_stands(
    here: Adversity, fault: str, code: str, words: str
) -> None:
    """Before it takes a prompt up, or after a success that history never tells; HTTP answers all along."""
    with here.suffers(fault):
        report = here.send(sleeping(0.5, hang_s=2.0)).report()

    assert failure_of(report) == (FailureClass.COMFY_HUNG, code)
    assert words in words_of(report)
    assert "ComfyUI hangs" in here.is_sick()
    assert nothing_was_stored(here, report)
    here.restart_comfyui()
    here.begin()


def test_a_hang_without_progress_is_stopped_and_told(here: Adversity) -> None:
    """Steps of four seconds: HTTP and socket are well, nothing moves, an interrupt bites at its end."""
    graph = slow_picture("hangs", 80)
    graph["3"]["inputs"] |= {"steps": 20}

    report = here.send(order(graph, hang_s=2.0)).report()

    assert failure_of(report) == (FailureClass.COMFY_HUNG, "hung")
    assert "Executing without progress for 2 s (at work: RecSleep" in words_of(report)
    assert nothing_was_stored(here, report)
    until_gone(here)
    ended = here.rendered()[report.prompt_id]  # the node, now sick, may have rendered its probe already
    assert ended["status"]["messages"][-1][0] == "execution_interrupted"


@pytest.mark.parametrize(("taken", "lookups"), [("after", 0), ("before", 0), ("after", 2)])
def test_a_post_whose_answer_is_cut_off_is_executed_once(here: Adversity, taken: str, lookups: int) -> None:
    """So it is even where the first lookups after it are cut off as well."""
    faults = [f"cut:at={taken},path=POST /prompt"]
    faults += [f"cut:path=GET /jobs,times={lookups}"] if lookups else []
    with here.suffers(*faults, times=1 + lookups):
        report = here.send(sleeping(1.5)).report()

    assert the_only_artifact(here, report)


def test_a_prompt_that_cannot_be_looked_up_is_not_left_behind(here: Adversity) -> None:
    with here.suffers("cut:at=after,path=POST /prompt", "cut:path=GET /jobs,times=always", times=2):
        report = here.send(sleeping(60.0)).report()

    assert failure_of(report) == (FailureClass.INFRASTRUCTURE, "connection_cut")
    until_gone(here)
    (ended,) = here.rendered().values()
    assert ended["status"]["messages"][-1][0] == "execution_interrupted"
    assert nothing_was_stored(here, report)


def test_a_cancel_that_does_not_bite_is_asked_again_and_makes_the_node_sick(here: Adversity) -> None:
    here.restart_mark.unlink(missing_ok=True)
    with here.suffers("ignore-interrupt:times=always", times=2):
        sent = here.send(sleeping(12.0))
        here.executing(sent)
        here.cancel(sent)
        report = sent.report()

        assert report.outcome is Outcome.CANCELLED
        assert report.reason.startswith("ComfyUI is still busy with it: The render was stopped as asked")
        assert here.queued()[0] == report.prompt_id, "the GPU is busy, and so its place was not to be freed"
        reason = here.is_sick()

    assert "interrupted, it went on for 5 s" in reason
    until(here.restart_mark.exists)
    here.farm.coordinator.hears(lambda heard: heard.state == "idle")
    assert next(iter(here.rendered())) == report.prompt_id, "it ended, and then the probe made the node well"
    assert nothing_was_stored(here, report)


def test_a_cancel_that_bites_late_is_just_a_cancel(here: Adversity) -> None:
    """Two seconds late, of five; in few steps: on a busy machine each wakes later than it should."""
    graph = slow_picture("late", 2.0)
    graph["3"]["inputs"] |= {"steps": 4}
    with here.suffers("deaf:node=RecSleep"):
        sent = here.send(order(graph))
        here.executing(sent)
        here.cancel(sent)
        report = sent.report()

    assert report.outcome is Outcome.CANCELLED
    assert nothing_was_stored(here, report)
    until_gone(here)
    assert "still busy" not in report.reason
    (ended,) = here.rendered().values()  # no probe: the node is as well as it was
    assert ended["status"]["messages"][-1][0] == "execution_interrupted"


def test_out_of_memory_is_tried_once_more_with_everything_unloaded(here: Adversity) -> None:
    with here.suffers("oom:node=RecSleep"):
        report = here.send(sleeping(0.5)).report()

    first, second = here.rendered().values()
    assert first["status"]["messages"][-1][1]["exception_type"] == "torch.OutOfMemoryError"
    assert second["status"]["messages"][-1][0] == "execution_success"
    assert (report.outcome, report.prompt_id) == (Outcome.SUCCEEDED, list(here.rendered())[1])


def test_out_of_memory_twice_is_told_in_comfyuis_words(here: Adversity) -> None:
    with here.suffers("oom:node=RecSleep,times=always", times=2):
        report = here.send(sleeping(0.5)).report()

    assert failure_of(report) == (FailureClass.OUT_OF_MEMORY, "out_of_memory")
    assert report.failure is not None
    assert (report.failure.node_type, report.failure.exception_type) == (
        "RecSleep",
        "torch.OutOfMemoryError",
    )
    assert "out of memory" in report.failure.message
    assert "TIPS" in report.failure.message
    assert (len(here.rendered()), nothing_was_stored(here, report)) == (2, True)


def test_partial_outputs_are_no_success(here: Adversity) -> None:
    with here.suffers("fail:at=shown,node=SaveImage"):
        report = here.send(sleeping(0.5)).report()

    assert failure_of(report) == (FailureClass.UNKNOWN, "execution_failed")
    (ended,) = here.rendered().values()
    assert ended["outputs"]["2"]["images"], "ComfyUI lists the file of a prompt that failed"
    assert nothing_was_stored(here, report)


def test_videos_that_comfyui_lists_under_images_are_videos(here: Adversity) -> None:
    wanted = OrderOutput(node="2", kind="video", width=64, height=48, frames=9, fps=16.0)

    report = here.send(order(clip(), outputs=(wanted,))).report()

    artifact = the_only_artifact(here, report)
    assert (artifact.kind, artifact.media_type, artifact.frames) == ("video", "video/mp4", 9)
    (ended,) = here.rendered().values()
    assert ended["outputs"]["2"]["images"][0]["filename"].endswith(".mp4")


def test_a_file_that_is_gone_before_it_is_collected_is_told(here: Adversity) -> None:
    with here.suffers("delete:node=SaveImage"):
        report = here.send(sleeping(0.5)).report()

    assert failure_of(report) == (FailureClass.OUTPUT_INVALID, "output_missing")
    assert "but answers 404 for it" in words_of(report)
    assert (list(here.rendered()), nothing_was_stored(here, report)) == ([report.prompt_id], True)


@pytest.mark.parametrize("fault", ["slow:ms=700,times=always", "freeze:ms=700,every=1,times=always"])
def test_stalls_of_700_ms_change_nothing(here: Adversity, fault: str) -> None:
    with here.suffers(fault, times=2):
        report = here.send(sleeping(2.0)).report()

    assert the_only_artifact(here, report)


def test_somebody_elses_prompts_are_waited_for_and_left_alone(here: Adversity) -> None:
    before, after = here.foreign_prompt(2.0), ""
    sent = here.send(sleeping(0.5))
    here.staged(sent)
    after = here.foreign_prompt(0.5)

    report = sent.report()

    assert (report.outcome, report.timings.wait_s > 0) == (Outcome.SUCCEEDED, True)
    until_gone(here)
    ended = here.rendered()
    assert list(ended) == [before, report.prompt_id, after]
    assert {entry["status"]["status_str"] for entry in ended.values()} == {"success"}


def test_a_cancel_never_stops_somebody_elses_prompt(here: Adversity) -> None:
    foreign = here.foreign_prompt(3.0)
    sent = here.send(sleeping(0.5))
    here.staged(sent)
    until(lambda: here.queued()[0] == foreign)

    here.cancel(sent)
    report = sent.report()

    assert report.outcome is Outcome.CANCELLED
    assert here.queued() == [foreign], "ours is out of the queue while theirs goes on"
    until_gone(here)
    assert {name: entry["status"]["status_str"] for name, entry in here.rendered().items()} == {
        foreign: "success"
    }
