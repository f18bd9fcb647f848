"""One form of log line for every process of the farm, coordinator and GPU node alike.

A line is fixed words (``message``) and varying facts (``extra``). Ids of what is in hand are bound once, at
the door (a task, a request, a step of the ticker), and stand in every line written inside, also in those
of libraries::

    with logs.bound(job=job.pk, attempt=attempt.pk):
        ...

Keys of a JSON line, in this order: ``time`` (UTC), ``level``, ``logger``, ``message``, ``process`` (web,
coordinator, ticker, a node's name …), the bound ids, the facts, ``traceback``. Passwords, keys and
signatures are taken out of every line, whoever wrote it. Standard library only.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote, urlsplit

HIDDEN: Final = "***"
SHORTEST_SECRET: Final = 6
"""A secret of fewer characters would black out ordinary words."""

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    # what Celery and Django add for handlers of their own
    "data",
    "task_id",
    "task_name",
    "request",
    "server_time",
    "color_message",
}
_SECRETS_NAMES: Final = (
    "report_key|signature|password|passwd|secret_access_key|secret_key|secret|session_token|api_key|grant|sig"
)
_SECRETS_NAME: Final = re.compile(rf"(?i)(?:{_SECRETS_NAMES})$")
_NAMED_SECRET: Final = re.compile(
    rf"""(?i)((?:{_SECRETS_NAMES})\b\\*["']?\s*[:=]\s*\\*["']?)"""
    r"""([^\s"'\\,}\]&]+)"""
)
_AUTHORIZATION: Final = re.compile(r"(?i)\b((?:basic|bearer|token)\s+)([A-Za-z0-9+/_.=-]{16,})")
_URL_PASSWORD: Final = re.compile(r"(\w://[^\s:/@\"']*:)([^\s@/\"']+)(@)")

_KEYS: Final = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

_ids: ContextVar[Mapping[str, str]] = ContextVar("shotfarm_log_ids", default=MappingProxyType({}))
_process = Path(sys.argv[0]).stem if sys.argv else ""
_secrets: set[str] = set()


def name_process(name: str) -> None:
    """Say which process of the farm this is, in all its lines; Python's warnings become lines, too."""
    global _process  # noqa: PLW0603 - one process, one name
    _process = name
    logging.captureWarnings(True)


@contextmanager
def bound(**ids: object) -> Iterator[None]:
    """Write these ids into every line logged inside, on top of those bound outside; None adds nothing."""
    told = {name: str(value) for name, value in ids.items() if value is not None}
    mark = _ids.set({**_ids.get(), **told})
    try:
        yield
    finally:
        _ids.reset(mark)


def bound_ids() -> Mapping[str, str]:
    """The ids bound here."""
    return _ids.get()


def hide(*secrets: str) -> None:
    """Take these texts out of every line from now on. Texts too short to be secrets are left alone."""
    for secret in secrets:
        _secrets.update(_spellings(secret))


def hide_keys_in(environ: Mapping[str, str]) -> None:
    """Take the object store's keys out of every line: its driver reads them by itself."""
    hide(*(environ.get(name, "") for name in _KEYS))


@contextmanager
def hidden(secret: str) -> Iterator[None]:
    """Take a text out of every line while inside."""
    fresh = _spellings(secret) - _secrets
    _secrets.update(fresh)
    try:
        yield
    finally:
        _secrets.difference_update(fresh)


def password_in(url: str) -> tuple[str, ...]:
    """The password in a URL, as written and as meant; empty if there is none."""
    written = urlsplit(url).password or ""
    return tuple({written, unquote(written)}) if written else ()


def redacted(text: str) -> str:
    """Return the text without hidden secrets, passwords in URLs, keys and signatures."""
    for secret in tuple(_secrets):
        text = text.replace(secret, HIDDEN)
    text = _NAMED_SECRET.sub(rf"\1{HIDDEN}", text)
    text = _AUTHORIZATION.sub(rf"\1{HIDDEN}", text)
    return _URL_PASSWORD.sub(rf"\1{HIDDEN}\3", text)


def one_line(text: str) -> str:
    """Spell control characters out: a stranger's words pass for no line of ours and steer no terminal."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def facts_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the ids bound where the line is written, and what the caller passed in ``extra``."""
    given = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    return {**_ids.get(), **_without_secrets(given)}


class JsonLines(logging.Formatter):
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "process": _process,
            **facts_of(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return redacted(json.dumps(line, ensure_ascii=False, default=str))


class WordsAndFacts(logging.Formatter):
    """For people: ``15:04:05 INFO workers.render: order ended attempt=… outcome=succeeded``."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        facts = " ".join(f"{name}={value}" for name, value in facts_of(record).items())
        at = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        line = one_line(f"{at} {record.levelname} {record.name}: {record.getMessage()} {facts}".rstrip())
        return redacted(f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line)


def _without_secrets(facts: Mapping[Any, Any]) -> dict[Any, Any]:
    """Hide whatever has a secret's name, whole: a pattern would tear a number or a list out of its JSON."""
    return {
        name: HIDDEN if _SECRETS_NAME.search(str(name)) else _inside(value) for name, value in facts.items()
    }


def _inside(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _without_secrets(value)
    return [_inside(item) for item in value] if isinstance(value, list | tuple) else value


def _spellings(secret: str) -> set[str]:
    """As it is, and as it stands inside JSON."""
    if len(secret) < SHORTEST_SECRET:
        return set()
    return {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
