"""The JSON files beside folders: what they say, and whose they are.

A record of ours carries a mark with a sum over the rest. A file without the mark, about something else, or
changed by hand is somebody else's, and is left alone.
"""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

MARK: Final = "shotfarm"
SCHEMA: Final = 1
MOST_BYTES: Final = 2 * 1024 * 1024


class Standing(StrEnum):
    """How a file stands to the record that should be there."""

    CURRENT = "current"
    OUTDATED = "outdated"
    EDITED = "edited"
    FOREIGN = "foreign"


def written(kind: str, row: UUID, facts: dict[str, Any]) -> bytes:
    """Write a record: the same facts make the same bytes."""
    mark = {"kind": kind, "id": str(row), "schema": SCHEMA, "sum": _sum(kind, row, facts)}
    return (json.dumps({MARK: mark, **facts}, ensure_ascii=False, indent=2) + "\n").encode()


def judge(content: bytes, kind: str, row: UUID, facts: dict[str, Any]) -> Standing:
    """Tell how what stands there stands to what should be written."""
    if content == written(kind, row, facts):
        return Standing.CURRENT
    try:
        there = json.loads(content)
    except (ValueError, RecursionError):
        return Standing.FOREIGN
    mark = there.pop(MARK, None) if isinstance(there, dict) else None
    if not isinstance(mark, dict) or mark.get("kind") != kind or mark.get("id") != str(row):
        return Standing.FOREIGN
    return Standing.OUTDATED if mark.get("sum") == _sum(kind, row, there) else Standing.EDITED


def _sum(kind: str, row: UUID, facts: dict[str, Any]) -> str:
    text = json.dumps([kind, str(row), facts], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
