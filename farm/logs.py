"""Log records as JSON lines, or as one readable line each. Varying facts travel in ``extra``."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "data"}
_TELLTALE = frozenset({"request"})
"""Django passes whole requests: their text holds the query, and a media address's signature is in it."""


def facts_of(record: logging.LogRecord) -> dict[str, object]:
    """Return what the caller passed in ``extra``."""
    return {name: value for name, value in vars(record).items() if name not in _STANDARD | _TELLTALE}


class JsonFormatter(logging.Formatter):
    """One JSON object per line: at, level, logger, message, then the facts."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **facts_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class LineFormatter(logging.Formatter):
    """For people: time, level, message, facts."""

    def format(self, record: logging.LogRecord) -> str:
        facts = " ".join(f"{name}={value}" for name, value in facts_of(record).items())
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        line = f"{at} {record.levelname[0]} {record.name}: {record.getMessage()} {facts}".rstrip()
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line
