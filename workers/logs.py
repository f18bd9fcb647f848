"""A node's log lines: fixed words, then the fields that vary; as JSON where SHOTFARM_LOG=json."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from farm.contracts import WAKE

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "data",
    "task_id",
    "task_name",
}


def dress(*, json_lines: bool) -> Callable[..., None]:
    """Return a receiver for Celery's logger signals that sets format and filter of every handler."""
    formatter = JsonLines() if json_lines else WordsAndFields()

    def receive(logger: logging.Logger, **_: Any) -> None:
        for handler in logger.handlers:
            handler.setFormatter(formatter)
            handler.addFilter(worth_a_line)

    return receive


def worth_a_line(record: logging.LogRecord) -> bool:
    """Leave out the comings and goings of WAKE: it has nothing to tell."""
    data = getattr(record, "data", None)
    return not (isinstance(data, dict) and data.get("name") == WAKE)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return what was given as ``extra``."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


class WordsAndFields(logging.Formatter):
    """``2026-11-23 15:04:05 INFO workers.render: order ended attempt=… outcome=succeeded``."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Put the fields after the words."""
        fields = " ".join(f"{name}={value}" for name, value in fields_of(record).items())
        return f"{super().formatMessage(record)} {fields}".rstrip()


class JsonLines(logging.Formatter):
    """One JSON object per line, with the fields as keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields_of(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
