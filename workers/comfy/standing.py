"""Where a prompt stands, read from ``/api/jobs/{id}`` or from a history entry."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from workers.comfy.errors import (
    BadAnswer,
    ComfyError,
    ExecutionFailed,
    InputUnreadable,
    Interrupted,
    OutOfMemory,
)
from workers.comfy.outputs import OutputFile, output_files
from workers.comfy.rejection import loads_a_file

_CARETS: Final = re.compile(r"^[ ~^]+\n", re.MULTILINE)
_OOM_PHRASES: Final = ("out of memory", "allocation on device")
_OOM_CARRIERS: Final = ("RuntimeError", "AcceleratorError")
"""Exceptions in which CUDA, HIP and MPS report exhausted memory as text."""


class State(StrEnum):
    """How far a prompt is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    UNKNOWN = "unknown"


class Ending(StrEnum):
    """How a done prompt ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a prompt stands. Only a DONE one has the fields after ``state``.

    ``error`` is set unless the ending is SUCCEEDED. ``executed_s``: seconds by ComfyUI's own clock.
    """

    state: State
    ending: Ending | None = None
    outputs: tuple[OutputFile, ...] = ()
    error: ComfyError | None = None
    executed_s: float | None = None


PENDING: Final = Standing(state=State.PENDING)
RUNNING: Final = Standing(state=State.RUNNING)
UNKNOWN: Final = Standing(state=State.UNKNOWN)

LONGEST_MS: Final = 30 * 24 * 3600 * 1000
"""A month. Longer, or less than nothing, is no duration but a clock that was set."""

_TERMINAL: Final = frozenset({"execution_success", "execution_error", "execution_interrupted"})


def standing_of_job(job: dict[str, Any]) -> Standing:
    """Read the answer of ``/api/jobs/{id}``. Raises BadAnswer for a status that is not known."""
    match job.get("status"):
        case "pending":
            return PENDING
        case "in_progress":
            return RUNNING
        case "completed" | "failed" | "cancelled":
            return _done(job.get("execution_status"), job.get("outputs"))
        case other:
            raise BadAnswer(f"Job {job.get('id')} has status {other!r}, which this client does not know")


def standing_of_history(entry: dict[str, Any]) -> Standing:
    """Read one entry of ``/history/{id}``."""
    return _done(entry.get("status"), entry.get("outputs"))


def execution_error(data: dict[str, Any]) -> ExecutionFailed:
    """Return the error for the data of an ``execution_error`` message."""
    kind = str(data.get("exception_type", ""))
    message = str(data.get("exception_message", "")).strip() or kind or "A node failed without a message"
    node_id, node_type = str(data.get("node_id", "")), str(data.get("node_type", ""))
    error = ExecutionFailed
    if _is_out_of_memory(kind, message):
        error = OutOfMemory
    elif loads_a_file(node_type):
        error = InputUnreadable
    return error(
        f"{node_type} #{node_id}: {message}" if node_type else message,
        node_id=node_id,
        node_type=node_type,
        exception_type=kind,
        detail=_CARETS.sub("", "".join(str(line) for line in _as_list(data.get("traceback")))),
    )


def _done(status: object, outputs: object) -> Standing:
    """Failed and interrupted share a status string, so the last terminal message decides."""
    status = status if isinstance(status, dict) else {}
    messages = [
        (str(entry[0]), entry[1])
        for entry in _as_list(status.get("messages"))
        if isinstance(entry, list) and len(entry) > 1 and isinstance(entry[1], dict)
    ]
    assumed = "execution_success" if status.get("status_str") == "success" else "execution_error"
    name, data = next((message for message in reversed(messages) if message[0] in _TERMINAL), (assumed, {}))
    begun = next((data.get("timestamp") for kind, data in messages if kind == "execution_start"), None)
    executed_s = _seconds(begun, data.get("timestamp"))
    if name == "execution_success":
        files = output_files(outputs)
        return Standing(state=State.DONE, ending=Ending.SUCCEEDED, outputs=files, executed_s=executed_s)
    if name == "execution_interrupted":
        interrupted = Interrupted(
            "ComfyUI interrupted the prompt",
            node_id=str(data.get("node_id", "")),
            node_type=str(data.get("node_type", "")),
        )
        return Standing(state=State.DONE, ending=Ending.INTERRUPTED, error=interrupted, executed_s=executed_s)
    failed = execution_error(data)
    return Standing(state=State.DONE, ending=Ending.FAILED, error=failed, executed_s=executed_s)


def _seconds(start_ms: object, end_ms: object) -> float | None:
    if not (isinstance(start_ms, int | float) and isinstance(end_ms, int | float)):
        return None
    return (end_ms - start_ms) / 1000 if 0 <= end_ms - start_ms < LONGEST_MS else None


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_out_of_memory(kind: str, message: str) -> bool:
    if kind.endswith("OutOfMemoryError"):
        return True
    said = message.lower()
    return kind.endswith(_OOM_CARRIERS) and any(phrase in said for phrase in _OOM_PHRASES)
