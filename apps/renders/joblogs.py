"""Find one job in the JSON log files of all processes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _

from apps.common.errors import Problem, Refused
from apps.renders.jobstory import Moment, node_time
from apps.renders.models import Attempt, Job

PATTERN: Final = "*.log*"
_NOT_FACTS: Final = frozenset(
    {"time", "level", "logger", "message", "process", "job", "attempt", "node", "code", "jobs", "traceback"}
)


def logged(folder: Path, job: Job, attempts: Iterable[Attempt]) -> Iterator[Moment]:
    """Every line in ``folder`` that names the job or one of its attempts, but those reports brought home.

    Files are read line by line; what is no JSON log line is passed over. Raises Refused if there is no
    such folder, or no log file in it.
    """
    files = sorted(path for path in folder.glob(PATTERN) if path.is_file())
    if not files:
        raise Refused(
            Problem("logs", str(folder), _("no log files here; name the folder that holds the *.log files"))
        )
    tried = {str(attempt.pk): attempt for attempt in attempts}
    names = [str(job.pk), job.code, *tried]
    known = {_key(key, line["at"], line["message"]) for key, a in tried.items() for line in a.log}
    for path in files:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for text in lines:
                if text.startswith("{") and any(name in text for name in names):
                    moment = _moment(path, text, tried, known)
                    if moment is not None:
                        yield moment


def _moment(path: Path, text: str, tried: Mapping[str, Attempt], known: set[Any]) -> Moment | None:
    try:
        line = json.loads(text)
        at = datetime.fromisoformat(line["time"]).astimezone(UTC)
        message = str(line["message"])
    except (ValueError, KeyError, TypeError):
        return None
    attempt = tried.get(str(line.get("attempt", "")))
    process, clock = str(line.get("process") or path.stem), "coordinator"
    if attempt is not None and attempt.node is not None and process == attempt.node.name:
        if _key(str(attempt.pk), at.timestamp(), message) in known:
            return None
        at, clock = node_time(attempt, at.timestamp())
    facts = {name: value for name, value in line.items() if name not in _NOT_FACTS}
    if "traceback" in line:
        facts["exception"] = str(line["traceback"]).strip().rpartition("\n")[2]
    return Moment(
        at=at,
        source=f"log {process}",
        text=message,
        attempt=attempt.number if attempt else None,
        level=str(line.get("level", "info")),
        clock=clock,
        facts=facts,
    )


def _key(attempt_id: str, at: float, message: str) -> tuple[str, str, str]:
    return attempt_id, datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"), message
