"""Celery's messages as kombu writes them into Redis, written and read without either.

``tests/integration/farmsim/test_wire.py`` holds this against the real ones, in both directions.
"""

from __future__ import annotations

import base64
import binascii
import random
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from farm.contracts import RenderFailed

RESULT_PREFIX: Final = "celery-task-meta-"
RESULT_EXPIRES_S: Final = 7 * 24 * 3600
PIDBOX: Final = "/0.celery.pidbox"
"""Remote control's channel on broker database 0."""

_EMBED: Final = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
_ORIGIN: Final = "farmsim@simulated"
_REPLY_TO: Final = str(uuid.uuid4())

_ids: Final = random.Random()


def new_id() -> str:
    """A random UUID, as Celery gives to tasks; without asking the kernel for each."""
    return str(uuid.UUID(int=_ids.getrandbits(128), version=4))


to_json = msgspec.json.encode
"""Messages are dataclasses, which msgspec writes as :func:`farm.contracts.to_json` and json would."""


@dataclass(frozen=True)
class TaskMessage:
    """A task as it was read from a queue: its name, id and first argument."""

    task: str
    task_id: str
    argument: Any


class NoTask(ValueError):
    """What lay in the queue is no task message."""


def task_message(
    task: str,
    argument: object,
    *,
    queue: str,
    task_id: str = "",
    argsrepr: str = "",
    ignore_result: bool = False,
) -> bytes:
    """Write a call of ``task`` with one argument, to be LPUSHed to ``queue``."""
    task_id = task_id or new_id()
    body = base64.b64encode(to_json([[argument], {}, _EMBED])).decode()
    message = {
        "body": body,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": task,
            "id": task_id,
            "shadow": None,
            "eta": None,
            "expires": None,
            "group": None,
            "group_index": None,
            "retries": 0,
            "timelimit": [None, None],
            "root_id": task_id,
            "parent_id": None,
            "argsrepr": argsrepr,
            "kwargsrepr": "{}",
            "origin": _ORIGIN,
            "ignore_result": ignore_result or None,
            "replaced_task_nesting": 0,
            "stamped_headers": None,
            "stamps": {},
        },
        "properties": {
            "correlation_id": task_id,
            "reply_to": _REPLY_TO,
            "delivery_mode": 2,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": new_id(),
        },
    }
    return to_json(message)


def read_task(raw: bytes) -> TaskMessage:
    """Read a task message. Raises NoTask."""
    try:
        message = msgspec.json.decode(raw)
        headers = message["headers"]
        arguments, _, _ = msgspec.json.decode(base64.b64decode(message["body"]))
        return TaskMessage(headers["task"], headers["id"], arguments[0] if arguments else None)
    except (msgspec.DecodeError, binascii.Error, KeyError, TypeError, ValueError) as exc:
        raise NoTask(f"{type(exc).__name__}: {exc}") from exc


def result_key(task_id: str) -> str:
    """Where a task's result stands, and the channel on which it is published."""
    return f"{RESULT_PREFIX}{task_id}"


def success(task_id: str, result: object) -> bytes:
    """Write the result of a task that returned."""
    return _result(task_id, "SUCCESS", result, None)


def failure(task_id: str, report: object) -> bytes:
    """Write the result of a render that raised RenderFailed."""
    kind = RenderFailed
    raised = {"exc_type": kind.__qualname__, "exc_message": [report], "exc_module": kind.__module__}
    return _result(task_id, "FAILURE", raised, f"{kind.__module__}.{kind.__qualname__}: simulated\n")


def _result(task_id: str, status: str, result: object, traceback: str | None) -> bytes:
    return to_json(
        {
            "status": status,
            "result": result,
            "traceback": traceback,
            "children": [],
            "date_done": datetime.now(UTC).isoformat(),
            "task_id": task_id,
        }
    )


def answer(raw: bytes) -> Any:
    """Read what a call was answered; None if it failed or is not ready."""
    meta = msgspec.json.decode(raw)
    return meta["result"] if meta["status"] == "SUCCESS" else None


def read_control(raw: bytes) -> tuple[str, dict[str, Any], list[str] | None]:
    """Read a remote control command: method, arguments and whom it is for (None: everybody)."""
    message = msgspec.json.decode(raw)
    command = msgspec.json.decode(base64.b64decode(message["body"]))
    return command["method"], command.get("arguments") or {}, command.get("destination")
