"""Where a prompt stands, read from what real servers said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from farm.contracts import FailureClass
from workers.comfy.errors import BadAnswer, ExecutionFailed, InputUnreadable, Interrupted, OutOfMemory
from workers.comfy.standing import (
    Ending,
    State,
    execution_error,
    standing_of_history,
    standing_of_job,
)

Recording = Callable[..., dict[str, Any]]


def _entry(recorded: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = next(iter(recorded["history"].values()))
    return entry


@pytest.mark.parametrize("version", ["v0.27.0", "v0.3.64"])
def test_a_success_has_its_files_and_its_seconds(recording: Recording, version: str) -> None:
    standing = standing_of_history(_entry(recording("prompt_ok_trivial", version)))

    assert (standing.state, standing.ending) == (State.DONE, Ending.SUCCEEDED)
    assert [file.filename for file in standing.outputs] == ["rec_00001_.png"]
    assert standing.executed_s is not None
    assert 0 <= standing.executed_s < 1


@pytest.mark.parametrize("version", ["v0.27.0", "v0.3.64"])
def test_an_interrupted_prompt_is_told_from_a_failed_one(recording: Recording, version: str) -> None:
    standing = standing_of_history(_entry(recording("interrupt_by_id", version)))

    assert standing.ending is Ending.INTERRUPTED
    assert isinstance(standing.error, Interrupted)
    assert standing.error.node_type == "RecSleep"


@pytest.mark.parametrize(
    ("name", "error", "failure_class"),
    [
        ("exec_error_oom", OutOfMemory, FailureClass.OUT_OF_MEMORY),
        ("exec_error_valueerror", ExecutionFailed, FailureClass.UNKNOWN),
        ("exec_error_corrupt_loadimage", InputUnreadable, FailureClass.INPUT_MISSING),
    ],
)
def test_a_node_that_raised_is_named_with_its_words(
    recording: Recording, name: str, error: type[ExecutionFailed], failure_class: FailureClass
) -> None:
    standing = standing_of_history(_entry(recording(name)))

    assert standing.ending is Ending.FAILED
    assert type(standing.error) is error
    failure = standing.error.to_failure()
    assert failure.failure_class is failure_class
    assert failure.node_id
    assert failure.node_type
    assert failure.message == failure.message.strip() != ""


def test_a_traceback_travels_without_its_carets() -> None:
    traceback = [
        '  File "/opt/ComfyUI/execution.py", line 542, in execute\n',
        "    result = f(**inputs)\n             ^^^^^^^^^^^\n",
    ]

    error = execution_error({"exception_message": "no", "traceback": traceback})

    assert error.detail.startswith('  File "/opt/ComfyUI/execution.py", line 542, in execute\n')
    assert "result = f(**inputs)" in error.detail
    assert "^" not in error.detail


@pytest.mark.parametrize(
    ("kind", "message", "is_oom"),
    [
        ("torch.OutOfMemoryError", "Allocation on device 0", True),
        ("torch.cuda.OutOfMemoryError", "", True),
        ("RuntimeError", "CUDA error: out of memory", True),
        ("torch.AcceleratorError", "HIP out of memory", True),
        ("RuntimeError", "MPS backend out of memory", True),
        ("ValueError", "the word 'out of memory' in a prompt", False),
        ("RuntimeError", "mat1 and mat2 shapes cannot be multiplied", False),
    ],
)
def test_out_of_memory_is_known_by_class_and_text(kind: str, message: str, is_oom: bool) -> None:
    error = execution_error({"exception_type": kind, "exception_message": message})

    assert isinstance(error, OutOfMemory) is is_oom


def test_an_execution_error_says_which_node_of_the_graph_it_was() -> None:
    told = {"node_id": "68:8", "node_type": "KSampler", "exception_message": "shapes cannot be multiplied\n"}

    assert execution_error(told).message == "KSampler #68:8: shapes cannot be multiplied"


def test_an_execution_error_without_words_still_has_a_message() -> None:
    assert execution_error({}).message
    assert execution_error({"exception_type": "KeyError"}).message == "KeyError"


def test_jobs_are_read_by_their_status(recording: Recording) -> None:
    history = _entry(recording("exec_error_oom"))
    job = {"id": "a", "status": "failed", "execution_status": history["status"], "outputs": {}}

    assert standing_of_job({"status": "pending"}).state is State.PENDING
    assert standing_of_job({"status": "in_progress"}).state is State.RUNNING
    assert isinstance(standing_of_job(job).error, OutOfMemory)


def test_a_status_of_a_later_comfyui_is_not_guessed_at() -> None:
    with pytest.raises(BadAnswer, match="paused"):
        standing_of_job({"id": "a", "status": "paused"})


@pytest.mark.parametrize("messages", [None, 7, [None], [[]], [["execution_start"]], [["x", None]]])
def test_messages_of_an_odd_shape_are_passed_over(messages: object) -> None:
    standing = standing_of_history({"status": {"status_str": "success", "messages": messages}})

    assert (standing.ending, standing.executed_s) == (Ending.SUCCEEDED, None)


@pytest.mark.parametrize("end", [None, "now", -1, 10**400])
def test_a_clock_that_was_set_gives_no_seconds(end: object) -> None:
    messages = [["execution_start", {"timestamp": 0}], ["execution_success", {"timestamp": end}]]

    assert standing_of_history({"status": {"messages": messages}}).executed_s is None


def test_history_without_a_terminal_message_goes_by_its_status_string() -> None:
    assert standing_of_history({"status": {"status_str": "success"}}).ending is Ending.SUCCEEDED
    assert standing_of_history({"status": {"status_str": "error"}}).ending is Ending.FAILED
    assert standing_of_history({"status": None}).ending is Ending.FAILED
