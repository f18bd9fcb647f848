"""A node's log lines: the farm's form, and those of each attempt kept until its report carries them home."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from farm.contracts import WAKE, LogLine
from farm.logs import JsonLines, WordsAndFacts, facts_of, redacted
from workers.comfy.text import beginning

MOST_LINES: Final = 200
MOST_BYTES: Final = 32_000
"""Of one attempt's lines the newest are kept."""

LONGEST_MESSAGE: Final = 2_000
LONGEST_FACT: Final = 300


def dress(*, json_lines: bool) -> Callable[..., None]:
    """Return a receiver for Celery's logger signals that sets format and filter of every handler."""
    formatter = JsonLines() if json_lines else WordsAndFacts()

    def receive(logger: logging.Logger, **_: Any) -> None:
        for handler in logger.handlers:
            handler.setFormatter(formatter)
            handler.addFilter(worth_a_line)

    return receive


def worth_a_line(record: logging.LogRecord) -> bool:
    """Leave out the comings and goings of WAKE: it has nothing to tell."""
    data = getattr(record, "data", None)
    return not (isinstance(data, dict) and data.get("name") == WAKE)


@dataclass
class _Kept:
    lines: deque[tuple[LogLine, int]] = field(default_factory=deque)
    size: int = 0
    left_out: int = 0


class AttemptLines(logging.Handler):
    """Keeps the lines of the attempts opened with :meth:`keeping`, told apart by their bound ``attempt``."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._kept: dict[str, _Kept] = {}
        self._guard = Lock()

    @contextmanager
    def keeping(self, attempt_id: str) -> Iterator[None]:
        """Keep this attempt's lines while inside."""
        with self._guard:
            self._kept[attempt_id] = _Kept()
        try:
            yield
        finally:
            with self._guard:
                self._kept.pop(attempt_id, None)

    def of(self, attempt_id: str) -> tuple[LogLine, ...]:
        """The attempt's lines so far, oldest first; the first one says how many older ones were left out."""
        with self._guard:
            kept = self._kept.get(attempt_id)
            if kept is None:
                return ()
            lines = tuple(line for line, _ in kept.lines)
        if not kept.left_out or not lines:
            return lines
        message = f"{kept.left_out} earlier lines left out"
        return (LogLine(at=lines[0].at, level="info", logger=__name__, message=message), *lines)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line if its attempt is in hand here."""
        facts = {name: str(value) for name, value in facts_of(record).items()}
        attempt_id = facts.pop("attempt", "")
        if attempt_id not in self._kept:
            return
        try:
            line = _line(record, facts)
        except (TypeError, ValueError):  # words and arguments that do not fit stop nobody's work
            self.handleError(record)
            return
        size = len(line.message.encode()) + sum(len(f"{k}{v}".encode()) for k, v in line.facts.items()) + 60
        with self._guard:
            kept = self._kept.get(attempt_id)
            if kept is None:
                return
            kept.lines.append((line, size))
            kept.size += size
            while len(kept.lines) > MOST_LINES or (kept.size > MOST_BYTES and len(kept.lines) > 1):
                kept.size -= kept.lines.popleft()[1]
                kept.left_out += 1


def _line(record: logging.LogRecord, facts: dict[str, str]) -> LogLine:
    for known in ("job", "node"):
        facts.pop(known, None)
    if record.exc_info and record.exc_info[1] is not None:
        facts["exception"] = f"{type(record.exc_info[1]).__name__}: {record.exc_info[1]}"
    return LogLine(
        at=record.created,
        level=record.levelname.lower(),
        logger=record.name,
        message=beginning(redacted(record.getMessage()), LONGEST_MESSAGE),
        facts={name: beginning(redacted(value), LONGEST_FACT) for name, value in facts.items()},
    )


attempt_lines: Final = AttemptLines()
"""This process's."""
