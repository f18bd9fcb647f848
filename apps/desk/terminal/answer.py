"""What a command answers: lines for people, an object for tools, and whether it found anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from apps.common.errors import Problem

FORM: Final = 1
"""The form of every object. It grows by new fields; a field that changes its meaning makes it 2."""

OK: Final = 0
NOTHING: Final = 1
"""Nothing matched, or what was asked for was refused. (2: it was asked for wrongly, says argparse.)"""


@dataclass(frozen=True)
class Answer:
    """``lines`` for people, ``data`` for tools. ``problems``: what was refused while the rest was done."""

    lines: Sequence[str]
    data: Mapping[str, Any]
    found: bool = True
    problems: Sequence[Problem] = field(default=())

    @property
    def code(self) -> int:
        """The exit code."""
        return OK if self.found and not self.problems else NOTHING

    def as_json(self, command: str) -> dict[str, Any]:
        """The object for tools."""
        said = {"form": FORM, "command": command, **self.data}
        return said | {"problems": problems_json(self.problems)} if self.problems else said


def problems_json(problems: Sequence[Problem]) -> list[dict[str, str]]:
    """Problems as the API tells them."""
    return [
        {"field": one.field, "value": one.value, "message": str(one.message), "code": one.code}
        for one in problems
    ]


def iso(at: datetime | None) -> str | None:
    """A time for tools: ISO 8601 with its offset."""
    return None if at is None else at.isoformat(timespec="seconds")
